"""Turns the resources of a template into facts: a method for each type of resource that is read.

Source: AWS::IAM resource types; AWS::Organizations::Policy.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.iam.model import CONTROL_TYPES
from pipeline.infrastructure import said
from pipeline.infrastructure.cloudformation.functions import (
    ABSENT,
    PRINCIPALS,
    Template,
    Unknown,
    first_unknown,
    is_unknown,
    unknown,
)
from pipeline.infrastructure.cloudformation.macros import MACROS, has_macro, holds_macro, is_macro, macros
from pipeline.infrastructure.cloudformation.unread import is_unread
from pipeline.infrastructure.documents import holds_policy, roles_in
from pipeline.infrastructure.facts import (
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
    Unread,
    Unresolved,
    as_list,
    as_object,
    digest,
    nobody,
    text_of,
)

INLINE: dict[str, tuple[Kind, str]] = {
    "AWS::IAM::RolePolicy": ("role", "RoleName"),
    "AWS::IAM::UserPolicy": ("user", "UserName"),
    "AWS::IAM::GroupPolicy": ("group", "GroupName"),
}
LISTS: tuple[tuple[Kind, str], ...] = (("role", "Roles"), ("user", "Users"), ("group", "Groups"))


class Reading(Template):
    """Turns the resources of a template into facts."""

    def facts(self) -> Facts:
        """Return all that the template says."""
        for name, resource in self.resources.items():
            kind = str(resource.get("Type"))
            if (
                is_macro(name)
                or has_macro(resource, resource.get("Properties"))
                or (kind in READERS and holds_macro(resource))
            ):
                self.doubt(name, f"{MACROS}; what it makes is not seen", self.written[name])
            if not self.is_made(resource):
                continue
            read = READERS.get(kind)
            if read:
                read(self, name, as_object(resource.get("Properties")))
            elif is_unread(kind, as_object(resource.get("Properties"))):
                told = f"resources of type {kind} are not read; who may do what through it is not seen"
                self.doubt(name, told, [resource, self.value(resource.get("Properties")), self._sections["Globals"]])
            if kind not in READERS or kind in RESOURCE_POLICIES:
                self.doubt_policies(name, kind, as_object(resource.get("Properties")))
                self.set_apart(name, kind, as_object(resource.get("Properties")))
            if resource.get("Connectors"):
                told = "Connectors of SAM make policies, which are not read"
                self.doubt(f"{name}.Connectors", told, resource["Connectors"])
        if holds_policy(self.value(self._sections["Globals"]), is_unknown):
            self.doubt("Globals", "a policy of resources there is not read", self._sections["Globals"])
        for macro in macros(self._sections["Transform"]):
            self.doubt(f"Transform {macro}", "macros are not run; what it makes is not seen", self.written)
        for section, held in self._sections.items():
            for name in filter(is_macro, as_object(held)):
                self.doubt(f"{section}.{name}", f"{MACROS}; what it says is not known", as_object(held)[name])
        if self.is_guessed and self.found:
            self.remarks.append(said.without_account("a template"))
        return self.found

    def doubt(self, where: str, why: str, value: Any) -> None:
        """Note what may change who may do what and is not read."""
        self.found[Doubt(where, why, digest(value))] = True

    def doubt_policies(self, name: str, kind: str, properties: Json) -> None:
        """Doubt the arguments of a resource that hold a policy which no reader reads."""
        read = RESOURCE_POLICIES[kind][0] if kind in RESOURCE_POLICIES else None
        resolved = {argument: self.value(value) for argument, value in properties.items() if argument != read}
        held = {argument: value for argument, value in resolved.items() if holds_policy({argument: value}, is_unknown)}
        if held and not is_unread(kind, properties):
            self.doubt(name, said.not_read(held, kind), [{argument: properties[argument] for argument in held}, held])

    def set_apart(self, name: str, kind: str, properties: Json) -> None:
        """Note what of a resource lets others do something without a policy: compared with a former template."""
        roles = frozenset(roles_in(self.told(properties)))
        if roles:
            self.found[Setting(name, said.OTHER_ROLE)] = roles
        for argument, what in SETTINGS.get(kind, {}).items():
            held = self.told(properties.get(argument))
            self.found[Setting(name, what)] = frozenset(map(str, held if isinstance(held, list) else [held]))
        if kind == "AWS::S3::Bucket":
            flags = as_object(self.value(properties.get("PublicAccessBlockConfiguration")))
            off = {flag for flag in PUBLIC_ACCESS if str(flags.get(flag)).lower() != "true"}
            self.found[Setting(name, said.NOT_BLOCKED)] = frozenset(off)

    def is_made(self, resource: Json) -> bool:
        """Whether the condition of a resource lets it be made."""
        name = resource.get("Condition")
        held = self.condition(name) if isinstance(name, str) else True
        return held is not False

    def document(self, where: str, value: Any) -> str | Unresolved:
        """Return the policy in an argument."""
        found = self.value(value)
        found = None if found is ABSENT else found
        unknown = first_unknown(found)
        if unknown is not None:
            self.remarks.append(f"{where}: {unknown.why}: {said.incomplete('whoever has this policy')}")
        return (text_of(found) if unknown is None else None) or Unresolved(digest([value, found]))

    def read_principal(self, name: str, properties: Json) -> None:
        """Read a role, a user or a group."""
        kind = PRINCIPALS[str(self.resources[name].get("Type"))][0]
        owner, arn, path = self.attributes(name, properties, kind)
        trust: str | Unresolved | None = None
        if kind == "role":
            where = f"{name}.AssumeRolePolicyDocument"
            trust = self.document(where, properties.get("AssumeRolePolicyDocument"))
            if isinstance(trust, Unresolved):
                self.found[Unread(owner, where, trust.detail)] = True
        boundary = self.value(properties.get("PermissionsBoundary"))
        if isinstance(boundary, Unknown):
            self.tell(owner, f"{name}.PermissionsBoundary", boundary, properties["PermissionsBoundary"])
        listed = self.value(properties.get("Tags", []))
        tags = [(as_object(one).get("Key"), as_object(one).get("Value")) for one in as_list(listed)]
        unknown = first_unknown(listed)
        if unknown is not None:
            self.tell(owner, f"{name}.Tags", unknown, properties["Tags"])
        known = tuple(sorted((str(k), str(v)) for k, v in tags if isinstance(k, str) and isinstance(v, str | int)))
        trust = None if isinstance(trust, Unresolved) else trust
        self.found[owner] = Attributes(arn, path, trust, boundary if isinstance(boundary, str) else None, known)
        if not isinstance(self.value(properties.get(PRINCIPALS[str(self.resources[name].get("Type"))][1])), str):
            self.unnamed.add(owner)
        policies = properties.get("Policies")
        if isinstance(policies, dict):
            policies = self.value(policies)
        if isinstance(policies, Unknown):
            self.tell(owner, f"{name}.Policies", policies, properties["Policies"])
        for number, policy in enumerate(as_list(policies)):
            chosen = self.value(policy) if "PolicyDocument" not in as_object(policy) else policy
            if isinstance(chosen, Unknown):
                self.tell(owner, f"{name}.Policies[{number}]", chosen, policy)
            elif isinstance(chosen, dict):
                self.inline(owner, f"{name}.Policies[{number}]", chosen)
        for arn_value in self.several(owner, f"{name}.ManagedPolicyArns", properties.get("ManagedPolicyArns")):
            self.found[Attached(owner, arn_value)] = True
        if kind == "user":
            for group in self.several(owner, f"{name}.Groups", properties.get("Groups")):
                self.found[Member(owner, group)] = True

    def inline(self, owner: Principal, where: str, policy: Json) -> None:
        """Read a policy that stands in a principal."""
        called = self.value(policy.get("PolicyName"))
        document = self.document(where, policy.get("PolicyDocument"))
        self.found[Inline(owner, called if isinstance(called, str) else where)] = document

    def several(self, owner: Principal, where: str, value: Any) -> Iterator[str]:
        """Yield the texts of a list; the owner is incomplete where one is not known."""
        found = self.value(value)
        for one in [found] if isinstance(found, Unknown) else as_list(found):
            if isinstance(one, str):
                yield one
            elif isinstance(one, Unknown):
                self.tell(owner, where, one, value)

    def tell(self, owner: Principal, where: str, unknown: Unknown, value: Any) -> None:
        """Mark a principal of which a value is not known."""
        self.remarks.append(f"{where}: {unknown.why}: {said.incomplete(f'{owner.kind} {owner.name}')}")
        self.found[Unread(owner, where, digest(value))] = True

    def nobody(self, where: str, kind: Kind, value: Any) -> Principal:
        """Return a principal that stands for one that is known only after deployment."""
        owner, attributes = nobody(self.account, kind, where)
        self.remarks.append(f"{where}: known only after deployment: {said.stands_for(attributes.arn, kind)}")
        self.found[owner] = attributes
        self.found[Unread(owner, where, digest(value))] = True
        return owner

    def members(self, where: str, kind: Kind, value: Any) -> Iterator[Principal]:
        """Yield the principals that a list names; what is not known stands for one."""
        found = self.value(value)
        for one in [found] if isinstance(found, Unknown | str) else as_list(found):
            yield Principal(self.account, kind, one) if isinstance(one, str) else self.nobody(where, kind, value)

    def owners(self, name: str, properties: Json) -> Iterator[Principal]:
        """Yield the principals that a policy is for."""
        for kind, argument in LISTS:
            yield from self.members(f"{name}.{argument}", kind, properties.get(argument))

    def read_policy(self, name: str, properties: Json) -> None:
        """Read an inline policy for several principals."""
        for owner in self.owners(name, properties):
            self.inline(owner, name, properties)

    def read_managed(self, name: str, properties: Json) -> None:
        """Read a managed policy."""
        arn = self.policy_arn(name)
        self.found[ManagedPolicy(arn)] = self.document(name, properties.get("PolicyDocument"))
        for owner in self.owners(name, properties):
            self.found[Attached(owner, arn)] = True

    def read_inline(self, name: str, properties: Json) -> None:
        """Read an inline policy of one principal."""
        kind, argument = INLINE[str(self.resources[name].get("Type"))]
        for owner in self.members(f"{name}.{argument}", kind, [properties.get(argument)]):
            self.inline(owner, name, properties)

    def read_members(self, name: str, properties: Json) -> None:
        """Read the users of a group."""
        group = self.value(properties.get("GroupName"))
        for user in self.members(f"{name}.Users", "user", properties.get("Users")):
            if isinstance(group, str):
                self.found[Member(user, group)] = True
            else:
                self.tell(user, f"{name}.GroupName", unknown(group, "GroupName"), properties.get("GroupName"))

    def read_resource_policy(self, name: str, properties: Json) -> None:
        """Read the policy of a resource; a resource without one has the policy that AWS gives it, or none."""
        argument, name_argument, form = RESOURCE_POLICIES[str(self.resources[name].get("Type"))]
        if argument not in properties:
            return
        text = self.document(f"{name}.{argument}", properties[argument])
        if isinstance(text, Unresolved):
            told = f"{argument} is known only after deployment: who may use this resource is not seen"
            self.found[Doubt(name, told, text.detail)] = True
            return
        called = self.value(properties.get(name_argument, name))
        called = called if isinstance(called, str) else name
        arn = form.format(called.rsplit(":::", 1)[-1], region=self.pseudo("AWS::Region"), account=self.account)
        self.found[ResourcePolicy(arn)] = text

    def read_control(self, name: str, properties: Json) -> None:
        """Read an SCP or RCP."""
        policy_type = str(properties.get("Type"))
        if policy_type in CONTROL_TYPES:
            content = self.document(f"{name}.Content", properties.get("Content"))
            called = self.value(properties.get("Name"))
            self.found[Control(name)] = ControlValue(str(called or name), policy_type, content)
            targets = self.value(properties.get("TargetIds"))
            for target in [targets] if isinstance(targets, Unknown) else as_list(targets):
                if isinstance(target, str | int):
                    self.found[Target(name, str(target))] = True
                else:
                    told = "a target is known only after deployment: this attachment is not seen"
                    self.doubt(f"{name}.TargetIds", told, properties["TargetIds"])


#: Arguments that let others do something without a policy, by type, and what one more of them is.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "AWS::IAM::OIDCProvider": {
        "ClientIdList": said.OTHER_AUDIENCE,
        "ThumbprintList": said.OTHER_CERTIFICATE,
    },
    "AWS::IAM::SAMLProvider": {"SamlMetadataDocument": said.OTHER_METADATA},
    "AWS::S3::Bucket": {"AccessControl": said.OTHER_ACL},
    "AWS::Lambda::Url": {"AuthType": said.OTHER_CREDENTIALS},
}
PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
#: Policies of resources: the argument that holds it, the one that names the resource, and the resource's ARN.
RESOURCE_POLICIES: Mapping[str, tuple[str, str, str]] = {
    "AWS::SageMaker::ModelPackageGroup": (
        "ModelPackageGroupPolicy",
        "ModelPackageGroupName",
        "arn:aws:sagemaker:{region}:{account}:model-package-group/{0}",
    ),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket", "arn:aws:s3:::{0}"),
    "AWS::KMS::Key": ("KeyPolicy", "KeyId", "arn:aws:kms:{region}:{account}:key/{0}"),
}
READERS: Mapping[str, Callable[[Reading, str, Json], None]] = {
    **dict.fromkeys(PRINCIPALS, Reading.read_principal),
    **dict.fromkeys(INLINE, Reading.read_inline),
    **dict.fromkeys(RESOURCE_POLICIES, Reading.read_resource_policy),
    "AWS::IAM::Policy": Reading.read_policy,
    "AWS::IAM::ManagedPolicy": Reading.read_managed,
    "AWS::IAM::UserToGroupAddition": Reading.read_members,
    "AWS::Organizations::Policy": Reading.read_control,
}
