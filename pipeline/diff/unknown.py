"""Finds what a comparison cannot know: parts of policies that one side alone lacks, and what a change hides."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pipeline.iam.grammar import account_in
from pipeline.infrastructure.facts import LACKING, REST, Doubt, unknown_of
from pipeline.lake import Lake

UNKNOWN = "unknown"
SQL = "select principal_arn, account_id, principal_type, missing from principals where is_incomplete"
INLINE, MANAGED = "inline/", "managed/"


class Unknown(NamedTuple):
    """Something that makes a comparison of a principal, or of all, impossible, in words."""

    principal_arn: str | None
    account_id: str | None
    principal_type: str | None
    what: str


def unknowns(old: Lake, new: Lake, doubts: Iterable[Doubt] = ()) -> list[Unknown]:
    """Return what nobody can tell of the new side: what is missing of its principals, unless just that is missing on
    the old side too, what was missing and no longer is, and ``doubts``.

    What was missing may have been a Deny, so a side that lost it may allow more.
    """
    before, after = _missing(old), _missing(new)
    gone = before.keys() - after.keys()
    if gone:
        there = set(new.query("select principal_arn from principals")["principal_arn"].to_pylist())
        gone = {key for key in gone if key[0] in there}
    found = [_unknown(after[key], key[1], False) for key in after.keys() - before.keys()]
    found += [_unknown(before[key], key[1], True) for key in gone]
    told = {Unknown(None, None, None, f"{doubt.where}: {doubt.why}") for doubt in doubts}
    return sorted({*found, *told}, key=lambda one: (one.principal_arn or "", one.what))


def _missing(lake: Lake) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return principals by their ARN and what is missing of them; what a change only names is told apart."""
    return {
        (row["principal_arn"], what): row
        for row in lake.query(SQL).to_pylist()
        for what in row["missing"] or ("",)
        if unknown_of(what) != REST
    }


def _unknown(row: Mapping[str, Any], missing: str, is_gone: bool) -> Unknown:
    what = words(missing)
    told = f"{what}, before; it may have been a Deny" if is_gone else what
    return Unknown(row["principal_arn"], row["account_id"], row["principal_type"], told)


def words(missing: str) -> str:
    """Return what an entry of ``principals.missing`` says, as a sentence without an end."""
    what = unknown_of(missing)
    if what is None:
        if account_in(missing) == "aws":
            return f"the document of {missing} is not known; give a lake whose exports have it"
        if missing.startswith("arn:"):
            return f"the document of {missing} is not there, or could not be read"
        return f"{missing or 'a part of its policies'} is not there, or could not be read"
    if what.startswith(LACKING):
        return words(what.removeprefix(LACKING))
    if what.startswith(INLINE):
        what = f"inline policy {what.removeprefix(INLINE)}"
    elif what.startswith(MANAGED):
        what = f"the document of {what.removeprefix(MANAGED)}"
    return f"{what} is known only after the change"
