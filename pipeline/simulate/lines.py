"""Reads one JSON line into a request. Knows nothing of the lake and decides nothing."""

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import PolicylakeError
from pipeline.iam.grammar import WHOLE_ARN
from pipeline.iam.written import number_text, type_of
from pipeline.simulate.objects import loads

#: Members with policies. A line with one of them is answered from what it holds alone.
POLICY_MEMBERS = (
    "identity_policies", "permissions_boundary", "scps", "rcps", "resource_policy", "session_policies",
    "endpoint_policy",
)  # fmt: skip
FACT_MEMBERS = ("id", "principal", "action", "resource", "context", "resource_account", "federated_by")
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_RESOURCE = re.compile(rf"\*|{WHOLE_ARN.pattern}", re.DOTALL)
_PRINCIPAL = re.compile(
    r"arn:[^:]+:(?:iam|sts)::[0-9]{12}:"
    r"(?:root|(?:user|role|group|assumed-role|federated-user|saml-provider|oidc-provider)/.+)"
    r"|\*|anonymous|policy/.+|[a-z0-9.-]+\.[a-z]+",
    re.DOTALL,
)
_GROUP = re.compile(r"arn:[^:]+:iam::[0-9]{12}:group/.+", re.DOTALL)
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Line:
    """A request as its line gives it.

    ``context`` has the keys in lower case, with their values; ``spelling`` has them as they are written. ``policies``
    holds the members of POLICY_MEMBERS that are given, as decoded JSON.
    """

    id: str | int | None
    principal: str
    action: str
    resource: str
    resource_account: str | None
    federated_by: str | None
    context: Mapping[str, tuple[str, ...]]
    policies: Mapping[str, Any]
    spelling: Mapping[str, str]


def decoded(text: str) -> dict[str, Any]:
    """Return the object of a line. Raises PolicylakeError for anything else."""
    try:
        value = loads(text)
    except RecursionError as error:
        raise PolicylakeError("the line is nested too deeply; give one flat object") from error
    except json.JSONDecodeError as error:
        raise PolicylakeError(f"column {error.colno}: no JSON ({error.msg}); give one JSON object a line") from error
    except ValueError as error:
        raise PolicylakeError(f"no JSON ({error}); give one JSON object a line") from error
    if not isinstance(value, dict):
        raise PolicylakeError(f"the line is {type_of(value)}; give a JSON object with principal, action and resource")
    return value


def id_of(value: Mapping[str, Any]) -> str | int | None:
    """Return the id of a line; None if it has none that is a text or a number."""
    found = value.get("id")
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def refused(given: str | int | None, number: int, error: PolicylakeError) -> dict[str, Any]:
    """Return the decision of a line, by its id and number, of which no request can be decided."""
    detail = f"line {number}: {error}"
    return {"id": given, "decision": "error", "blocked_by": [], "statements": [], "detail": detail}


def read_line(value: Mapping[str, Any]) -> Line:
    """Return the request of a decoded line. Raises PolicylakeError that names the member."""
    _check_names(value)
    if value.get("id") is not None and id_of(value) is None:
        raise PolicylakeError(f"id is {type_of(value['id'])}; write a text or a whole number")
    principal = _text(value, "principal", _PRINCIPAL, "write the ARN of a user, role, role session or root")
    if _GROUP.fullmatch(principal):
        raise PolicylakeError(f"{principal} is a group, which makes no requests; ask for one of its users")
    action = _text(value, "action", _ACTION, "write service:Action, without wildcards")
    resource = _text(value, "resource", _RESOURCE, 'write one ARN, or "*" for an action without resource types')
    account = _optional(value, "resource_account", _ACCOUNT, "write twelve digits in quotes")
    federated_by = _optional(value, "federated_by", _PRINCIPAL, "write the ARN of the user who made the session")
    policies = {name: value[name] for name in POLICY_MEMBERS if value.get(name) is not None}
    context = _context(value.get("context", {}))
    spelling = {key.lower(): key for key in value.get("context", {})}
    return Line(id_of(value), principal, action, resource, account, federated_by, context, policies, spelling)


def _check_names(value: Mapping[str, Any]) -> None:
    known = (*FACT_MEMBERS, *POLICY_MEMBERS)
    for name in value:
        near = [] if name in known else difflib.get_close_matches(name, known, 1, 0.85)
        if near:
            raise PolicylakeError(f"{name} is no member of a request; did you mean {near[0]}?")


def _text(value: Mapping[str, Any], name: str, form: re.Pattern[str], remedy: str) -> str:
    if name not in value:
        raise PolicylakeError(f"{name} is missing; {remedy}")
    found = value[name]
    if not isinstance(found, str):
        raise PolicylakeError(f"{name} is {type_of(found)}; {remedy}")
    if not form.fullmatch(found):
        raise PolicylakeError(f"{name} is {json.dumps(found[:100])}; {remedy}")
    return found


def _optional(value: Mapping[str, Any], name: str, form: re.Pattern[str], remedy: str) -> str | None:
    return None if value.get(name) is None else _text(value, name, form, remedy)


def _context(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise PolicylakeError(f"context is {type_of(value)}; write an object: condition key, text or list of texts")
    found: dict[str, tuple[str, ...]] = {}
    for key, given in value.items():
        if key.lower() in found:
            raise PolicylakeError(f"context {key} is given twice; case does not tell keys apart: give it once")
        found[key.lower()] = tuple(_value(key, entry) for entry in (given if isinstance(given, list) else [given]))
    return found


def _value(key: str, entry: object) -> str:
    """Return a value as a request has it: a number or a truth as the text that the line writes it as."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, bool | int | float):
        return number_text(entry)
    raise PolicylakeError(f"context {key} is or holds {type_of(entry)}; write texts, numbers, true or false")
