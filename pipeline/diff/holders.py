"""Stands in for whoever has a policy or is in a group, where nothing but the change is known of the account."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

import pyarrow as pa

from pipeline.iam.grammar import account_in
from pipeline.infrastructure.facts import (
    UNKNOWN,
    Attached,
    Attributes,
    Doubt,
    Facts,
    Infrastructure,
    Inline,
    ManagedPolicy,
    Member,
    Principal,
    arn_of,
    denials,
)

#: Begins the names of principals that stand for whoever has a policy, or is in a group.
WHOEVER = "whoever-"
#: Columns in which a row of such a principal repeats that of one that is known.
REPEATED = ("action", "resource_type", "resource_pattern", "old_resource_pattern", "residual")


def holders(change: Infrastructure, accounts: Set[str]) -> Facts:
    """Return a role with each managed policy that a change rewrites in one of some accounts, and a user in each group
    there that is not new."""
    found: Facts = {}
    for key in _rewritten(change):
        if account_in(key.arn) in accounts:
            owner = Principal(account_in(key.arn), "role", f"{WHOEVER}has-{key.arn.rsplit('/', 1)[-1]}")
            found |= {owner: _attributes(owner), Attached(owner, key.arn): True}
    for group in _groups(change):
        if group.account in accounts:
            owner = Principal(group.account, "user", f"{WHOEVER}is-in-{group.name}")
            found |= {owner: _attributes(owner), Member(owner, group.name): True}
    return found


def _attributes(owner: Principal) -> Attributes:
    return Attributes(arn_of(owner, f"/{UNKNOWN}/"))


def lost_denials(change: Infrastructure, accounts: Set[str]) -> Iterator[Doubt]:
    """Yield a doubt for each such policy and group that denies less: what else its holders have is not known."""
    for key in _rewritten(change):
        if account_in(key.arn) in accounts and denials(change.before[key]) - denials(change.after[key]):
            yield Doubt(key.arn, "it denies less, and who has it is not known; give a lake that has its account")
    for group in _groups(change):
        if group.account in accounts and _denied(change.before, group) - _denied(change.after, group):
            told = "it denies less, and who is in it is not known; give a lake that has its account"
            yield Doubt(arn_of(group), told)


def _rewritten(change: Infrastructure) -> Iterator[ManagedPolicy]:
    for key, text in change.before.items():
        if isinstance(key, ManagedPolicy) and key in change.after and change.after[key] != text:
            yield key


def _groups(change: Infrastructure) -> list[Principal]:
    """Return the groups with policies of which others than those in the change may be members: those that are there."""
    named = {
        key.owner for facts in (change.before, change.after) for key in facts if isinstance(key, Inline | Attached)
    }
    return sorted(one for one in named if one.kind == "group" and (one in change.before or one not in change.after))


def _denied(facts: Facts, owner: Principal) -> frozenset[str]:
    """Return the Deny statements that a principal's own policies have."""
    texts = [text for key, text in facts.items() if isinstance(key, Inline) and key.owner == owner]
    texts += [facts.get(ManagedPolicy(key.arn)) for key in facts if isinstance(key, Attached) and key.owner == owner]
    return frozenset().union(*map(denials, texts))


def told_once(rows: pa.Table) -> pa.Table:
    """Leave out rows of such roles that a principal has too, through the same statements."""
    listed = rows.select(["principal_arn", "through", *REPEATED]).to_pylist()
    known = {_key(row) for row in listed if not _is_anyone(row)}
    return rows.filter(pa.array([not _is_anyone(row) or _key(row) not in known for row in listed], pa.bool_()))


def _is_anyone(row: Mapping[str, Any]) -> bool:
    return f"/{UNKNOWN}/{WHOEVER}" in (row["principal_arn"] or "")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*(row[name] for name in REPEATED), tuple(row["through"] or ()))
