"""Corrects statements as controls say, one step at a time, and never to one that grants more.

A control returns the column ``correction``: JSON with one of the members of :data:`STEPS`, and where needed

- ``statement``: the id of the statement, where it is not that of the finding;
- ``only_actions``: the step is taken only where the statement names no other actions;
- ``is_without_effect``: what is taken away has none, so a Deny may lose it too.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pipeline.errors import PolicylakeError

Statement: TypeAlias = dict[str, Any]
Step = Callable[[Statement, Any], Statement | None]
FURTHER = ("statement", "only_actions", "is_without_effect")


def correction_of(text: str) -> dict[str, Any]:
    """Return a correction from its JSON. Raises PolicylakeError for any other text."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise PolicylakeError(f"the correction {text[:80]} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise PolicylakeError(f"the correction {text[:80]} is no JSON object")
    return value


def corrected(statement: Statement, correction: Mapping[str, Any]) -> str | None:
    """Return the JSON of a corrected statement; None where the step cannot be taken, or might grant more.

    Raises PolicylakeError for a correction that is none.
    """
    try:
        return _corrected(statement, correction)
    except (AttributeError, KeyError, TypeError) as error:
        raise PolicylakeError(f"the correction {json.dumps(correction)} does not hold what its step takes") from error


def _corrected(statement: Statement, correction: Mapping[str, Any]) -> str | None:
    steps = [name for name in correction if name not in FURTHER]
    if len(steps) != 1 or steps[0] not in STEPS:
        raise PolicylakeError(f"the correction {json.dumps(correction)} has not one of {', '.join(STEPS)}")
    allows, step = STEPS[steps[0]]
    only = correction.get("only_actions")
    if only is not None and not _is_within(statement, only):
        return None
    if statement.get("Effect") not in (*allows, *(("Deny",) if correction.get("is_without_effect") else ())):
        return None
    result = step(statement, correction[steps[0]])
    if result is None or result == statement:
        return None
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"))


def _is_within(statement: Statement, actions: Sequence[str]) -> bool:
    known = {action.lower() for action in actions}
    return "Action" in statement and all(action.lower() in known for action in _list(statement["Action"]))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _without(value: Any, dropped: Sequence[str], *, ignores_case: bool) -> Any:
    """Return a text or list of texts without some; None where none is left."""
    fold = str.lower if ignores_case else str
    gone = {fold(one) for one in dropped}
    left = [one for one in _list(value) if fold(str(one)) not in gone]
    return left if isinstance(value, list) and len(left) > 1 else left[0] if left else None


def _with(value: Any, replaced: Mapping[str, str]) -> Any:
    new = [replaced.get(one, one) for one in _list(value)]
    return list(dict.fromkeys(new)) if isinstance(value, list) else new[0]


def _changed(statement: Statement, element: str, value: Any) -> Statement | None:
    return None if value is None else {**statement, element: value}


def _drop_actions(statement: Statement, dropped: Sequence[str]) -> Statement | None:
    value = _without(statement["Action"], dropped, ignores_case=True) if "Action" in statement else None
    return _changed(statement, "Action", value)


def _drop_resources(statement: Statement, dropped: Sequence[str]) -> Statement | None:
    value = _without(statement["Resource"], dropped, ignores_case=False) if "Resource" in statement else None
    return _changed(statement, "Resource", value)


def _drop_principals(statement: Statement, dropped: Sequence[str]) -> Statement | None:
    principal = statement.get("Principal")
    if not isinstance(principal, dict):
        return None
    kept = {kind: _without(value, dropped, ignores_case=False) for kind, value in principal.items()}
    left = {kind: value for kind, value in kept.items() if value is not None}
    return {**statement, "Principal": left} if left else None


def _replace_actions(statement: Statement, replaced: Mapping[str, str]) -> Statement | None:
    return _changed(statement, "Action", _with(statement["Action"], replaced) if "Action" in statement else None)


def _replace_resources(statement: Statement, replaced: Mapping[str, str]) -> Statement | None:
    return _changed(statement, "Resource", _with(statement["Resource"], replaced) if "Resource" in statement else None)


def _set_resource(statement: Statement, resource: str) -> Statement | None:
    return {**statement, "Resource": resource} if "Resource" in statement else None


def _add_condition(statement: Statement, added: Mapping[str, Mapping[str, Any]]) -> Statement | None:
    """Add operators with keys; none that is asked for by the same operator already."""
    condition = {operator: dict(keys) for operator, keys in _condition(statement).items()}
    for operator, keys in added.items():
        name = _spelt(operator, condition)
        held = condition.setdefault(name, {})
        for key, value in keys.items():
            if _spelt(key, held) in held:
                return None
            held[key] = value
    return {**statement, "Condition": condition}


def _drop_condition(statement: Statement, dropped: Mapping[str, Any]) -> Statement | None:
    condition = _condition(statement)
    qualifier = f"{dropped['set_qualifier']}:" if dropped.get("set_qualifier") else ""
    operator = f"{qualifier}{dropped['operator']}{'IfExists' if dropped.get('if_exists') else ''}"
    name = _spelt(operator, condition)
    keys = dict(condition.get(name, {}))
    if keys.pop(_spelt(dropped["key"], keys), None) is None:
        return None
    left = {one: keys if one == name else held for one, held in condition.items() if one != name or keys}
    if left:
        return {**statement, "Condition": left}
    return {element: value for element, value in statement.items() if element != "Condition"}


def _rename_key(statement: Statement, renamed: Mapping[str, str]) -> Statement | None:
    former, new = renamed["from"], renamed["to"]
    condition = _condition(statement)
    if any(_spelt(new, keys) in keys for keys in condition.values()):
        return None
    told = {
        operator: {new if key.lower() == former.lower() else key: value for key, value in keys.items()}
        for operator, keys in condition.items()
    }
    return {**statement, "Condition": told}


def _condition(statement: Statement) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = statement.get("Condition", {})
    return found


def _spelt(name: str, held: Mapping[str, Any]) -> str:
    """Return a name as it stands there, whatever the case of its letters."""
    return next((one for one in held if one.lower() == name.lower()), name)


#: The steps, each with the effects of the statements for which it never grants more. To drop or rename a condition is
#: for the control to warrant: one that every request meets, or the key's own new name.
STEPS: Mapping[str, tuple[tuple[str, ...], Step]] = {
    "add_condition": (("Allow",), _add_condition),
    "drop_condition": (("Allow", "Deny"), _drop_condition),
    "rename_key": (("Allow", "Deny"), _rename_key),
    "drop_actions": (("Allow",), _drop_actions),
    "drop_resources": (("Allow",), _drop_resources),
    "drop_principals": (("Allow",), _drop_principals),
    "replace_actions": (("Deny",), _replace_actions),
    "replace_resources": (("Deny",), _replace_resources),
    "set_resource": (("Deny",), _set_resource),
}
