"""Turns the resources of one side of a plan into facts: a method for each type of resource that is read.

Source: the arguments of the AWS provider's IAM and Organizations resources.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from pipeline.iam.model import CONTROL_TYPES
from pipeline.infrastructure import said
from pipeline.infrastructure.documents import roles_in
from pipeline.infrastructure.facts import (
    KINDS,
    REGION,
    UNKNOWN,
    Attached,
    Attributes,
    Control,
    ControlValue,
    Doubt,
    Facts,
    Inline,
    Json,
    Kind,
    ManagedPolicy,
    Member,
    Principal,
    ResourcePolicy,
    Setting,
    Target,
    Unresolved,
    arn_of,
    as_list,
    as_object,
    digest,
    text_of,
)
from pipeline.infrastructure.terraform.resources import Resource
from pipeline.infrastructure.terraform.side import Resources
from pipeline.infrastructure.terraform.values import count, flagged, is_partly_unknown, is_unknown_within

#: Ends the names of policies of which only a part is known.
DRAFT = " (as far as known before apply)"
#: The kind of principal that a type of resource is, or is about.
OWNERS: dict[str, Kind] = {
    f"aws_iam_{kind}{end}": kind for kind in KINDS for end in ("", "_policy", "_policy_attachment")
}
#: Arguments that let others do something without a policy, by type, and what one more of them is.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "aws_iam_openid_connect_provider": {
        "client_id_list": said.OTHER_AUDIENCE,
        "thumbprint_list": said.OTHER_CERTIFICATE,
    },
    "aws_iam_saml_provider": {"saml_metadata_document": said.OTHER_METADATA},
    "aws_s3_bucket": {"acl": said.OTHER_ACL},
    "aws_lambda_function_url": {"authorization_type": said.OTHER_CREDENTIALS},
    "aws_db_snapshot": {"shared_accounts": "a snapshot is shared with another account"},
}
BLOCKS = ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block")
PUBLIC_ACCESS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
#: Begin the types of AWS's providers.
AWS = ("aws_", "awscc_")


class Reading(Resources):
    """Turns the resources of one side into facts."""

    def facts(self) -> Facts:
        """Return all that the resources say."""
        for resource in self.read_in_turn:
            read = READERS.get(resource.type)
            if read:
                read(self, resource)
            elif resource.type.startswith(AWS):
                self.set_apart(resource)
        for key in [key for key in self.found if isinstance(key, Attached) and key.arn in self.drafts]:
            name = key.arn.rsplit("/", 1)[-1]
            self.found[Inline(key.owner, f"{name}{DRAFT}")] = self.drafts[key.arn]
        former = self.former.untold if self.former else {}
        for address in former.keys() - self.resources.keys():
            self.found[Doubt(address, f"{former[address]}; what goes may have limited it")] = True
        for held in self.former.found if self.former else ():
            if isinstance(held, Setting) and held.what == said.NOT_BLOCKED:
                self.found.setdefault(held, frozenset(PUBLIC_ACCESS))
        return self.found

    def set_apart(self, resource: Resource) -> None:
        """Note what of a resource lets others do something without a policy."""
        roles = {*roles_in(resource.values)}
        given = {
            name: flag
            for name, flag in resource.unknown.items()
            if self.config.gives(resource.address, name) is not False
        }
        if any(roles_in(flagged(given))):
            roles.add(f"known only after apply ({digest([resource.unknown, resource.address])})")
        if roles:
            self.found[Setting(resource.address, said.OTHER_ROLE)] = frozenset(roles)
        for argument, what in SETTINGS.get(resource.type, {}).items():
            held = resource.get(argument) if not resource.is_unknown(argument) else "known only after apply"
            listed = held if isinstance(held, list) else [] if held is None else [held]
            self.found[Setting(resource.address, what)] = frozenset(map(str, listed))
        if resource.type in BLOCKS:
            off = frozenset(flag for flag in PUBLIC_ACCESS if resource.get(flag) is not True)
            self.found[Setting(resource.address, said.NOT_BLOCKED)] = off

    def principals(self, changes: Iterable[Json]) -> Iterator[Principal]:
        """Yield the principals that changes are about, as they are on this side."""
        for change in changes:
            kind = str(change.get("type"))
            resource = self.resources.get(str(change.get("address")))
            if resource and READERS.get(kind) is Reading.read_principal:
                yield self.owner(resource, OWNERS[kind])

    def with_all_attached(self) -> frozenset[Principal]:
        """Return the roles whose attached policies this side tells: the provider reads all of them back."""
        roles = (one for one in self.resources.values() if one.type == "aws_iam_role")
        return frozenset(self.owner(one, "role") for one in roles if isinstance(one.get("managed_policy_arns"), list))

    def read_principal(self, resource: Resource) -> None:
        """Read a role, a user or a group."""
        kind = OWNERS[resource.type]
        owner = self.owner(resource, kind)
        path = str(resource.get("path") or "/")
        partition, _ = self.accounts.of(resource)
        arn = str(resource.get("arn") or arn_of(owner, path, partition))
        boundary = resource.get("permissions_boundary")
        if not boundary and resource.is_unknown("permissions_boundary"):
            target = self.referred(resource, "permissions_boundary", "aws_iam_policy")
            boundary = self.policy_arn(target) if target else None
            if boundary is None:
                self.unread(owner, resource, "permissions_boundary")
        trust = resource.get("assume_role_policy") if kind == "role" else None
        if kind == "role" and not trust:
            self.unread(owner, resource, "assume_role_policy")
        tags = as_object(resource.get("tags_all")) or as_object(resource.get("tags"))
        if self._has_unknown_tags(resource):
            self.unread(owner, resource, "tags")
        listed = tuple(sorted((str(key), str(value)) for key, value in tags.items() if value is not None))
        own_id = resource.get("unique_id")
        self.found[owner] = Attributes(arn, path, text_of(trust), boundary, listed, str(own_id) if own_id else None)
        if kind == "role":
            self._of_role(resource, owner)

    def _has_unknown_tags(self, resource: Resource) -> bool:
        """Whether a tag of a principal is unknown. Of one without tags of its own the provider may leave ``tags_all``
        unknown as a whole: that counts unless its configuration has no default tags."""
        own, every = (resource.unknown.get(name) for name in ("tags", "tags_all"))
        is_whole = every is True
        return (
            is_unknown_within(own)
            or (not is_whole and is_unknown_within(every))
            or (is_whole and self.config.has_default_tags(resource.address) is not False)
        )

    def _of_role(self, resource: Resource, owner: Principal) -> None:
        """Read the policies that stand in a role itself."""
        listed = as_list(resource.get("inline_policy"))
        flags = as_list(resource.unknown.get("inline_policy"))
        for number, inline in enumerate(map(as_object, listed)):
            flag = as_object(flags[number]) if number < len(flags) else {}
            is_told = inline.get("name") or inline.get("policy") or any(flag.values())
            place = f"{resource.address}.inline_policy[{number}]"
            name = str(inline.get("name") or place)
            if is_told and not self._is_repeated(resource, "inline_policy", owner, name):
                text = text_of(inline.get("policy"))
                # Beside a resource of the same name nobody knows which text is written last: both count.
                key = Inline(owner, place if (owner, name) in self.apart else name)
                self.found[key] = text or Unresolved(self.detail(resource, "inline_policy"))
        if self._is_unknown_of_role(resource, "inline_policy") and not listed:
            self.unread(owner, resource, "inline_policy")
        for arn in as_list(resource.get("managed_policy_arns")):
            is_arn = isinstance(arn, str) and arn
            if is_arn and not self._is_repeated(resource, "managed_policy_arns", owner, arn):
                self.found[Attached(owner, arn)] = True
        if self._is_unknown_of_role(resource, "managed_policy_arns"):
            self._of_references(resource, owner)

    def _is_repeated(self, resource: Resource, argument: str, owner: Principal, policy: str) -> bool:
        """Whether a role's list has a policy only because the provider read it back: what resources of their own bring
        is in the list too, and after a plan that takes it away still is. A list that the configuration gives, or that
        the plan changes, says what will be; where neither tells, the policy counts and the role is incomplete."""
        if self.former is None:
            return (owner, policy) in self.apart
        if (owner, policy) not in self.apart | self.former.apart:
            return False
        before = self.former.resources.get(resource.address)
        is_given = self.config.gives(resource.address, argument)
        if is_given or before is None or before.get(argument) != resource.get(argument):
            return False
        if is_given is None and (owner, policy) not in self.apart:
            self.unread(owner, resource, argument)
            return False
        return True

    def _is_unknown_of_role(self, resource: Resource, argument: str) -> bool:
        """Whether a part of a role's own list is unknown. Of a new role both lists always are: the provider reads them
        back; so that counts only where the configuration gives the argument, or is not there to tell."""
        is_given = self.config.gives(resource.address, argument)
        return is_given is not False and is_unknown_within(resource.unknown.get(argument))

    def _of_references(self, resource: Resource, owner: Principal) -> None:
        """Attach the policies of the plan that a role's list of unknown ARNs refers to."""
        found, is_whole = self.all_referred(resource, "managed_policy_arns", "aws_iam_policy")
        arns = {self.policy_arn(target) for target in found} - {*map(str, as_list(resource.get("managed_policy_arns")))}
        self.found |= {Attached(owner, arn): True for arn in arns}
        if not is_whole or len(arns) < count(resource.unknown.get("managed_policy_arns")):
            self.unread(owner, resource, "managed_policy_arns")

    def read_policy(self, resource: Resource) -> None:
        """Read a managed policy."""
        arn = self.policy_arn(resource)
        self.found[ManagedPolicy(arn)] = self.document(resource, "policy")
        draft = self.drafted(resource, "policy")
        if draft:
            self.drafts[arn] = draft

    def read_inline(self, resource: Resource) -> None:
        """Read an inline policy."""
        kind = OWNERS[resource.type]
        owner = self.principal(resource, kind, kind)
        self.found[Inline(owner, self.named(resource))] = self.document(resource, "policy")
        draft = self.drafted(resource, "policy")
        if draft:
            self.found[Inline(owner, f"{self.named(resource)}{DRAFT}")] = draft

    def read_attachment(self, resource: Resource) -> None:
        """Read an attachment to one principal."""
        kind = OWNERS[resource.type]
        self.attach(self.principal(resource, kind, kind), resource)

    def read_attachments(self, resource: Resource) -> None:
        """Read an attachment to several principals."""
        for kind in KINDS:
            for owner in self.several(resource, f"{kind}s", kind):
                self.attach(owner, resource)

    def several(self, resource: Resource, argument: str, kind: Kind) -> Iterator[Principal]:
        """Yield the principals that a list names. Entries that are not known are those that it refers to beside the
        known ones, or nobody yet."""
        known = {self.called(resource, str(name), kind) for name in as_list(resource.get(argument)) if name}
        yield from sorted(known)
        flags = resource.unknown.get(argument)
        if is_partly_unknown(flags):
            found, is_whole = self.all_referred(resource, argument, f"aws_iam_{kind}")
            owners = {self.owner(target, kind) for target in found} - known
            yield from sorted(owners)
            if not is_whole or len(owners) < count(flags):
                yield self.nobody(resource, argument, kind)

    def read_membership(self, resource: Resource) -> None:
        """Read the users of a group."""
        for user in self.several(resource, "users", "user"):
            self.join(resource, user, self.principal(resource, "group", "group"))

    def read_groups_of_user(self, resource: Resource) -> None:
        """Read the groups of a user."""
        user = self.principal(resource, "user", "user")
        for group in self.several(resource, "groups", "group"):
            self.join(resource, user, group)

    def join(self, resource: Resource, user: Principal, group: Principal) -> None:
        """Put a user into a group; who joins one that is not known yet is incomplete."""
        if self._is_nobody(group):
            self.unread(user, resource, "groups" if resource.type == "aws_iam_user_group_membership" else "group")
        else:
            self.found[Member(user, group.name)] = True

    def _is_nobody(self, owner: Principal) -> bool:
        known = self.found.get(owner)
        return isinstance(known, Attributes) and UNKNOWN in known.path

    def read_resource_policy(self, resource: Resource) -> None:
        """Read the policy of a resource. One of a resource that is not known yet is that of a resource called after
        its address; a key without one has the policy that AWS gives it."""
        argument, service, name_argument, form = RESOURCE_POLICIES[resource.type]
        text = text_of(resource.get(argument))
        partition, account = self.accounts.of(resource)
        if resource.type == "aws_kms_key" and not text and self.config.gives(resource.address, argument) is False:
            root = f"arn:{partition}:iam::{account}:root"
            every = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
            text = text_of({"Version": "2012-10-17", "Statement": [every]})
        if text is None:
            told = f"{argument} is known only after apply: who may use this resource is not seen"
            self.found[Doubt(resource.address, told, self.detail(resource, argument))] = True
            return
        name = str(resource.get(name_argument) or resource.address)
        region = "" if service == "s3" else self._region(resource)
        owner = "" if service == "s3" else account
        arn = name if name.startswith("arn:") else f"arn:{partition}:{service}:{region}:{owner}:{form.format(name)}"
        if resource.type == "aws_kms_key":
            # What a resource of its own brings is read back here.
            self.keys.add(arn)
        elif arn in self.keys:
            self.keys.remove(arn)
        elif ResourcePolicy(arn) in self.found:
            # Its region is a guess, or two resources write the same policy: whichever counts, it is not hidden.
            told = f"its {argument} is also that of another resource, as far as the plan tells"
            self.found[Doubt(resource.address, told, digest([text]))] = True
            return
        self.found[ResourcePolicy(arn)] = text

    def _region(self, resource: Resource) -> str:
        region = resource.get("region")
        return str(region) if region else self.config.region(resource.provider) or REGION

    def read_control(self, resource: Resource) -> None:
        """Read an SCP or RCP."""
        policy_type = str(resource.get("type") or "SERVICE_CONTROL_POLICY")
        if policy_type in CONTROL_TYPES:
            value = ControlValue(
                self.named(resource), policy_type, self.document(resource, "content"), resource.get("arn")
            )
            self.found[Control(self.control_id(resource))] = value

    def control_id(self, resource: Resource) -> str:
        """Return the id of a policy of the organization, its address while that is not known."""
        return str(resource.get("id") or resource.address)

    def read_target(self, resource: Resource) -> None:
        """Read where a policy of the organization is attached."""
        policy_id = resource.get("policy_id")
        if not policy_id:
            target = self.referred(resource, "policy_id", "aws_organizations_policy")
            policy_id = self.control_id(target) if target else None
        if policy_id and resource.get("target_id"):
            self.found[Target(str(policy_id), str(resource.get("target_id")))] = True
        else:
            argument = "target_id" if policy_id else "policy_id"
            told = f"{argument} is known only after apply: this attachment is not seen"
            self.found[Doubt(resource.address, told, self.detail(resource, argument))] = True


