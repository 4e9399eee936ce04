"""Finds which services a change speaks of, so that both sides can be made to answer for them.

A statement that names no service (``*``, NotAction) treats all services alike that no policy names. So the services
that any policy of the sides names, and a few that stand for all others, show what it changes.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, NamedTuple

from pipeline.iam import written
from pipeline.infrastructure.facts import (
    Attached,
    Attributes,
    Control,
    ControlValue,
    Inline,
    Key,
    ManagedPolicy,
    Member,
    Principal,
    ResourcePolicy,
    Target,
)

#: Services that stand for those that no policy names.
EXAMPLES = ("iam", "kms", "s3")
PREFIX = re.compile(r"([a-z0-9-]+):", re.ASCII)
#: What stands for statements that name no service.
ANY = "*"


class Reach(NamedTuple):
    """The services that a change speaks of; ``unknown`` are prefixes that no reference has."""

    services: frozenset[str]
    unknown: frozenset[str]


def reach(before: Mapping[Key, Any], after: Mapping[Key, Any], known: Set[str]) -> Reach:
    """Return the services whose access may differ between facts. ``known`` are those of the service reference."""
    statements = _statements(before, after, "-") ^ _statements(after, before, "+")
    named = {prefix for _, text in statements for prefix in _prefixes(json.loads(text), known)}
    if ANY in named:
        every = (text for facts in (before, after) for key in facts for text in _texts(key, facts))
        named |= {prefix for text in every for one in _of_document(text) for prefix in _prefixes(one, known)} & known
        named |= {*EXAMPLES}
    named.discard(ANY)
    return Reach(frozenset(named & known), frozenset(named - known))


def _statements(facts: Mapping[Key, Any], others: Mapping[Key, Any], side: str) -> set[tuple[str, str]]:
    """Return the statements of what facts have and others have not, or have otherwise, each with what makes it count:
    where that is the same on both sides, so are equal statements; where another fact makes it count, none is."""
    found: set[tuple[str, Key]] = set()
    for key, value in facts.items():
        if others.get(key) != value:
            found.add((repr(key), key))
            found |= {(f"{side} {key!r}", one) for one in _behind(key, facts, others)}
    return {
        (reason, json.dumps(statement, sort_keys=True))
        for reason, key in found
        for text in _texts(key, facts)
        for statement in _of_document(text)
    }


def _behind(key: Key, facts: Mapping[Key, Any], others: Mapping[Key, Any]) -> Iterator[Key]:
    """Yield the facts whose policies count otherwise because of a fact that differs."""
    match key:
        case Attached():
            yield ManagedPolicy(key.arn)
        case Member():
            yield from _of_owner(Principal(key.user.account, "group", key.group), facts)
        case Target():
            yield Control(key.policy_id)
        case Principal():
            one, other = facts.get(key), others.get(key)
            if not isinstance(one, Attributes) or _plain(one) == _plain(other):
                return
            if one.boundary:
                yield ManagedPolicy(one.boundary)
            if other is not None:
                yield from _of_owner(key, facts)
                for member in [held for held in facts if isinstance(held, Member) and held.user == key]:
                    yield from _of_owner(Principal(key.account, "group", member.group), facts)


def _plain(one: Any) -> Any:
    """Return what of a principal's attributes policies may depend on."""
    return one._replace(trust=None, principal_id=None) if isinstance(one, Attributes) else one


def _of_owner(owner: Principal, facts: Mapping[Key, Any]) -> Iterator[Key]:
    for key in facts:
        if isinstance(key, Inline) and key.owner == owner:
            yield key
        elif isinstance(key, Attached) and key.owner == owner:
            yield ManagedPolicy(key.arn)


def _texts(key: Key, facts: Mapping[Key, Any]) -> Iterator[str]:
    """Yield the document of a fact; a trust policy is none."""
    value = facts.get(key)
    if isinstance(value, ControlValue):
        value = value.content
    if isinstance(key, Inline | ManagedPolicy | Control | ResourcePolicy) and isinstance(value, str):
        yield value


def _of_document(text: str) -> Iterator[dict[str, Any]]:
    """Yield the statements of a document; none of one that is malformed, which is told elsewhere."""
    try:
        document = written.with_texts(written.loads(text))
    except ValueError:
        return
    listed = document.get("Statement") if isinstance(document, dict) else None
    for one in listed if isinstance(listed, list) else [listed]:
        if isinstance(one, dict):
            yield one


def _prefixes(statement: Mapping[str, Any], known: Set[str]) -> Iterator[str]:
    """Yield the services that a statement names; ANY where it speaks of others too, and then those of its resources."""
    patterns = [*_list(statement.get("Action")), *_list(statement.get("NotAction"))]
    named = {found[1] if (found := PREFIX.match(pattern.lower())) else ANY for pattern in patterns}
    if "NotAction" in statement:
        named.add(ANY)
    yield from named
    if ANY in named:
        for pattern in (*_list(statement.get("Resource")), *_list(statement.get("NotResource"))):
            fields = pattern.lower().split(":")
            yield from {*fields[2:3]} & known


def _list(value: Any) -> Iterable[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
