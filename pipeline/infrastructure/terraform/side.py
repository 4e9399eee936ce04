"""The resources of one side of a plan, and what their unknown values refer to."""

import re
from collections.abc import Iterable, Mapping

from pipeline.infrastructure import said
from pipeline.infrastructure.facts import (
    Attached,
    Doubt,
    Facts,
    Json,
    Kind,
    Principal,
    Unread,
    Unresolved,
    as_list,
    digest,
    nobody,
    text_of,
)
from pipeline.infrastructure.terraform.accounts import Accounts
from pipeline.infrastructure.terraform.configuration import Configuration, Referred, is_prefix
from pipeline.infrastructure.terraform.drafts import drafted
from pipeline.infrastructure.terraform.resources import Resource

#: References to the index of a resource itself; of a set, each value is its own.
SAME_INDEX = {"each.key", "each.value", "count.index"}
OTHER_INDEX = re.compile(r"(?:each|count|local|var|data|module)\.")
DATA = re.compile(r"data\.aws_iam_policy_document\.([\w-]+)")
#: Resources that bring policies of roles.
ROLE_POLICIES = ("aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_policy_attachment")


class Resources:
    """What resources of one side say of each other. ``found`` are the facts so far."""

    def __init__(
        self,
        resources: Iterable[Resource],
        config: Configuration,
        accounts: Accounts,
        documents: Mapping[str, Json],
        remarks: list[str],
        former: "Resources | None" = None,
    ) -> None:
        listed = sorted(resources, key=lambda one: (not one.is_deposed, one.type != "aws_kms_key"))
        self.resources = {one.address: one for one in listed if not one.is_deposed}
        #: What goes once its replacement is there counts before, beneath it.
        self.read_in_turn = listed
        self.config, self.accounts, self.documents, self.remarks = config, accounts, documents, remarks
        #: The side before the plan, where this is the one after it.
        self.former = former
        self.found: Facts = {}
        self.drafts: dict[str, str] = {}
        #: Why the principal of a resource is not told, by the resource's address.
        self.untold: dict[str, str] = {}
        #: Keys whose policy only the key itself tells so far.
        self.keys: set[str] = set()
        self.apart = self._told_apart()

    def _told_apart(self) -> frozenset[tuple[Principal, str]]:
        """Return the policies of roles that resources of their own bring on this side: roles, with names or ARNs of
        policies. The provider reads them back into the role's own lists."""
        found = set()
        for resource in self.resources.values():
            if resource.type in ROLE_POLICIES:
                policy = str(resource.get("policy_arn") or resource.get("name"))
                names = [resource.get("role"), *as_list(resource.get("roles"))]
                told = [str(name) for name in names if name and len(self.namesakes(resource, str(name), "role")) < 2]
                found |= {(self.called(resource, name, "role"), policy) for name in told}
        return frozenset(found)

    def named(self, resource: Resource) -> str:
        """Return a resource's name: as written, else one that tells its address."""
        name = resource.get("name")
        return str(name) if name else f"{resource.get('name_prefix') or ''}{resource.address}"

    def owner(self, resource: Resource, kind: Kind) -> Principal:
        """Return the principal that a resource is."""
        _, account = self.accounts.of(resource)
        return Principal(account, kind, self.named(resource))

    def policy_arn(self, resource: Resource) -> str:
        """Return the ARN of a managed policy, as far as it is known."""
        if resource.get("arn"):
            return str(resource.get("arn"))
        partition, account = self.accounts.of(resource)
        return f"arn:{partition}:iam::{account}:policy{resource.get('path') or '/'}{self.named(resource)}"

    def referred(self, resource: Resource, argument: str, kind: str) -> Resource | None:
        """Return the resource of a type that an argument's expression refers to; None where that is not one alone."""
        found, is_whole = self.all_referred(resource, argument, kind)
        return found[0] if is_whole and len(found) == 1 else None

    def all_referred(self, resource: Resource, argument: str, kind: str) -> tuple[list[Resource], bool]:
        """Return the resources of a type that an argument's expression refers to, and whether nothing else that the
        plan may not know is in it."""
        references = self.config.references(resource.address, argument)
        targets = {*self.config.targets(resource.module, references, kind)}
        told = {target for target in targets if target is not None}
        # A resource stands beside its instance.
        told -= {Referred(target.base, "") for target in told if target.instance}
        instances = [self._instances(target, resource, references) for target in sorted(told)]
        found = [one for listed in instances for one in listed]
        return found, bool(found) and None not in targets and all(instances)

    def _instances(self, target: Referred, resource: Resource, references: Iterable[str]) -> list[Resource]:
        """Return the instances of a resource that a reference leads to: the one that is written there, that of the same
        index where the expression speaks of the index, else all."""
        base, index = target
        if index or base in self.resources:
            found = self.resources.get(base + index)
            return [found] if found else []
        listed = [one for one in self.resources.values() if one.address.startswith(f"{base}[")]
        whole = {text for text in references if not is_prefix(text, references)}
        if SAME_INDEX & whole and len(listed) > 1:
            return [one for one in listed if one.address == base + resource.instance]
        is_elsewhere = len(listed) > 1 and any(map(OTHER_INDEX.match, whole))
        return [] if is_elsewhere else listed

    def principal(self, resource: Resource, argument: str, kind: Kind) -> Principal:
        """Return the principal that an argument names, by name or by ARN; one that is not known is nobody yet."""
        value = resource.get(argument)
        if value:
            return self.called(resource, str(value), kind)
        target = self.referred(resource, argument, f"aws_iam_{kind}")
        return self.owner(target, kind) if target else self.nobody(resource, argument, kind)

    def nobody(self, resource: Resource, argument: str, kind: Kind) -> Principal:
        """Return a principal that stands for one that is known only after apply."""
        owner, attributes = nobody(self.accounts.of(resource)[1], kind, resource.address)
        self.tell(resource, argument, said.stands_for(attributes.arn, kind))
        self.found[owner] = attributes
        self.found[Unread(owner, f"{resource.address}: {argument}", self.detail(resource, argument))] = True
        return owner

    def called(self, resource: Resource, name: str, kind: Kind) -> Principal:
        """Return the principal of a name in the account of a resource, which may be in the same plan. Where that may be
        one of several of that name, one stands for whichever it is."""
        found = self.namesakes(resource, name, kind)
        if len(found) == 1:
            return found[0]
        if found:
            told = f"nothing in the plan tells which of {len(found)} of the name {name} this {kind} is"
            self.untold[resource.address] = told
            self.found[Doubt(resource.address, told, digest(resource.values))] = True
            return self.nobody(resource, f"which {kind} of the name {name} it is", kind)
        return Principal(self.accounts.of(resource)[1], kind, name.rsplit("/", 1)[-1])

    def namesakes(self, resource: Resource, name: str, kind: Kind) -> list[Principal]:
        """Return the principals of a name among the resources of the same provider."""
        found = (one for one in self.resources.values() if one.type == f"aws_iam_{kind}" and one.get("name") == name)
        return sorted({self.owner(one, kind) for one in found if one.provider == resource.provider})

    def tell(self, resource: Resource, argument: str, what: str) -> None:
        """Remark what follows of an argument that is known only after apply."""
        self.remarks.append(f"{resource.address}: {argument} is known only after apply: {what}")

    def document(self, resource: Resource, argument: str) -> str | Unresolved:
        """Return the policy in an argument."""
        text = text_of(resource.get(argument))
        if text is not None:
            return text
        if resource.is_unknown(argument):
            self.tell(resource, argument, said.incomplete("whoever has this policy"))
        return Unresolved(self.detail(resource, argument))

    def detail(self, resource: Resource, argument: str) -> str:
        """Return what tells an unknown argument from another: the expression of the configuration, and what is known of
        the policy documents that it refers to."""
        references = self.config.references(resource.address, argument)
        found = (DATA.match(text) for text in references)
        documents = [
            self.documents.get(f"{resource.module}{name.group()}{resource.instance}") for name in found if name
        ]
        return digest([references, resource.unknown.get(argument), documents])

    def drafted(self, resource: Resource, argument: str) -> str | None:
        """Return a policy that is known only after apply as far as its aws_iam_policy_document tells: an unknown
        resource is any, an unknown condition none. None where there is no such document, or nothing in it allows."""
        if resource.get(argument) or not resource.is_unknown(argument):
            return None
        names = (DATA.match(text) for text in self.config.references(resource.address, argument))
        found = {name[1] for name in names if name}
        if len(found) != 1:
            return None
        base = f"{resource.module}data.aws_iam_policy_document.{found.pop()}"
        value = self.documents.get(base + resource.instance) or self.documents.get(base)
        return drafted(value) if value else None

    def attach(self, owner: Principal, resource: Resource, argument: str = "policy_arn") -> None:
        """Attach the managed policy that an argument names."""
        arn = resource.get(argument)
        target = None if arn else self.referred(resource, argument, "aws_iam_policy")
        if arn:
            self.found[Attached(owner, str(arn))] = True
        elif target:
            self.found[Attached(owner, self.policy_arn(target))] = True
        else:
            self.unread(owner, resource, argument)

    def unread(self, owner: Principal, resource: Resource, argument: str) -> None:
        """Mark a principal of which an argument is known only after apply."""
        self.tell(resource, argument, said.incomplete(f"{owner.kind} {owner.name}"))
        self.found[Unread(owner, f"{resource.address}: {argument}", self.detail(resource, argument))] = True
