"""Reads CloudFormation templates: what their IAM resources come to with given parameters and the others' defaults.

Source: CloudFormation, template anatomy, intrinsic functions, pseudo parameters; AWS::IAM resource types.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.infrastructure.documents import holds_policy, roles_in
from pipeline.infrastructure.facts import (
    Attached,
    Attributes,
    Control,
    ControlValue,
    Doubt,
    Facts,
    Infrastructure,
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
    arn_of,
    digest,
    nobody,
    text_of,
)

#: Account and region where nothing tells them.
NO_ACCOUNT = "000000000000"
REGION = "us-east-1"
PSEUDO = {
    "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "stack",
    "AWS::StackId": "stack",
}  # fmt: skip
#: Begins a dynamic reference within a text.
DYNAMIC = "{{resolve:"
SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")
PRINCIPALS: dict[str, tuple[Kind, str]] = {
    "AWS::IAM::Role": ("role", "RoleName"),
    "AWS::IAM::User": ("user", "UserName"),
    "AWS::IAM::Group": ("group", "GroupName"),
}
INLINE: dict[str, tuple[Kind, str]] = {
    "AWS::IAM::RolePolicy": ("role", "RoleName"),
    "AWS::IAM::UserPolicy": ("user", "UserName"),
    "AWS::IAM::GroupPolicy": ("group", "GroupName"),
}
LISTS: tuple[tuple[Kind, str], ...] = (("role", "Roles"), ("user", "Users"), ("group", "Groups"))
#: Resources that make principals or change who may do what, and that are not read.
UNREAD = (
    "AWS::Serverless::Function", "AWS::Serverless::StateMachine", "AWS::Serverless::Application",
    "AWS::Serverless::Connector", "AWS::SSO::", "AWS::CloudFormation::Stack", "AWS::CloudFormation::Macro",
    "AWS::RAM::",
    "AWS::Organizations::Account", "AWS::Organizations::OrganizationalUnit", "AWS::Organizations::ResourcePolicy",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct", "AWS::ControlTower::", "AWS::Lambda::Permission",
    "AWS::Lambda::LayerVersionPermission", "AWS::IAM::ServiceLinkedRole", "AWS::Serverless::GraphQLApi",
    "AWS::S3::AccessGrant", "AWS::LakeFormation::", "AWS::IdentityStore::", "AWS::RolesAnywhere::",
    "AWS::EKS::PodIdentityAssociation", "AWS::Cognito::IdentityPoolRoleAttachment", "AWS::IoT::Policy",
    "AWS::IoT::RoleAlias", "AWS::OpenSearchServerless::AccessPolicy",
)  # fmt: skip
UNREAD_ENDS = (
    "BucketPolicy", "ResourcePolicy", "QueuePolicy", "QueueInlinePolicy", "TopicPolicy", "TopicInlinePolicy",
    "RegistryPolicy", "EventBusPolicy",
    "AccessPointPolicy", "FileSystemPolicy", "AWS::KMS::ReplicaKey", "::MODULE",
)  # fmt: skip
#: Arguments that hold policies of resources whose other types are not read.
UNREAD_ARGUMENTS = ("RepositoryPolicyText", "AccessPolicies", "FileSystemPolicy", "AccessPolicy", "PolicyDocument")
#: Macros that make no resources of IAM by themselves: what they would change is not read where it stands.
HARMLESS_TRANSFORMS = ("AWS::LanguageExtensions", "AWS::Serverless-2016-10-31", "AWS::SecretsManager-2020-07-23")
#: Stand beside other members and make more of them.
MACRO, LOOP = "Fn::Transform", "Fn::ForEach::"
MACROS = "macros and loops are not run"
#: Conditions whose two outcomes are tried together.
MOST_CONDITIONS = 6


class _Unknown(NamedTuple):
    """A value that only the deployment knows."""

    why: str


class _Absent:
    """What ``AWS::NoValue`` stands for."""


ABSENT = _Absent()


def recognises(names: Iterable[str]) -> bool:
    """Whether an object with these members is a template."""
    held = {*names}
    return (
        "AWSTemplateFormatVersion" in held
        or {"Resources", "Transform"} <= held
        or ("Resources" in held and held <= SECTIONS)
    )


SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
    "Transform", "Resources", "Outputs", "Hooks", "Globals",
}  # fmt: skip


def read_template(
    template: Json, account: str | None = None, parameters: Mapping[str, str] | None = None
) -> Infrastructure:
    """Return the facts of a template, as those after a change; there are none before. ``account`` counts where
    resources name none, ``parameters`` where they are given, and else their defaults.

    Where a parameter's default, or the deployment, decides a condition, it is a doubt what the other outcome makes.
    """
    reading = _Reading(template, account, parameters or {})
    facts = reading.facts()
    facts |= dict.fromkeys(_other_branches(template, account, parameters or {}, reading, facts), True)
    return Infrastructure({}, facts, tuple(dict.fromkeys(reading.remarks)), unnamed=frozenset(reading.unnamed))


def _other_branches(
    template: Json, account: str | None, parameters: Mapping[str, str], reading: "_Reading", facts: Facts
) -> Iterator[Doubt]:
    """Yield a doubt where other outcomes of conditions, that the deployment may have, make other facts."""
    open_ones = sorted(name for name in reading.conditions if reading.decided_by(name))
    if len(open_ones) > MOST_CONDITIONS:
        told = f"more than {MOST_CONDITIONS} conditions are decided at deployment: not all outcomes were tried"
        yield Doubt("Conditions", told, digest([template.get("Resources"), template.get("Conditions")]))
        return
    others, mattering = [], set()
    for outcome in itertools.product((False, True), repeat=len(open_ones)):
        forced = dict(zip(open_ones, outcome, strict=True))
        found = _Reading(template, account, parameters, forced).facts()
        differing = {*found.items()} ^ {*facts.items()}
        if differing:
            others.append(sorted(map(repr, differing)))
            mattering |= {name for name in open_ones if forced[name] is not reading.condition(name)}
    if others:
        names = sorted(mattering)
        deciding = sorted({one for name in names for one in reading.decided_by(name)})
        told = "what they make where they come out otherwise is not compared"
        given = "; ".join(f"--parameter {name}=VALUE" for name in deciding if name not in names)
        remedy = f"; tell how with {given}" if given else ""
        yield Doubt(", ".join(names), f"conditions decided at deployment: {told}{remedy}", digest(others))


class _Reading:
    def __init__(
        self,
        template: Json,
        account: str | None,
        given: Mapping[str, str] | None = None,
        forced: Mapping[str, bool] | None = None,
    ) -> None:
        self.account = account or NO_ACCOUNT
        self.is_guessed = account is None
        self.given, self.forced = given or {}, forced or {}
        self.parameters = _dict(template.get("Parameters"))
        self.mappings = _dict(template.get("Mappings"))
        self.conditions = _dict(template.get("Conditions"))
        self.written = _dict(template.get("Resources"))
        self.resources = {name: _dict(value) for name, value in self.written.items()}
        self.remarks: list[str] = []
        self.found: Facts = {}
        self.unnamed: set[Principal] = set()
        self._waiting: set[str] = set()
        self._asked: list[set[str]] = []
        self._sections = {
            name: template.get(name) for name in ("Globals", "Transform", "Conditions", "Mappings", "Parameters")
        }
        self._sections["template"] = {name: template[name] for name in filter(_is_macro, template)}

    def facts(self) -> Facts:
        for name, resource in self.resources.items():
            kind = str(resource.get("Type"))
            if (
                _is_macro(name)
                or _has_macro(resource, resource.get("Properties"))
                or (kind in READERS and _holds_macro(resource))
            ):
                self.doubt(name, f"{MACROS}; what it makes is not seen", self.written[name])
            if not self.is_made(resource):
                continue
            read = READERS.get(kind)
            if read:
                read(self, name, _dict(resource.get("Properties")))
            elif _is_unread(kind, _dict(resource.get("Properties"))):
                told = f"resources of type {kind} are not read; who may do what through it is not seen"
                self.doubt(name, told, [resource, self.value(resource.get("Properties")), self._sections["Globals"]])
            if kind not in READERS or kind in RESOURCE_POLICIES:
                self.doubt_policies(name, kind, _dict(resource.get("Properties")))
                self.set_apart(name, kind, _dict(resource.get("Properties")))
            if resource.get("Connectors"):
                told = "Connectors of SAM make policies, which are not read"
                self.doubt(f"{name}.Connectors", told, resource["Connectors"])
        if holds_policy(self.value(self._sections["Globals"]), _is_unknown):
            self.doubt("Globals", "a policy of resources there is not read", self._sections["Globals"])
        for macro in _macros(self._sections["Transform"]):
            self.doubt(f"Transform {macro}", "macros are not run; what it makes is not seen", self.written)
        for section, held in self._sections.items():
            for name in filter(_is_macro, _dict(held)):
                self.doubt(f"{section}.{name}", f"{MACROS}; what it says is not known", _dict(held)[name])
        if self.is_guessed and self.found:
            self.remarks.append(
                f"nothing in a template tells its account: {NO_ACCOUNT} stands for it; give --account ID"
            )
        return self.found

    def doubt(self, where: str, why: str, value: Any) -> None:
        self.found[Doubt(where, why, digest(value))] = True

    def doubt_policies(self, name: str, kind: str, properties: Json) -> None:
        """Doubt the arguments of a resource that hold a policy which no reader reads."""
        read = RESOURCE_POLICIES[kind][0] if kind in RESOURCE_POLICIES else None
        resolved = {argument: self.value(value) for argument, value in properties.items() if argument != read}
        held = {argument: value for argument, value in resolved.items() if holds_policy({argument: value}, _is_unknown)}
        if held and not _is_unread(kind, properties):
            told = f"{', '.join(sorted(held))} of {kind} is not read; who may do what through it is not seen"
            self.doubt(name, told, [{argument: properties[argument] for argument in held}, held])

    def set_apart(self, name: str, kind: str, properties: Json) -> None:
        """Note what of a resource lets others do something without a policy: compared with a former template."""
        roles = frozenset(roles_in(self.told(properties)))
        if roles:
            self.found[Setting(name, "it runs with another role")] = roles
        for argument, what in SETTINGS.get(kind, {}).items():
            held = self.told(properties.get(argument))
            self.found[Setting(name, what)] = frozenset(map(str, held if isinstance(held, list) else [held]))
        if kind == "AWS::S3::Bucket":
            flags = _dict(self.value(properties.get("PublicAccessBlockConfiguration")))
            off = {flag for flag in PUBLIC_ACCESS if str(flags.get(flag)).lower() != "true"}
            self.found[Setting(name, "public access is not blocked")] = frozenset(off)

    def told(self, value: Any) -> Any:
        """Return a value with its functions resolved; what cannot be is a text that tells it from another."""
        found = self.value(value)
        if isinstance(found, _Unknown):
            return f"{found.why} ({digest(value)})"
        if isinstance(value, dict) and isinstance(found, dict) and value.keys() == found.keys():
            return {name: self.told(one) for name, one in value.items()}
        if isinstance(value, list) and isinstance(found, list):
            return [self.told(one) for one in value]
        return found

    def is_made(self, resource: Json) -> bool:
        name = resource.get("Condition")
        held = self.condition(name) if isinstance(name, str) else True
        return held is not False

    # Functions.

    def value(self, value: Any) -> Any:
        """Return a value with its functions resolved; what cannot be is _Unknown, within texts and lists too."""
        if isinstance(value, list):
            listed = [self.value(one) for one in value]
            return [one for one in listed if one is not ABSENT]
        if not isinstance(value, dict):
            return _told(value)
        if len(value) == 1:
            ((name, argument),) = value.items()
            resolve = FUNCTIONS.get(name)
            if resolve:
                return _told(resolve(self, argument))
            if name.startswith("Fn::"):
                return _Unknown(f"{name} is not computed")
        if _has_macro(value):
            return _Unknown(MACROS)
        members = {name: self.value(one) for name, one in value.items()}
        return {name: one for name, one in members.items() if one is not ABSENT}

    def ref(self, argument: Any) -> Any:
        name = str(argument)
        if name == "AWS::NoValue":
            return ABSENT
        if name == "AWS::AccountId" or name in PSEUDO:
            return self.pseudo(name)
        if name in self.parameters:
            return self.parameter(name)
        resource = self.resources.get(name)
        if resource is None:
            return _Unknown(f"{name} is neither a parameter nor a resource")
        if resource.get("Type") == "AWS::IAM::ManagedPolicy":
            return self.policy_arn(name)
        return self.physical_name(name, resource)

    def pseudo(self, name: str) -> str:
        if name == "AWS::AccountId":
            return self.account
        self.ask(name)
        return self.given.get(name, PSEUDO[name])

    def ask(self, name: str) -> None:
        """Note that conditions which are being decided depend on a parameter."""
        for asked in self._asked:
            asked.add(name)

    def parameter(self, name: str) -> Any:
        self.ask(name)
        parameter = _dict(self.parameters[name])
        kind, default = str(parameter.get("Type", "String")), parameter.get("Default")
        if name in self.given:
            kind, default = kind.removeprefix("AWS::SSM::Parameter::").removeprefix("Value<"), self.given[name]
        if default is None or kind.startswith("AWS::SSM::"):
            return _Unknown(f"parameter {name} has no default" if default is None else f"parameter {name} is in SSM")
        is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
        return [part.strip() for part in str(default).split(",")] if is_list else _plain(default)

    def physical_name(self, name: str, resource: Json) -> Any:
        """Return what a resource is called: as it says, else its logical id stands for what AWS makes of it."""
        properties = _dict(resource.get("Properties"))
        own = PRINCIPALS.get(str(resource.get("Type")))
        written = own and own[1]
        for argument in (written,) if written else NAMES:
            if argument in properties and name not in self._waiting:
                self._waiting.add(name)
                found = self.value(properties[argument])
                self._waiting.discard(name)
                if isinstance(found, str):
                    return found
        return name

    def get_att(self, argument: Any) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else [str(one) for one in _list(argument)]
        name, attribute = (parts[0], parts[1]) if len(parts) == 2 else (str(argument), "")
        resource = self.resources.get(name)
        kind = str(resource.get("Type")) if resource else ""
        if resource and attribute == "Arn" and kind in PRINCIPALS:
            return self.attributes(name, _dict(resource.get("Properties")), PRINCIPALS[kind][0])[1]
        if resource and attribute in ("Arn", "PolicyArn") and kind == "AWS::IAM::ManagedPolicy":
            return self.policy_arn(name)
        return _Unknown(f"{name}.{attribute} is known only after deployment")

    def join(self, argument: Any) -> Any:
        separator, listed = (*_list(argument), None, None)[:2]
        parts = self.value(listed)
        if not isinstance(parts, list):
            return parts if isinstance(parts, _Unknown) else _Unknown("Fn::Join without a list")
        others = [one for one in parts if not isinstance(one, str | int | float | bool)]
        if others:
            return _unknown(others[0], "Fn::Join")
        return str(separator).join(map(_plain, parts))

    def sub(self, argument: Any) -> Any:
        text, own = (argument, {}) if isinstance(argument, str) else (*_list(argument), {}, {})[:2]
        unknown: list[_Unknown] = []

        def filled(match: re.Match[str]) -> str:
            name = match[2].strip()
            if match[1]:
                return f"${{{name}}}"
            if name in _dict(own):
                found = self.value(_dict(own)[name])
            else:
                found = self.get_att(name) if "." in name and name not in self.parameters else self.ref(name)
            if isinstance(found, str | int | float | bool):
                return str(_plain(found))
            unknown.append(found if isinstance(found, _Unknown) else _Unknown(f"{name} is no text"))
            return ""

        result = SUBSTITUTION.sub(filled, str(text))
        return unknown[0] if unknown else result

    def chosen(self, argument: Any) -> Any:
        name, when_true, when_false = (*_list(argument), None, None, None)[:3]
        held = self.condition(str(name))
        if held is None:
            return _Unknown(f"condition {name} is known only at deployment")
        return self.value(when_true if held else when_false)

    def selected(self, argument: Any) -> Any:
        index, listed = (*_list(argument), None, None)[:2]
        parts, place = self.value(listed), self.value(index)
        try:
            return parts if isinstance(parts, _Unknown) else parts[int(place)]
        except (TypeError, ValueError, IndexError, KeyError):
            return _Unknown("Fn::Select outside of its list")

    def split(self, argument: Any) -> Any:
        separator, text = (*_list(argument), None, None)[:2]
        found = self.value(text)
        return found.split(str(separator)) if isinstance(found, str) and separator else _unknown(found, "Fn::Split")

    def in_map(self, argument: Any) -> Any:
        names = [self.value(one) for one in _list(argument)[:3]]
        found: Any = self.mappings
        for name in names:
            found = found.get(name) if isinstance(found, dict) and isinstance(name, str) else None
        return _Unknown("Fn::FindInMap of what no mapping has") if found is None else found

    def json_text(self, argument: Any) -> Any:
        found = self.value(argument)
        return _first_unknown(found) or (_Unknown("Fn::ToJsonString of nothing") if found is ABSENT else text_of(found))

    def condition(self, name: str) -> bool | None:
        """Return whether a condition holds; None where only the deployment knows."""
        if name in self.forced:
            return self.forced[name]
        if name in self._waiting or name not in self.conditions:
            return None
        self._waiting.add(name)
        found = self.truth(self.conditions[name])
        self._waiting.discard(name)
        return found

    def decided_by(self, name: str) -> frozenset[str]:
        """Return what decides a condition and may be otherwise at deployment: parameters that are not given. The
        condition itself stands for anything else that only the deployment knows."""
        asked: set[str] = set()
        self._asked.append(asked)
        found = self.condition(name)
        self._asked.pop()
        names = asked - self.given.keys()
        return frozenset(names or ({name} if found is None else ()))

    def truth(self, value: Any) -> bool | None:
        if not isinstance(value, dict) or len(value) != 1:
            return None
        ((name, argument),) = value.items()
        if name == "Condition":
            return self.condition(str(argument))
        if name == "Fn::Equals":
            one, other = (*(self.value(part) for part in _list(argument)), None, None)[:2]
            return None if isinstance(one, _Unknown) or isinstance(other, _Unknown) else _plain(one) == _plain(other)
        parts = [self.truth(part) for part in _list(argument)]
        if name == "Fn::Not" and parts:
            return None if parts[0] is None else not parts[0]
        if name in ("Fn::And", "Fn::Or"):
            absorbing = name == "Fn::Or"
            return absorbing if absorbing in parts else None if None in parts else not absorbing
        return None

    # Resources.

    def attributes(self, name: str, properties: Json, kind: Kind) -> tuple[Principal, str, str]:
        """Return a principal, its ARN and its path."""
        called = self.physical_name(name, self.resources[name])
        path = self.value(properties.get("Path", "/"))
        path = path if isinstance(path, str) else "/"
        owner = Principal(self.account, kind, str(called))
        return owner, arn_of(owner, path), path

    def policy_arn(self, name: str) -> str:
        properties = _dict(self.resources[name].get("Properties"))
        called, path = self.value(properties.get("ManagedPolicyName", name)), self.value(properties.get("Path", "/"))
        called, path = called if isinstance(called, str) else name, path if isinstance(path, str) else "/"
        return f"arn:aws:iam::{self.account}:policy{path}{called}"

    def document(self, where: str, value: Any) -> str | Unresolved:
        found = self.value(value)
        found = None if found is ABSENT else found
        unknown = _first_unknown(found)
        if unknown is not None:
            self.remarks.append(f"{where}: {unknown.why}: whoever has this policy is marked incomplete")
        return (text_of(found) if unknown is None else None) or Unresolved(digest([value, found]))

    def read_principal(self, name: str, properties: Json) -> None:
        kind = PRINCIPALS[str(self.resources[name].get("Type"))][0]
        owner, arn, path = self.attributes(name, properties, kind)
        trust: str | Unresolved | None = None
        if kind == "role":
            where = f"{name}.AssumeRolePolicyDocument"
            trust = self.document(where, properties.get("AssumeRolePolicyDocument"))
            if isinstance(trust, Unresolved):
                self.found[Unread(owner, where, trust.detail)] = True
        boundary = self.value(properties.get("PermissionsBoundary"))
        if isinstance(boundary, _Unknown):
            self.tell(owner, f"{name}.PermissionsBoundary", boundary, properties["PermissionsBoundary"])
        listed = self.value(properties.get("Tags", []))
        tags = [(_dict(one).get("Key"), _dict(one).get("Value")) for one in _list(listed)]
        unknown = _first_unknown(listed)
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
        if isinstance(policies, _Unknown):
            self.tell(owner, f"{name}.Policies", policies, properties["Policies"])
        for number, policy in enumerate(_list(policies)):
            chosen = self.value(policy) if "PolicyDocument" not in _dict(policy) else policy
            if isinstance(chosen, _Unknown):
                self.tell(owner, f"{name}.Policies[{number}]", chosen, policy)
            elif isinstance(chosen, dict):
                self.inline(owner, f"{name}.Policies[{number}]", chosen)
        for arn_value in self.several(owner, f"{name}.ManagedPolicyArns", properties.get("ManagedPolicyArns")):
            self.found[Attached(owner, arn_value)] = True
        if kind == "user":
            for group in self.several(owner, f"{name}.Groups", properties.get("Groups")):
                self.found[Member(owner, group)] = True

    def inline(self, owner: Principal, where: str, policy: Json) -> None:
        called = self.value(policy.get("PolicyName"))
        document = self.document(where, policy.get("PolicyDocument"))
        self.found[Inline(owner, called if isinstance(called, str) else where)] = document

    def several(self, owner: Principal, where: str, value: Any) -> Iterator[str]:
        """Yield the texts of a list; the owner is incomplete where one is not known."""
        found = self.value(value)
        for one in [found] if isinstance(found, _Unknown) else _list(found):
            if isinstance(one, str):
                yield one
            elif isinstance(one, _Unknown):
                self.tell(owner, where, one, value)

    def tell(self, owner: Principal, where: str, unknown: _Unknown, value: Any) -> None:
        """Mark a principal of which a value is not known."""
        self.remarks.append(f"{where}: {unknown.why}: {owner.kind} {owner.name} is marked incomplete")
        self.found[Unread(owner, where, digest(value))] = True

    def nobody(self, where: str, kind: Kind, value: Any) -> Principal:
        """Return a principal that stands for one that is known only after deployment."""
        owner, attributes = nobody(self.account, kind, where)
        self.remarks.append(f"{where}: known only after deployment: {attributes.arn} stands for this {kind}")
        self.found[owner] = attributes
        self.found[Unread(owner, where, digest(value))] = True
        return owner

    def members(self, where: str, kind: Kind, value: Any) -> Iterator[Principal]:
        """Yield the principals that a list names; what is not known stands for one."""
        found = self.value(value)
        for one in [found] if isinstance(found, _Unknown | str) else _list(found):
            yield Principal(self.account, kind, one) if isinstance(one, str) else self.nobody(where, kind, value)

    def owners(self, name: str, properties: Json) -> Iterator[Principal]:
        for kind, argument in LISTS:
            yield from self.members(f"{name}.{argument}", kind, properties.get(argument))

    def read_policy(self, name: str, properties: Json) -> None:
        for owner in self.owners(name, properties):
            self.inline(owner, name, properties)

    def read_managed(self, name: str, properties: Json) -> None:
        arn = self.policy_arn(name)
        self.found[ManagedPolicy(arn)] = self.document(name, properties.get("PolicyDocument"))
        for owner in self.owners(name, properties):
            self.found[Attached(owner, arn)] = True

    def read_inline(self, name: str, properties: Json) -> None:
        kind, argument = INLINE[str(self.resources[name].get("Type"))]
        for owner in self.members(f"{name}.{argument}", kind, [properties.get(argument)]):
            self.inline(owner, name, properties)

    def read_members(self, name: str, properties: Json) -> None:
        group = self.value(properties.get("GroupName"))
        for user in self.members(f"{name}.Users", "user", properties.get("Users")):
            if isinstance(group, str):
                self.found[Member(user, group)] = True
            else:
                self.tell(user, f"{name}.GroupName", _unknown(group, "GroupName"), properties.get("GroupName"))

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
        policy_type = str(properties.get("Type"))
        if policy_type in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
            content = self.document(f"{name}.Content", properties.get("Content"))
            called = self.value(properties.get("Name"))
            self.found[Control(name)] = ControlValue(str(called or name), policy_type, content)
            targets = self.value(properties.get("TargetIds"))
            for target in [targets] if isinstance(targets, _Unknown) else _list(targets):
                if isinstance(target, str | int):
                    self.found[Target(name, str(target))] = True
                else:
                    told = "a target is known only after deployment: this attachment is not seen"
                    self.doubt(f"{name}.TargetIds", told, properties["TargetIds"])


#: Arguments that let others do something without a policy, by type, and what one more of them is.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "AWS::IAM::OIDCProvider": {
        "ClientIdList": "an identity provider takes tokens for another audience",
        "ThumbprintList": "an identity provider is trusted with another certificate",
    },
    "AWS::IAM::SAMLProvider": {"SamlMetadataDocument": "an identity provider has other metadata"},
    "AWS::S3::Bucket": {"AccessControl": "another ACL of a bucket"},
    "AWS::Lambda::Url": {"AuthType": "a function is called with other credentials"},
}
PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
#: Properties that give resources of other types their names.
NAMES = (
    "BucketName", "QueueName", "TopicName", "TableName", "FunctionName", "ClusterName", "RepositoryName", "Name",
    "NotebookInstanceName", "ModelName", "EndpointName", "DomainName", "ManagedPolicyName", "PolicyName",
    "LogGroupName",
)  # fmt: skip
FUNCTIONS: Mapping[str, Callable[[_Reading, Any], Any]] = {
    "Ref": _Reading.ref,
    "Fn::GetAtt": _Reading.get_att,
    "Fn::Join": _Reading.join,
    "Fn::Sub": _Reading.sub,
    "Fn::If": _Reading.chosen,
    "Fn::Select": _Reading.selected,
    "Fn::Split": _Reading.split,
    "Fn::FindInMap": _Reading.in_map,
    "Fn::ImportValue": lambda _, name: _Unknown("a value of another stack is imported"),
    "Fn::GetAZs": lambda _, name: _Unknown("availability zones are known only at deployment"),
    "Fn::ToJsonString": lambda reading, value: reading.json_text(value),
    "Fn::Transform": lambda _, name: _Unknown("macros are not run"),
    "Fn::Cidr": lambda _, name: _Unknown("Fn::Cidr is not computed"),
    "Fn::Base64": lambda _, name: _Unknown("Fn::Base64 is not computed"),
}
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
READERS: Mapping[str, Callable[[_Reading, str, Json], None]] = {
    **dict.fromkeys(PRINCIPALS, _Reading.read_principal),
    **dict.fromkeys(INLINE, _Reading.read_inline),
    **dict.fromkeys(RESOURCE_POLICIES, _Reading.read_resource_policy),
    "AWS::IAM::Policy": _Reading.read_policy,
    "AWS::IAM::ManagedPolicy": _Reading.read_managed,
    "AWS::IAM::UserToGroupAddition": _Reading.read_members,
    "AWS::Organizations::Policy": _Reading.read_control,
}


def _is_unread(kind: str, properties: Json) -> bool:
    """Whether a resource that is not read may change who may do what."""
    return kind.startswith(UNREAD) or kind.endswith(UNREAD_ENDS) or any(name in properties for name in UNREAD_ARGUMENTS)


def _is_macro(name: str) -> bool:
    return name == MACRO or name.startswith(LOOP)


def _has_macro(*values: Any) -> bool:
    """Whether a macro or loop is a member of one of these objects itself."""
    return any(map(_is_macro, itertools.chain.from_iterable(map(_dict, values))))


def _holds_macro(value: Any) -> bool:
    """Whether a macro or loop stands anywhere in a value, beside other members."""
    if isinstance(value, dict):
        return (len(value) > 1 and _has_macro(value)) or any(map(_holds_macro, value.values()))
    return isinstance(value, list) and any(map(_holds_macro, value))


def _macros(transform: Any) -> Iterator[str]:
    """Yield the macros of a template that may make anything."""
    for one in transform if isinstance(transform, list) else [transform] if transform else []:
        name = str(_dict(one).get("Name") or one)
        if name not in HARMLESS_TRANSFORMS:
            yield name


def _first_unknown(value: Any) -> _Unknown | None:
    if isinstance(value, _Unknown):
        return value
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for one in held if (found := _first_unknown(one)) is not None), None)


def _is_unknown(value: Any) -> bool:
    return isinstance(value, _Unknown)


def _unknown(found: Any, where: str) -> _Unknown:
    return found if isinstance(found, _Unknown) else _Unknown(f"{where} of what is no text")


def _told(value: Any) -> Any:
    """Return a value with what a dynamic reference stands for unknown: only the deployment resolves it."""
    if isinstance(value, list):
        return [_told(one) for one in value]
    if isinstance(value, str) and DYNAMIC in value:
        return _Unknown("a dynamic reference is resolved at deployment")
    return value


def _plain(value: Any) -> Any:
    """Return a value of a template as the text that CloudFormation takes it for."""
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