#: Policies of resources: the argument that holds it, the service, the argument that names the resource by name or ARN,
#: and how the name stands in the ARN.
RESOURCE_POLICIES: Mapping[str, tuple[str, str, str, str]] = {
    "aws_sagemaker_model_package_group_policy": (
        "resource_policy", "sagemaker", "model_package_group_name", "model-package-group/{}",
    ),
    "aws_s3_bucket_policy": ("policy", "s3", "bucket", "{}"),
    "aws_kms_key": ("policy", "kms", "arn", "key/{}"),
    "aws_kms_key_policy": ("policy", "kms", "key_id", "key/{}"),
    "aws_ecr_repository_policy": ("policy", "ecr", "repository", "repository/{}"),
    "aws_sns_topic_policy": ("policy", "sns", "arn", "{}"),
    "aws_secretsmanager_secret_policy": ("policy", "secretsmanager", "secret_arn", "secret:{}"),
}  # fmt: skip
READERS: Mapping[str, Callable[[Reading, Resource], None]] = {
    "aws_iam_role": Reading.read_principal,
    "aws_iam_user": Reading.read_principal,
    "aws_iam_group": Reading.read_principal,
    "aws_iam_policy": Reading.read_policy,
    "aws_iam_role_policy": Reading.read_inline,
    "aws_iam_user_policy": Reading.read_inline,
    "aws_iam_group_policy": Reading.read_inline,
    "aws_iam_role_policy_attachment": Reading.read_attachment,
    "aws_iam_user_policy_attachment": Reading.read_attachment,
    "aws_iam_group_policy_attachment": Reading.read_attachment,
    "aws_iam_policy_attachment": Reading.read_attachments,
    "aws_iam_group_membership": Reading.read_membership,
    "aws_iam_user_group_membership": Reading.read_groups_of_user,
    "aws_organizations_policy": Reading.read_control,
    "aws_organizations_policy_attachment": Reading.read_target,
    **dict.fromkeys(RESOURCE_POLICIES, Reading.read_resource_policy),
}
