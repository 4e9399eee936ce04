"""Parses decoded policy documents: the grammar of IAM policies, with what is wrong and what to do.

A policy with an error is left out whole: AWS would have refused it, and a policy without one of its Denies would
overstate access. Source: Grammar of the IAM JSON policy language, and the pages of its elements.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from pipeline.errors import Problem
from pipeline.iam import grammar
from pipeline.iam.model import (
    NEW_LANGUAGE,
    OLD_LANGUAGE,
    Condition,
    Effect,
    Policy,
    PrincipalEntry,
    SetQualifier,
    Statement,
)
from pipeline.iam.written import number_text, type_of

PolicyKind = Literal["identity", "boundary", "scp", "rcp", "resource", "trust", "session", "endpoint"]

#: Condition operators without set qualifier and IfExists, by family.
OPERATORS: dict[str, tuple[str, ...]] = {
    "String": (
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
        "StringLike", "StringNotLike",
    ),
    "Numeric": (
        "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
        "NumericGreaterThanEquals",
    ),
    "Date": (
        "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
    ),
    "Bool": ("Bool",),
    "Binary": ("BinaryEquals",),
    "IpAddress": ("IpAddress", "NotIpAddress"),
    "Arn": ("ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"),
    "Null": ("Null",),
}  # fmt: skip

_BY_LOWER = {name.lower(): name for names in OPERATORS.values() for name in names}
_QUALIFIERS: dict[str, SetQualifier] = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}
#: Code of a condition value that its operator cannot read. What AWS makes of it its pages do not say.
UNREADABLE_VALUE = "condition-value-type"
#: How the values of a family are read, what they are, and what to write.
READ: dict[str, tuple[Callable[[str], object], str, str]] = {
    "Numeric": (grammar.number, "number", "a number such as 3600"),
    "Date": (grammar.instant, "date", "a date such as 2026-11-25T00:00:00Z, or seconds since 1970"),
    "Bool": (grammar.boolean, "truth value", "true or false"),
    "Null": (grammar.boolean, "truth value", "true, the key is absent, or false"),
    "Binary": (grammar.octets, "base64", "base64"),
    "IpAddress": (grammar.network, "address or network", "an address or a network such as 203.0.113.0/24"),
}
POLICY_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip
PRINCIPAL_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")
WITH_PRINCIPAL: tuple[PolicyKind, ...] = ("resource", "trust", "rcp", "endpoint")
_SID = re.compile(r"[A-Za-z0-9]*")


class _WrongError(Exception):
    """An error in the document: stops the parse."""

    def __init__(self, pointer: str, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.problem = Problem(pointer, "error", code, message, remedy)


def parse_policy(document: object, kind: PolicyKind) -> tuple[Policy | None, tuple[Problem, ...]]:
    """Return the policy of a decoded document, and what is wrong with it.

    The policy is None if and only if a problem is an error. ``kind`` decides which elements belong. Never raises.
    """
    warnings: list[Problem] = []
    try:
        return _policy(document, kind, warnings), tuple(warnings)
    except _WrongError as wrong:
        return None, (*warnings, wrong.problem)


def _policy(document: object, kind: PolicyKind, warnings: list[Problem]) -> Policy:
    if not isinstance(document, dict):
        raise _WrongError(
            "",
            "policy-type",
            f"a policy is an object, not {type_of(document)}",
            "give a JSON object with Version and Statement",
        )
    _check_elements(document, POLICY_ELEMENTS, "")
    version = document.get("Version", OLD_LANGUAGE)
    if version not in (OLD_LANGUAGE, NEW_LANGUAGE):
        raise _WrongError("/Version", "version", f"Version is {_short(version)}", f"write {NEW_LANGUAGE}")
    if "Statement" not in document:
        raise _WrongError(
            "", "missing-statement", "the policy has no Statement", "add a Statement, or leave the policy out"
        )
    content = document["Statement"]
    listed = content if isinstance(content, list) else [content]
    if not listed:
        raise _WrongError(
            "/Statement", "missing-statement", "Statement is an empty list", "add a statement, or leave the policy out"
        )
    statements = tuple(
        _statement(value, index, f"/Statement/{index}" if isinstance(content, list) else "/Statement", kind, warnings)
        for index, value in enumerate(listed)
    )
    _warn_of_sids(statements, kind, isinstance(content, list), warnings)
    if kind in ("scp", "rcp") and version != NEW_LANGUAGE:
        warnings.append(Problem("", "warning", "version", f"an {kind.upper()} needs Version {NEW_LANGUAGE}", "add it"))
    return Policy(str(version), statements)


def _statement(value: object, index: int, at: str, kind: PolicyKind, warnings: list[Problem]) -> Statement:
    if not isinstance(value, dict):
        remedy = "give an object with Effect, Action and Resource"
        raise _WrongError(at, "statement-type", f"a statement is an object, not {type_of(value)}", remedy)
    _check_elements(value, STATEMENT_ELEMENTS, at)
    effect = _effect(value, at)
    action_element, actions = _actions(value, at, kind, warnings)
    resource_element = _resource_element(value, at, kind, warnings)
    resources = _texts(value[resource_element], f"{at}/{resource_element}", "a resource") if resource_element else ()
    if (not actions and action_element in value) or (resource_element and not resources):
        words = "a statement with an empty list has no effect"
        warnings.append(Problem(at, "warning", "empty-element", words, "name something, or remove the statement"))
    principal_element, principals = _principals(value, at, kind, warnings)
    sid = value.get("Sid")
    if sid is not None and not isinstance(sid, str):
        raise _WrongError(f"{at}/Sid", "sid-type", f"Sid is {type_of(sid)}", "write it as a text")
    conditions = tuple(_conditions(value.get("Condition", {}), f"{at}/Condition", warnings))
    statement = Statement(
        index, sid, effect, action_element, actions, resource_element, resources,
        principal_element, principals, conditions,
    )  # fmt: skip
    if kind == "rcp":
        warnings.extend(_rcp_problems(statement, at))
    return statement


def _actions(
    value: dict[str, object], at: str, kind: PolicyKind, warnings: list[Problem]
) -> tuple[Literal["Action", "NotAction"], tuple[str, ...]]:
    """Return whether a statement names actions or those that it leaves out, and which.

    KMS saves key policies whose statements lack Action; such a statement has no effect (KMS: PutKeyPolicy).
    """
    element: Literal["Action", "NotAction"] = "NotAction" if "NotAction" in value else "Action"
    if kind == "resource" and not {"Action", "NotAction"} & set(value):
        words = "a statement without Action has no effect"
        warnings.append(Problem(at, "warning", "empty-element", words, "add Action, or remove the statement"))
        return element, ()
    if ("Action" in value) == ("NotAction" in value):
        words = "a statement needs exactly one of Action and NotAction"
        raise _WrongError(at, "action-element", words, "give one of the two")
    actions = _texts(value[element], f"{at}/{element}", "an action")
    for position, action in enumerate(actions):
        code, words, remedy = _problem_of_action(action)
        if code:
            where = f"{at}/{element}" + (f"/{position}" if isinstance(value[element], list) else "")
            raise _WrongError(where, code, words, remedy)
    return element, actions


def _problem_of_action(action: str) -> tuple[str, str, str]:
    """Return code, words and remedy of what AWS refuses in an action; empty texts where there is nothing.

    Wildcards in the service are refused when a policy is saved ("Action vendors must not contain wildcards");
    ``*:*`` is taken for ``*``.
    """
    service, colon, _ = action.partition(":")
    if not colon and action != "*":
        return "action-form", f"{_short(action)} is no action", "write service:Action, or * for all"
    if colon and action != "*:*" and any(wildcard in service for wildcard in "*?"):
        words = f"{_short(action)} has a wildcard in its service, which AWS refuses"
        return "action-service", words, "name each service, such as sagemaker:List*"
    return "", "", ""


def _rcp_problems(s: Statement, at: str) -> Iterator[Problem]:
    """Yield what AWS would refuse in an RCP: RCPFullAWSAccess alone allows, and alone names ``*`` (RCPS)."""
    if s.effect == "Allow":
        if (s.actions, s.resources) != (("*",), ("*",)):
            yield Problem(at, "warning", "rcp-allow", "an RCP of one's own holds Denies only", "write a Deny")
    elif s.action_element == "NotAction" or "*" in s.actions:
        words = "a Deny of an RCP names actions with their service"
        yield Problem(at, "warning", "rcp-action", words, 'write Action, with a service such as "s3:*"')
    if s.principal_element != "Principal" or any(entry.value != "*" for entry in s.principals):
        words = "the principal of an RCP is everyone; it is taken so"
        yield Problem(at, "warning", "rcp-principal", words, 'write "Principal": "*" and a condition')


def _effect(value: dict[str, object], at: str) -> Effect:
    if "Effect" not in value:
        raise _WrongError(at, "missing-effect", "the statement has no Effect", "add Allow or Deny")
    effect = value["Effect"]
    if effect == "Allow":
        return "Allow"
    if effect == "Deny":
        return "Deny"
    raise _WrongError(
        f"{at}/Effect", "effect", f"Effect is {_short(effect)}", "write Allow or Deny, in this case of letters"
    )


def _resource_element(
    value: dict[str, object], at: str, kind: PolicyKind, warnings: list[Problem]
) -> Literal["Resource", "NotResource"] | None:
    given = [name for name in ("Resource", "NotResource") if name in value]
    if kind == "trust":
        if given:
            warnings.append(
                Problem(
                    f"{at}/{given[0]}",
                    "warning",
                    "resource-in-trust",
                    "a trust policy has no resources",
                    "remove it; it is ignored",
                )
            )
        return None
    if len(given) == 2:
        raise _WrongError(
            at, "resource-element", "a statement has Resource or NotResource, not both", "give one of the two"
        )
    if not given:
        if kind in ("resource", "endpoint"):
            return None
        raise _WrongError(
            at,
            "missing-resource",
            "the statement has neither Resource nor NotResource",
            'add one, "*" for every resource',
        )
    return "NotResource" if given[0] == "NotResource" else "Resource"


def _principals(
    value: dict[str, object], at: str, kind: PolicyKind, warnings: list[Problem]
) -> tuple[Literal["Principal", "NotPrincipal"] | None, tuple[PrincipalEntry, ...]]:
    given = [name for name in ("Principal", "NotPrincipal") if name in value]
    if kind not in WITH_PRINCIPAL:
        if given:
            words = f"{given[0]} does not belong in this kind of policy"
            warnings.append(
                Problem(f"{at}/{given[0]}", "warning", "principal-not-allowed", words, "remove it; it is ignored")
            )
        return None, ()
    if len(given) != 1:
        if not given:
            raise _WrongError(
                at,
                "missing-principal",
                "the statement does not say whom it is for",
                'add a Principal, "*" for everyone',
            )
        raise _WrongError(
            at, "principal-element", "a statement has Principal or NotPrincipal, not both", "give one of the two"
        )
    element: Literal["Principal", "NotPrincipal"] = "NotPrincipal" if given[0] == "NotPrincipal" else "Principal"
    if element == "NotPrincipal" and kind == "trust":
        words = "NotPrincipal does not belong in a trust policy"
        warnings.append(Problem(f"{at}/NotPrincipal", "warning", "not-principal-trust", words, "write Principal"))
    if element == "NotPrincipal" and value["Effect"] == "Allow":
        words = "NotPrincipal with Allow is not supported; the statement has no effect"
        warnings.append(Problem(f"{at}/NotPrincipal", "warning", "not-principal-allow", words, "write Principal"))
    return element, tuple(_principal_entries(value[element], f"{at}/{element}"))


def _principal_entries(value: object, at: str) -> Iterator[PrincipalEntry]:
    if value == "*":
        yield PrincipalEntry("*", "*")
        return
    if not isinstance(value, dict):
        raise _WrongError(
            at,
            "principal-type",
            f"a principal is {type_of(value)}",
            'write "*" or an object such as {"AWS": "arn:..."}',
        )
    for kind, entries in value.items():
        if kind not in PRINCIPAL_KINDS:
            raise _WrongError(
                _child(at, kind),
                "principal-kind",
                f"{_short(kind)} is no kind of principal",
                f"write one of {', '.join(PRINCIPAL_KINDS)}",
            )
        for entry in _texts(entries, _child(at, kind), "a principal"):
            yield PrincipalEntry(kind, entry)


def _conditions(block: object, at: str, warnings: list[Problem]) -> Iterator[Condition]:
    if not isinstance(block, dict):
        raise _WrongError(
            at, "condition-type", f"Condition is {type_of(block)}", "write an object: operator, key, values"
        )
    for written, keys in block.items():
        operator, qualifier, if_exists = operator_of(written, _child(at, written))
        spelt = f"{f'{qualifier}:' if qualifier else ''}{operator}{'IfExists' if if_exists else ''}"
        if written != spelt:
            words = (
                f"{_short(written)} is not as AWS writes it, and its pages do not say whether that counts; it is taken"
            )
            warnings.append(Problem(_child(at, written), "warning", "operator-spelling", words, f"write {spelt}"))
        if not isinstance(keys, dict):
            raise _WrongError(
                _child(at, written),
                "condition-type",
                f"{_short(written)} holds {type_of(keys)}",
                "write an object: key, values",
            )
        for key, values in keys.items():
            place = _child(_child(at, written), key)
            found = _values(values, place)
            places = [f"{place}/{n}" for n in range(len(found))] if isinstance(values, list) else [place]
            warnings.extend(_unreadable(operator, zip(places, found, strict=True)))
            yield Condition(operator, qualifier, if_exists, key, found)


def _unreadable(operator: str, values: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    """Yield which values their operator cannot read, so that they equal nothing. IAM refuses such dates when a policy
    is saved, and takes the others, of which its validator says that they are of another type (CHECKS)."""
    family = next(name for name, operators in OPERATORS.items() if operator in operators)
    read, what, remedy = READ.get(family, (str, "", ""))
    for at, value in values:
        if read(value) is None and not (family == "Bool" and "${" in value):
            words = f"{_short(value)} under {operator} is no {what}, so no request has this value"
            yield Problem(at, "warning", UNREADABLE_VALUE, words, f"write {remedy}")


def unreadable(condition: Condition) -> tuple[str, ...]:
    """Return what there is to say of each value of a condition that its operator cannot read."""
    found = _unreadable(condition.operator, (("", value) for value in condition.values))
    return tuple(problem.message for problem in found)


def operator_of(written: str, at: str) -> tuple[str, SetQualifier | None, bool]:
    """Return operator, set qualifier and IfExists of an operator as written. Raises for one that there is not."""
    head, _, tail = written.rpartition(":")
    qualifier = _QUALIFIERS.get(head.lower()) if head else None
    lowered = tail.lower()
    if_exists = lowered.endswith("ifexists")
    operator = _BY_LOWER.get(lowered.removesuffix("ifexists"))
    if operator is None or (head and qualifier is None) or (operator == "Null" and if_exists):
        near = difflib.get_close_matches(lowered.removesuffix("ifexists"), _BY_LOWER, 1)
        hint = (
            f"did you mean {_BY_LOWER[near[0]]}?"
            if near and operator is None
            else "see AWS's list of condition operators"
        )
        raise _WrongError(at, "unknown-operator", f"{_short(written)} is no condition operator", hint)
    return operator, qualifier, if_exists


def _values(value: object, at: str) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    found = []
    for position, entry in enumerate(listed):
        if isinstance(entry, bool | int | float):
            found.append(number_text(entry))
        elif isinstance(entry, str):
            found.append(entry)
        else:
            place = f"{at}/{position}" if isinstance(value, list) else at
            raise _WrongError(
                place,
                "condition-value",
                f"a condition value is {type_of(entry)}",
                "write a text, a number, true or false",
            )
    return tuple(found)


def _texts(value: object, at: str, what: str) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    for position, entry in enumerate(listed):
        if not isinstance(entry, str):
            place = f"{at}/{position}" if isinstance(value, list) else at
            raise _WrongError(place, "element-type", f"{what} is {type_of(entry)}", "write it as a text")
    return tuple(listed)


def _check_elements(value: dict[str, object], known: tuple[str, ...], at: str) -> None:
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"only {', '.join(known)} belong here"
            raise _WrongError(
                _child(at, str(name)), "unknown-element", f"{_short(name)} is no element of a policy", hint
            )


def _warn_of_sids(statements: tuple[Statement, ...], kind: PolicyKind, is_list: bool, warnings: list[Problem]) -> None:
    seen: set[str] = set()
    for statement in statements:
        at = f"/Statement/{statement.index}/Sid" if is_list else "/Statement/Sid"
        sid = statement.sid
        if kind in ("identity", "boundary", "session") and sid and not _SID.fullmatch(sid):
            warnings.append(
                Problem(
                    at,
                    "warning",
                    "sid-characters",
                    f"Sid {_short(sid)} has other characters than A-Z, a-z and 0-9",
                    "AWS would refuse it; rename it",
                )
            )
        if sid and sid in seen:
            warnings.append(
                Problem(
                    at,
                    "warning",
                    "duplicate-sid",
                    f"Sid {_short(sid)} is given twice",
                    "AWS would refuse it; rename one",
                )
            )
        seen.add(sid or "")


def _child(at: str, name: str) -> str:
    return at + "/" + name.replace("~", "~0").replace("/", "~1")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
