"""Finds the actions, principals, resources and keys that arguments name, or says what to write instead."""

import difflib
import re

from pipeline.errors import PolicylakeError
from pipeline.iam.grammar import WHOLE_ARN
from pipeline.lake import Lake
from pipeline.lake.queries import command_query

SHOWN = 5
SESSION = re.compile(r"arn:[^:]*:sts::(?P<account>\d{12}):assumed-role/(?P<name>[^/]+)/.*")
WILDCARD = re.compile(r"[*?]")


def actions_of(lake: Lake, pattern: str) -> list[str]:
    """Return the actions that a pattern names in this snapshot.

    Raises PolicylakeError where there are none, with what to do.
    """
    found: list[str] = lake.query(command_query("matching_actions"), {"pattern": pattern})["action"].to_pylist()
    if not found:
        raise PolicylakeError(f"{pattern}: {_unknown_action(lake, pattern)}")
    return found


def action_of(lake: Lake, name: str) -> str:
    """Return the one action of that name as the snapshot spells it. Raises PolicylakeError for none and for several."""
    if WILDCARD.search(name):
        raise PolicylakeError(f"{name}: one action is expected; give it without * and ?")
    return actions_of(lake, name)[0]


def _unknown_action(lake: Lake, pattern: str) -> str:
    services: list[str] = lake.manifest.get("services", [])
    service, colon, _ = pattern.lower().partition(":")
    if colon and service not in services and not WILDCARD.search(service):
        return f"the lake answers for {', '.join(services)} only; build it again with --services {service}"
    known: list[str] = lake.query(command_query("action_names"))["action"].to_pylist()
    lowered = {name.lower(): name for name in known} | {name.lower().split(":", 1)[-1]: name for name in known}
    close = [lowered[text] for text in difflib.get_close_matches(pattern.lower(), lowered, 3)]
    if close:
        return f"no such action; did you mean {' or '.join(dict.fromkeys(close))}?"
    return "no such action; list them with: policylake sql 'from evaluated_actions'"


def principal_of(lake: Lake, name: str) -> str:
    """Return the ARN of the user, role or loose document that an ARN, a session's ARN or a name means.

    Raises PolicylakeError where none or several have the name, and for a group, which makes no requests.
    """
    session = SESSION.fullmatch(name)
    sought = (session["name"], session["account"]) if session else (name, None)
    rows = lake.query(
        command_query("named_principals"), dict(zip(("name", "account_id"), sought, strict=True))
    ).to_pylist()
    callers = [row["principal_arn"] for row in rows if row["principal_type"] != "group"]
    if len(callers) == 1:
        return str(callers[0])
    if callers:
        shown = ", ".join(callers[:SHOWN]) + (" and more" if len(callers) > SHOWN else "")
        raise PolicylakeError(f"{name}: {len(callers)} principals have this name; give one ARN: {shown}")
    if rows:
        raise PolicylakeError(f"{name}: a group makes no requests; ask about one of its members (relation memberships)")
    raise PolicylakeError(f"{name}: no such user or role; {_near_principal(lake, name)}")


def _near_principal(lake: Lake, name: str) -> str:
    """Return what to do about a name that no principal has: a name that is like it, by its last part for an ARN."""
    rows = lake.query(command_query("caller_names")).to_pylist()
    is_arn = name.startswith("arn:")
    known = {row["principal_arn" if is_arn else "principal_name"]: row["principal_arn"] for row in rows}
    close = difflib.get_close_matches(name, known, 1, 0.8)
    listing = "list them with: policylake sql 'from principals'"
    return f"did you mean {close[0]}? {listing}" if close else listing


def resource_of(resource: str | None) -> str | None:
    """Return the resource. Raises PolicylakeError for what is neither one ARN nor ``*``."""
    if resource is None or resource == "*":
        return resource
    if not WHOLE_ARN.fullmatch(resource) or WILDCARD.search(resource):
        raise PolicylakeError(f"{resource}: one whole ARN without wildcards is expected, or * alone")
    return resource


def keys_of(lake: Lake, pattern: str) -> list[str]:
    """Return the condition keys that a pattern names: of the service reference, and of the lake's policies.

    Raises PolicylakeError where there are none.
    """
    found: list[str] = lake.query(command_query("matching_keys"), {"pattern": pattern})["condition_key"].to_pylist()
    if not found:
        known: list[str] = lake.query(command_query("matching_keys"), {"pattern": "*"})["condition_key"].to_pylist()
        lowered = {key.split("${", 1)[0].lower(): key for key in known}
        close = difflib.get_close_matches(pattern.lower(), lowered, 1, 0.75)
        hint = f"did you mean {lowered[close[0]]}? " if close else ""
        raise PolicylakeError(
            f"{pattern}: neither the service reference nor a policy has such a condition key; {hint}list them with: "
            "policylake sql 'select distinct condition_key from reference_condition_keys'"
        )
    return found
