"""Policies that a line carries itself, as layers. Reads no lake."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import PolicylakeError
from pipeline.iam.decide import AttachedPolicy, Layers, Level
from pipeline.iam.grammar import completed_arn
from pipeline.iam.model import Policy
from pipeline.iam.parse import PolicyKind, parse_policy, unreadable
from pipeline.iam.written import type_of
from pipeline.simulate.lines import Line
from pipeline.simulate.objects import loads
from pipeline.simulate.remarks import Names

#: The kind of policy that a member holds, for those with one list of documents.
LISTS: Mapping[str, PolicyKind] = {"identity_policies": "identity", "session_policies": "session"}


def given_layers(line: Line) -> Layers:
    """Return the layers of a line's own policies. Raises PolicylakeError for the first one that is malformed."""
    found = line.policies
    is_trust = ":role/" in line.resource and line.action.lower().startswith("sts:")
    return Layers(
        identity=_list(found, "identity_policies") or (),
        boundary=_one(found, "permissions_boundary", "boundary"),
        session=_session(found),
        scps=_levels(found, "scps", "scp"),
        rcps=_levels(found, "rcps", "rcp"),
        resource=_one(found, "resource_policy", "trust" if is_trust else "resource"),
        endpoint=_one(found, "endpoint_policy", "endpoint"),
    )


def names_in(layers: Layers) -> Names:
    """Return the actions and condition keys that policies name."""
    statements = [s for attached in _policies_in(layers) for s in attached.policy.statements]
    return Names(
        frozenset(action.lower() for s in statements for action in s.actions),
        frozenset(c.key.lower() for s in statements for c in s.conditions),
    )


def doubts_in(layers: Layers) -> tuple[str, ...]:
    """Return which condition values of policies cannot be read: what AWS makes of these its pages do not say."""
    said = (
        f"{attached.name}: {text}: the answer may be wrong"
        for attached in _policies_in(layers)
        for statement in attached.policy.statements
        for condition in statement.conditions
        for text in unreadable(condition)
    )
    return tuple(dict.fromkeys(said))


def _policies_in(layers: Layers) -> Iterator[AttachedPolicy]:
    flat = (layers.identity, layers.boundary, layers.session, layers.resource, layers.endpoint)
    for level in (*flat, *(layers.scps or ()), *(layers.rcps or ())):
        yield from level or ()


def _one(found: Mapping[str, Any], member: str, kind: PolicyKind) -> Level | None:
    return (_policy(found[member], kind, member),) if member in found else None


def _list(found: Mapping[str, Any], member: str) -> Level | None:
    if member not in found:
        return None
    return _level(found[member], LISTS[member], member)


def _levels(found: Mapping[str, Any], member: str, kind: PolicyKind) -> tuple[Level, ...] | None:
    if member not in found:
        return None
    if not isinstance(found[member], list):
        raise PolicylakeError(f"{member} is {type_of(found[member])}; write a list of levels, the root first")
    return tuple(_level(level, kind, f"{member}/{number}") for number, level in enumerate(found[member]))


def _level(documents: object, kind: PolicyKind, at: str) -> Level:
    if not isinstance(documents, list):
        raise PolicylakeError(f"{at} is {type_of(documents)}; write a list of policy documents")
    return tuple(_policy(document, kind, f"{at}/{number}") for number, document in enumerate(documents))


def _session(found: Mapping[str, Any]) -> Level | None:
    level = _list(found, "session_policies")
    for attached in level or ():
        short = next((r for r in _patterns(attached.policy) if completed_arn(r) != r), None)
        if short is not None:
            raise PolicylakeError(
                f"{attached.name}: {short} has fewer than six fields; AWS refuses this in a session policy"
            )
    return level


def _patterns(policy: Policy) -> Iterator[str]:
    return (pattern for statement in policy.statements for pattern in statement.resources)


def _policy(document: object, kind: PolicyKind, name: str) -> AttachedPolicy:
    if isinstance(document, str):
        try:
            document = loads(document)
        except PolicylakeError as error:
            raise PolicylakeError(f"{name}/{error}") from error
        except (ValueError, RecursionError) as error:
            raise PolicylakeError(f"{name} is a text but no JSON; give the policy document as an object") from error
    policy, problems = parse_policy(document, kind)
    if policy is None:
        wrong = problems[-1]
        raise PolicylakeError(f"{name}{wrong.pointer}: {wrong.message}; {wrong.remedy}")
    return AttachedPolicy(name, policy)
