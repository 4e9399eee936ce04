"""Tells which statements make a difference, in words. Statements are compared by what they say, not by their ids."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.diff.queries import query
from pipeline.lake import Lake
from pipeline.wording import some

#: Statements of each side: those that grant, those that limit, and those that would grant where none does.
OLD = ("old_granted_by", "old_limited_by", "old_standing")
NEW = ("granted_by", "limited_by", "standing")
REASONS = pa.schema([*((name, pa.list_(pa.string())) for name in (*OLD, *NEW)), ("through", pa.list_(pa.string()))])
#: Names and files of a policy that are told.
TOLD = 2
#: What the ARN of a customer managed policy has before its path.
OWN_POLICY = re.compile(r"\barn:[a-z-]+:iam::[0-9]{12}:(?=policy/)")


class _Statement(NamedTuple):
    """What a statement says, whatever its Sid and the order of its lists, and how it is called."""

    content: str
    name: str


def reason_texts(old: Lake, new: Lake, targets: Collection[str] | None = None) -> pa.Table:
    """Return each combination of statements behind the rows with what of it makes the difference.

    ``targets`` are what policies may be attached to for their names and files to be told; None is whatever it is.
    """
    sets = new.query(query("reason_sets")).to_pylist()
    before = _statements(old, targets, (row[name] for row in sets for name in OLD))
    after = _statements(new, targets, (row[name] for row in sets for name in NEW))
    return pa.Table.from_pylist([{**row, "through": _through(row, before, after)} for row in sets], REASONS)


def _statements(
    lake: Lake, targets: Collection[str] | None, lists: Iterable[list[str] | None]
) -> dict[str, _Statement]:
    asked = sorted({statement_id for listed in lists for statement_id in listed or ()})
    lake.lend("asked_statements", pa.table({"statement_id": pa.array(asked, pa.string())}))
    given = {"targets": None if targets is None else sorted(targets)}
    rows = lake.query(query("statement_texts"), given).to_pylist()
    return {row["statement_id"]: _Statement(content_of(json.loads(row["statement"])), _name(row)) for row in rows}


def content_of(statement: Mapping[str, Any]) -> str:
    """Return a statement as one text that is equal for statements that say the same."""
    return json.dumps(_sorted({k: v for k, v in statement.items() if k != "Sid"}), sort_keys=True)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        members = sorted((_sorted(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
        return members[0] if len(members) == 1 else members
    return value


def _name(row: Mapping[str, Any]) -> str:
    """Return how people find a statement: effect, policy, place, Sid and file.

    A policy that accounts have alike is named once, with how many they are.
    """
    names = [name for name in row["names"] or () if name]
    alike = {OWN_POLICY.sub("", name): name for name in reversed(names)}
    policy = some([*reversed(alike.values())], TOLD) or row["statement_id"].split("#")[0]
    sid = f" {row['sid']}" if row["sid"] else ""
    accounts = f" in {len(names)} accounts" if len(names) > len(alike) == 1 else ""
    files = some(row["sources"] or (), TOLD)
    return f"{row['effect']} {policy}#{row['statement_index']}{sid}{accounts}" + (f" ({files})" if files else "")


def _through(
    row: Mapping[str, list[str] | None], before: Mapping[str, _Statement], after: Mapping[str, _Statement]
) -> list[str]:
    """Where one side grants and limits nothing at all, what limits the other makes no difference, new or not; and what
    grants the other made it only if it does not stand here."""
    was, now = OLD[:2], NEW[:2]
    old = _found(row, was if any(row[name] for name in now) else was[:1], before)
    new = _found(row, now if any(row[name] for name in was) else now[:1], after)
    there = {one.content for one in (*old, *_found(row, OLD[2:], before))}
    here = {one.content for one in (*new, *_found(row, NEW[2:], after))}
    told = [f"+ {one.name}" for one in new if one.content not in there]
    told += [f"- {one.name}" for one in old if one.content not in here]
    return told or [f"= {one.name}" for one in new or old]


def _found(
    row: Mapping[str, list[str] | None], names: Iterable[str], known: Mapping[str, _Statement]
) -> list[_Statement]:
    ids = dict.fromkeys(statement_id for name in names for statement_id in row[name] or ())
    return [known[statement_id] for statement_id in ids if statement_id in known]
