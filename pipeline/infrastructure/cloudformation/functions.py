"""What the values of a template come to: intrinsic functions, parameters, conditions.

Source: CloudFormation, intrinsic functions, pseudo parameters.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.infrastructure.cloudformation.macros import MACROS, has_macro, is_macro
from pipeline.infrastructure.facts import (
    NO_ACCOUNT,
    REGION,
    Facts,
    Json,
    Kind,
    Principal,
    arn_of,
    as_list,
    as_object,
    digest,
    text_of,
)

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


class Unknown(NamedTuple):
    """A value that only the deployment knows."""

    why: str


class _Absent:
    """What ``AWS::NoValue`` stands for."""


ABSENT = _Absent()
#: Properties that give resources of other types their names.
NAMES = (
    "BucketName", "QueueName", "TopicName", "TableName", "FunctionName", "ClusterName", "RepositoryName", "Name",
    "NotebookInstanceName", "ModelName", "EndpointName", "DomainName", "ManagedPolicyName", "PolicyName",
    "LogGroupName",
)  # fmt: skip


class Template:
    """A template whose values are asked for. ``given`` are parameters, ``forced`` outcomes of conditions.

    ``found`` are the facts so far, ``remarks`` what is said of the template.
    """

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
        self.parameters = as_object(template.get("Parameters"))
        self.mappings = as_object(template.get("Mappings"))
        self.conditions = as_object(template.get("Conditions"))
        self.written = as_object(template.get("Resources"))
        self.resources = {name: as_object(value) for name, value in self.written.items()}
        self.remarks: list[str] = []
        self.found: Facts = {}
        self.unnamed: set[Principal] = set()
        self._waiting: set[str] = set()
        self._asked: list[set[str]] = []
        self._sections = {
            name: template.get(name) for name in ("Globals", "Transform", "Conditions", "Mappings", "Parameters")
        }
        self._sections["template"] = {name: template[name] for name in filter(is_macro, template)}

    def told(self, value: Any) -> Any:
        """Return a value with its functions resolved; what cannot be is a text that tells it from another."""
        found = self.value(value)
        if isinstance(found, Unknown):
            return f"{found.why} ({digest(value)})"
        if isinstance(value, dict) and isinstance(found, dict) and value.keys() == found.keys():
            return {name: self.told(one) for name, one in value.items()}
        if isinstance(value, list) and isinstance(found, list):
            return [self.told(one) for one in value]
        return found

    def value(self, value: Any) -> Any:
        """Return a value with its functions resolved; what cannot be is Unknown, within texts and lists too."""
        if isinstance(value, list):
            listed = [self.value(one) for one in value]
            return [one for one in listed if one is not ABSENT]
        if not isinstance(value, dict):
            return deployed(value)
        if len(value) == 1:
            ((name, argument),) = value.items()
            resolve = FUNCTIONS.get(name)
            if resolve:
                return deployed(resolve(self, argument))
            if name.startswith("Fn::"):
                return Unknown(f"{name} is not computed")
        if has_macro(value):
            return Unknown(MACROS)
        members = {name: self.value(one) for name, one in value.items()}
        return {name: one for name, one in members.items() if one is not ABSENT}

    def ref(self, argument: Any) -> Any:
        """Return what Ref comes to."""
        name = str(argument)
        if name == "AWS::NoValue":
            return ABSENT
        if name == "AWS::AccountId" or name in PSEUDO:
            return self.pseudo(name)
        if name in self.parameters:
            return self.parameter(name)
        resource = self.resources.get(name)
        if resource is None:
            return Unknown(f"{name} is neither a parameter nor a resource")
        if resource.get("Type") == "AWS::IAM::ManagedPolicy":
            return self.policy_arn(name)
        return self.physical_name(name, resource)

    def pseudo(self, name: str) -> str:
        """Return a pseudo parameter."""
        if name == "AWS::AccountId":
            return self.account
        self.ask(name)
        return self.given.get(name, PSEUDO[name])

    def ask(self, name: str) -> None:
        """Note that conditions which are being decided depend on a parameter."""
        for asked in self._asked:
            asked.add(name)

    def parameter(self, name: str) -> Any:
        """Return the value of a parameter."""
        self.ask(name)
        parameter = as_object(self.parameters[name])
        kind, default = str(parameter.get("Type", "String")), parameter.get("Default")
        if name in self.given:
            kind, default = kind.removeprefix("AWS::SSM::Parameter::").removeprefix("Value<"), self.given[name]
        if default is None or kind.startswith("AWS::SSM::"):
            return Unknown(f"parameter {name} has no default" if default is None else f"parameter {name} is in SSM")
        is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
        return [part.strip() for part in str(default).split(",")] if is_list else plain(default)

    def physical_name(self, name: str, resource: Json) -> Any:
        """Return what a resource is called: as it says, else its logical id stands for what AWS makes of it."""
        properties = as_object(resource.get("Properties"))
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
        """Return what Fn::GetAtt comes to."""
        parts = argument.split(".", 1) if isinstance(argument, str) else [str(one) for one in as_list(argument)]
        name, attribute = (parts[0], parts[1]) if len(parts) == 2 else (str(argument), "")
        resource = self.resources.get(name)
        kind = str(resource.get("Type")) if resource else ""
        if resource and attribute == "Arn" and kind in PRINCIPALS:
            return self.attributes(name, as_object(resource.get("Properties")), PRINCIPALS[kind][0])[1]
        if resource and attribute in ("Arn", "PolicyArn") and kind == "AWS::IAM::ManagedPolicy":
            return self.policy_arn(name)
        return Unknown(f"{name}.{attribute} is known only after deployment")

    def join(self, argument: Any) -> Any:
        """Return what Fn::Join comes to."""
        separator, listed = (*as_list(argument), None, None)[:2]
        parts = self.value(listed)
        if not isinstance(parts, list):
            return parts if isinstance(parts, Unknown) else Unknown("Fn::Join without a list")
        others = [one for one in parts if not isinstance(one, str | int | float | bool)]
        if others:
            return unknown(others[0], "Fn::Join")
        return str(separator).join(map(plain, parts))

    def sub(self, argument: Any) -> Any:
        """Return what Fn::Sub comes to."""
        text, own = (argument, {}) if isinstance(argument, str) else (*as_list(argument), {}, {})[:2]
        unknown: list[Unknown] = []

        def filled(match: re.Match[str]) -> str:
            name = match[2].strip()
            if match[1]:
                return f"${{{name}}}"
            if name in as_object(own):
                found = self.value(as_object(own)[name])
            else:
                found = self.get_att(name) if "." in name and name not in self.parameters else self.ref(name)
            if isinstance(found, str | int | float | bool):
                return str(plain(found))
            unknown.append(found if isinstance(found, Unknown) else Unknown(f"{name} is no text"))
            return ""

        result = SUBSTITUTION.sub(filled, str(text))
        return unknown[0] if unknown else result

    def chosen(self, argument: Any) -> Any:
        """Return what Fn::If comes to."""
        name, when_true, when_false = (*as_list(argument), None, None, None)[:3]
        held = self.condition(str(name))
        if held is None:
            return Unknown(f"condition {name} is known only at deployment")
        return self.value(when_true if held else when_false)

    def selected(self, argument: Any) -> Any:
        """Return what Fn::Select comes to."""
        index, listed = (*as_list(argument), None, None)[:2]
        parts, place = self.value(listed), self.value(index)
        try:
            return parts if isinstance(parts, Unknown) else parts[int(place)]
        except (TypeError, ValueError, IndexError, KeyError):
            return Unknown("Fn::Select outside of its list")

    def split(self, argument: Any) -> Any:
        """Return what Fn::Split comes to."""
        separator, text = (*as_list(argument), None, None)[:2]
        found = self.value(text)
        return found.split(str(separator)) if isinstance(found, str) and separator else unknown(found, "Fn::Split")

    def in_map(self, argument: Any) -> Any:
        """Return what Fn::FindInMap comes to."""
        names = [self.value(one) for one in as_list(argument)[:3]]
        found: Any = self.mappings
        for name in names:
            found = found.get(name) if isinstance(found, dict) and isinstance(name, str) else None
        return Unknown("Fn::FindInMap of what no mapping has") if found is None else found

    def json_text(self, argument: Any) -> Any:
        """Return what Fn::ToJsonString comes to."""
        found = self.value(argument)
        return first_unknown(found) or (Unknown("Fn::ToJsonString of nothing") if found is ABSENT else text_of(found))

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
        """Return whether an expression of conditions holds, None where that is not known."""
        if not isinstance(value, dict) or len(value) != 1:
            return None
        ((name, argument),) = value.items()
        if name == "Condition":
            return self.condition(str(argument))
        if name == "Fn::Equals":
            one, other = (*(self.value(part) for part in as_list(argument)), None, None)[:2]
            return None if isinstance(one, Unknown) or isinstance(other, Unknown) else plain(one) == plain(other)
        parts = [self.truth(part) for part in as_list(argument)]
        if name == "Fn::Not" and parts:
            return None if parts[0] is None else not parts[0]
        if name in ("Fn::And", "Fn::Or"):
            absorbing = name == "Fn::Or"
            return absorbing if absorbing in parts else None if None in parts else not absorbing
        return None

    def attributes(self, name: str, properties: Json, kind: Kind) -> tuple[Principal, str, str]:
        """Return a principal, its ARN and its path."""
        called = self.physical_name(name, self.resources[name])
        path = self.value(properties.get("Path", "/"))
        path = path if isinstance(path, str) else "/"
        owner = Principal(self.account, kind, str(called))
        return owner, arn_of(owner, path), path

    def policy_arn(self, name: str) -> str:
        """Return the ARN of a managed policy of the template."""
        properties = as_object(self.resources[name].get("Properties"))
        called, path = self.value(properties.get("ManagedPolicyName", name)), self.value(properties.get("Path", "/"))
        called, path = called if isinstance(called, str) else name, path if isinstance(path, str) else "/"
        return f"arn:aws:iam::{self.account}:policy{path}{called}"


FUNCTIONS: Mapping[str, Callable[[Template, Any], Any]] = {
    "Ref": Template.ref,
    "Fn::GetAtt": Template.get_att,
    "Fn::Join": Template.join,
    "Fn::Sub": Template.sub,
    "Fn::If": Template.chosen,
    "Fn::Select": Template.selected,
    "Fn::Split": Template.split,
    "Fn::FindInMap": Template.in_map,
    "Fn::ImportValue": lambda _, name: Unknown("a value of another stack is imported"),
    "Fn::GetAZs": lambda _, name: Unknown("availability zones are known only at deployment"),
    "Fn::ToJsonString": lambda reading, value: reading.json_text(value),
    "Fn::Transform": lambda _, name: Unknown("macros are not run"),
    "Fn::Cidr": lambda _, name: Unknown("Fn::Cidr is not computed"),
    "Fn::Base64": lambda _, name: Unknown("Fn::Base64 is not computed"),
}


def first_unknown(value: Any) -> Unknown | None:
    """Return the first of what is unknown within a value."""
    if isinstance(value, Unknown):
        return value
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for one in held if (found := first_unknown(one)) is not None), None)


def is_unknown(value: Any) -> bool:
    """Whether a value is known only to the deployment."""
    return isinstance(value, Unknown)


def unknown(found: Any, where: str) -> Unknown:
    """Return what is unknown as it is; of any other value, which is none that fits, that it is."""
    return found if isinstance(found, Unknown) else Unknown(f"{where} of what is no text")


def deployed(value: Any) -> Any:
    """Return a value with what a dynamic reference stands for unknown: only the deployment resolves it."""
    if isinstance(value, list):
        return [deployed(one) for one in value]
    if isinstance(value, str) and DYNAMIC in value:
        return Unknown("a dynamic reference is resolved at deployment")
    return value


def plain(value: Any) -> Any:
    """Return a value of a template as the text that CloudFormation takes it for."""
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value
