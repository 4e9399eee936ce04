"""The page of what changed since the snapshot before: a row for each scope whose access differs, the gravest first."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import reference
from pipeline.diff import COLUMNS as ALL_COLUMNS
from pipeline.diff import Behind, Wanted, behind, changes, notes, policy_changes
from pipeline.diff.reasons import OWN_POLICY
from pipeline.diff.table import files_of_groups
from pipeline.diff.unknown import UNKNOWN
from pipeline.errors import PolicylakeError
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.given import formula_of
from pipeline.evaluate.scenarios import Scenario
from pipeline.evaluate.under import assume, put_under
from pipeline.iam.grammar import account_in
from pipeline.lake import Lake, open_lake
from pipeline.reference.dangerous import DANGEROUS
from pipeline.report.actions import address_of
from pipeline.report.history import History, Snapshot
from pipeline.report.model import Book
from pipeline.report.own import targets
from pipeline.report.part import Part
from pipeline.report.queries import rows
from pipeline.report.reading import Read
from pipeline.report.scripts import write_script
from pipeline.report.tables import Cell, Table, write_table
from pipeline.wording import FORMULA

COLUMNS = ("principal", "action", "change", "on", "now", "before", "through")
#: Rows of the pages, of which the first stand in the page itself; the file has all of them.
MOST = 5000
SHOWN = 100
#: Principals that may differ: where each of them has 50 rows, these take 4 GB.
MOST_PRINCIPALS = 15_000
FILE = "changes.csv"
#: Rows of the file: some 70 MB.
MOST_IN_FILE = 100_000
#: What a change is called, the weightiest first: requests are allowed that were not, some are, nobody knows, none are.
WORDS = ("gained", "wider", "different", "unknown", "narrower", "lost")
ANYBODY = "whoever may be meant"
#: Types of principals; parties of policies have others.
PRINCIPALS = ("user", "role", "group", "policy")
LEVELS = ("Permissions management", "Write", "Tagging", "Read", "List")
#: Columns that tell the weight of a row.
WEIGHING = ["change", "residual", "action", "access_level", "principal_arn"]
DANGER = {name: place for place, (name, _) in enumerate(DANGEROUS)}
Row = dict[str, Any]


class Compared(NamedTuple):
    """What a comparison with the snapshot before found: ``rows``, the gravest first, and what is behind the first of
    them (None for rows of policies).

    ``former`` are the conditions of the snapshot before by id, as far as these rows ask for them. ``trouble`` says why
    nothing can be compared.
    """

    before: Snapshot
    rows: pa.Table | None = None
    behind: tuple[Behind | None, ...] = ()
    former: Mapping[str, Formula] = {}
    notes: tuple[str, ...] = ()
    trouble: str = ""


class Changes(NamedTuple):
    """What changed. ``counts`` are rows by what the change is; ``trouble`` says why nothing can be compared.

    ``rows`` are the first of ``total``, the gravest first, as ``table`` holds them; the file holds ``filed``.
    ``principals`` and ``actions`` are how many differ. ``is_asking`` says whether conditions are behind them.
    """

    before: Snapshot
    counts: tuple[tuple[str, int], ...] = ()
    principals: int = 0
    actions: int = 0
    total: int = 0
    filed: int = 0
    rows: Sequence[Sequence[Cell]] = ()
    table: Table | None = None
    notes: tuple[str, ...] = ()
    trouble: str = ""
    is_asking: bool = False


class Within(NamedTuple):
    """A part of a report, and what policies of it are attached to: by these they are called."""

    part: Part
    targets: frozenset[str]

    def has(self, row: Row) -> bool:
        """Whether a row is of the part: its principal, or whoever may come to a resource or role of it."""
        return self._asks_for(row["action"]) and (
            not (self.part.accounts or self.part.principals)
            or self.tells(row["principal_arn"])
            or self.tells(row["resource_pattern"] or row["old_resource_pattern"])
        )

    def may_have(self, row: Row) -> bool:
        """Whether a row of a policy, or of what is unknown, that is not the part's may be about it all the same: about
        whoever may be meant, or, of a part of accounts, about a resource whose ARN names none."""
        if self.has(row) or not self._asks_for(row["action"]):
            return False
        resource = row["resource_pattern"] or row["old_resource_pattern"] or ""
        is_unplaced = resource.startswith("arn:") and not account_in(resource)
        return row["principal_arn"] in (None, "*") or (is_unplaced and not self.part.principals)

    def _asks_for(self, action: str | None) -> bool:
        return not self.part.actions or action is None or action in self.part.actions

    def tells(self, arn: str | None) -> bool:
        """Whether an ARN is of the part's accounts and principals, or is one of them."""
        return arn is not None and (
            (not self.part.principals or arn in self.part.principals)
            and (not self.part.accounts or account_in(arn) in self.part.accounts)
        )

    def wanted(self) -> Wanted:
        """Return what is to be compared: an account or principal alone where the part has but one."""
        account = next(iter(self.part.accounts)) if len(self.part.accounts) == 1 else None
        principal = next(iter(self.part.principals)) if len(self.part.principals) == 1 else None
        return Wanted(principal, None, account)


def within(read: Read) -> Within | None:
    """Return what the changes of a part are within; None for no part."""
    return None if read.part is None else Within(read.part, targets(read.book, read.sources))


def compared(lake: Lake, history: History, scenario: Scenario | None, within: Within | None) -> Compared | None:
    """Compare the lake's snapshot with the one before it, both under the scenario, if any; of a part what is within.

    Returns None where the lake holds no snapshot of earlier exports.
    """
    before = _before(history)
    if before is None:
        return None
    try:
        return _compared(lake, before, scenario, within)
    except PolicylakeError as error:
        return Compared(before, trouble=str(error))


def with_former(book: Book, found: Compared | None) -> Book:
    """Return the book with the conditions of the snapshot before, which have numbers after all others."""
    if found is None:
        return book
    missing = found.former.keys() - book.conditions.numbers.keys()
    former = {condition_id: found.former[condition_id] for condition_id in sorted(missing)}
    return replace(book, conditions=book.conditions._replace(former=former))


def changes_of(found: Compared, book: Book, names: Sequence[str]) -> Changes:
    """Return what changed in words and numbers; ``names`` are the pages of the actions."""
    if found.rows is None:
        return Changes(found.before, trouble=found.trouble)
    pages = {action.name: name for action, name in zip(book.actions, names, strict=True)}
    keys = found.rows.select(WEIGHING).to_pylist()
    counted = Counter(map(_word, keys))
    return Changes(
        found.before,
        tuple((word, counted[word]) for word in WORDS if counted[word]),
        len({row["principal_arn"] for row in keys} - {None}),
        len({row["action"] for row in keys} - {None}),
        len(keys),
        min(len(keys), MOST_IN_FILE),
        [_cells(row, book, pages) for row in found.rows.slice(0, MOST).to_pylist()],
        None,
        found.notes,
        is_asking=any(one and any((*one.old, *one.new)) for one in found.behind),
    )


def write_changes(folder: Path, found: Compared, book: Book, names: Sequence[str]) -> Changes:
    """Write what changed since the snapshot before: ``data/tables/changes-<n>.js``, ``data/changes.js`` with the
    conditions behind the rows, by number, and, of all rows, ``changes.csv``.
    """
    told = changes_of(found, book, names)
    if found.rows is None:
        return told
    write_file(folder / FILE, found.rows.slice(0, MOST_IN_FILE))
    numbers = book.conditions.numbers
    kinds = found.rows.slice(0, len(found.behind)).select(["residual"])["residual"].to_pylist()
    asked = [_asked(one, kind, numbers) for one, kind in zip(found.behind, kinds, strict=True)]
    write_script(folder, "changes", asked)
    return told._replace(table=write_table(folder, "tables/changes", "Changed access", COLUMNS, told.rows, SHOWN))


def _asked(behind: Behind | None, residual: str, numbers: Mapping[str, int]) -> list[Any] | None:
    """Return the side that a row is about (n, o, or b for both), the conditions of the old and of the new side, and
    whether one scope stands against the same one. Conditions are numbers, -1 for a scope without one."""
    if behind is None:
        return None
    sides = [[numbers[one] if one else -1 for one in side] for side in (behind.old, behind.new)]
    return [{"wider": "n", "narrower": "o"}.get(residual, "b"), *sides, int(behind.is_same_scope)]


def _before(history: History) -> Snapshot | None:
    """Return the snapshot before the current one, by the days of their exports."""
    current = next((place for place, one in enumerate(history.snapshots) if one.is_current), 0)
    return history.snapshots[current - 1] if current else None


def _compared(lake: Lake, before: Snapshot, scenario: Scenario | None, within: Within | None) -> Compared:
    """Compare two snapshots, both opened anew: what a comparison lends them does not stay with the report's lake."""
    known = reference.load()
    old, new = open_lake(lake.path, before.snapshot_id), open_lake(lake.path, lake.snapshot_id)
    with closing(old.connection), closing(new.connection):
        _check_size(old, new, within)
        if scenario:
            for side in (old, new):
                put_under(side, scenario, known)
        formulas = {row["condition_id"]: row["formula"] for row in rows(old, "conditions")}
        if scenario:
            for side in (old, new):
                assume(side, scenario)
        found, remarks = _differing(old, new, known, within)
        beside = behind(new)
    if scenario:
        found = _without_proofs(found)
    keys = found.select([*WEIGHING, "resource_pattern", "old_resource_pattern"]).to_pylist()
    own = (place for place, row in enumerate(keys) if within is None or within.has(row))
    order = sorted(own, key=lambda place: _weight(keys[place]))
    shown = tuple(beside[place] if place < len(beside) else None for place in order[:MOST])
    asked = sorted({one for each in shown if each for one in each.old if one})
    former = {one: formula_of(formulas[one]) for one in asked}
    return Compared(before, found.take(pa.array(order, pa.int64())), shown, former, remarks)


def _differing(
    old: Lake, new: Lake, known: reference.Reference, within: Within | None
) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the differences with remarks on them; of a part some more than its own."""
    if within is None:
        return changes(old, new, known), tuple(notes(old, new))
    gone = (row["principal_arn"] for row in old.query("select principal_arn from principals").to_pylist())
    targets = within.targets | {arn for arn in gone if within.tells(arn)}
    found = changes(old, new, known, within.wanted(), targets=targets)
    kinds = found["principal_type"].to_pylist()
    of_principals = found.filter(pa.array([kind in (None, *PRINCIPALS) for kind in kinds], pa.bool_()))
    # Whether a policy of a resource is the part's is seen here: what is wanted goes by the resource's account alone.
    policies = policy_changes(old, new, known, None, None, None)
    own = [row for row in policies if within.has(row)]
    unknown = of_principals.filter(pc.equal(of_principals["change"], UNKNOWN)).to_pylist()
    left_out = sum(map(within.may_have, [*policies, *unknown]))
    told = (*notes(old, new, within.tells), *_left_out(left_out, old, new))
    return pa.concat_tables([of_principals, pa.Table.from_pylist(own, found.schema)]), told


def _left_out(count: int, old: Lake, new: Lake) -> tuple[str, ...]:
    """Say how many changes may be about a part, and are not in its report."""
    if not count:
        return ()
    what, they = ("change is", "it") if count == 1 else ("changes are", "they")
    return (
        f"{count:,} more {what} left out: of policies of resources whose ARN names no account, such as S3 buckets, or "
        f"of whoever may be meant; {they} may be about this part, too: "
        f"policylake diff {old.snapshot_id} {new.snapshot_id}",
    )


def _without_proofs(found: pa.Table) -> pa.Table:
    """Leave out the requests: those of conditions that were read again say nothing of the scenario's keys."""
    for name in ("witness", "lost_witness"):
        place = found.schema.get_field_index(name)
        found = found.set_column(place, name, pa.nulls(found.num_rows, pa.string()))
    return found


def _check_size(old: Lake, new: Lake, within: Within | None) -> None:
    """Raise PolicylakeError where so much may differ that its rows would not fit into memory beside the report's."""
    groups = _groups_that_differ(old, new)
    account, principal = (within.wanted().account, within.wanted().principal) if within else (None, None)
    asked = {"groups": sorted(groups), "account": account, "principal": principal}
    count = rows(new, "history/principals_of_groups", asked)[0]["principal_count"]
    if count > MOST_PRINCIPALS:
        told = f"policylake diff {old.snapshot_id} {new.snapshot_id} --account ID"
        raise PolicylakeError(
            f"{count:,} principals are in account groups whose access differs, more than a report compares; "
            f"ask for one account after the other: {told}"
        )


def _groups_that_differ(old: Lake, new: Lake) -> set[int]:
    """Return the account groups of which a file that tells access differs."""
    before, after = files_of_groups(old), files_of_groups(new)
    return {group for group in {*before, *after} if before.get(group) != after.get(group)}


def _word(row: Row) -> str:
    return str(row["residual"] if row["change"] == "changed" else row["change"])


def _weight(row: Row) -> tuple[int, int, int, str, str]:
    """Return what rows are ordered by: more access before less, then what opens most, then the access level."""
    level = LEVELS.index(row["access_level"]) if row["access_level"] in LEVELS else len(LEVELS)
    danger = DANGER.get(row["action"], len(DANGER))
    return WORDS.index(_word(row)), danger, level, row["principal_arn"] or "", row["action"] or ""


def _cells(row: Row, book: Book, pages: dict[str, str]) -> list[Cell]:
    arn, action, word = row["principal_arn"] or ANYBODY, row["action"] or "", _word(row)
    is_known = row["change"] != UNKNOWN
    found = {"new only": " (new)", "old only": " (gone)"}.get(row["found_in"], "")
    mark = found + (" (incomplete)" if row["is_incomplete"] else "")
    return [
        Cell(arn + mark, address_of(arn) if arn in book.arns else "", "code"),
        Cell(action, pages.get(action, ""), "code"),
        Cell(word),
        Cell(_scope(row), kind="code"),
        Cell(_said(row["verdict"], row["condition"]) if is_known else UNKNOWN),
        Cell(_said(row["old_verdict"], row["old_condition"]) if is_known else UNKNOWN),
        Cell("\n".join(map(_shortly, row["through"] or ())), kind="lines"),
    ]


def _shortly(through: str) -> str:
    """Return the words for a statement with a customer managed policy by its path, and files without folders; what is
    unknown as it is."""
    if through.startswith("?"):
        return through
    named = OWN_POLICY.sub("", through)
    return re.sub(r"\(([^()]*)\)$", lambda found: f"({', '.join(map(_file, found[1].split(', ')))})", named)


def _file(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _scope(row: Row) -> str:
    new, old = row["resource_pattern"], row["old_resource_pattern"]
    pattern = f"{new}, was {old}" if new and old and new != old else new or old or ""
    kind = row["resource_type"]
    return pattern if kind in ("*", None) else f"{kind} {pattern}"


def _said(verdict: str | None, condition: str | None) -> str:
    return f"{verdict}: {condition}" if condition else verdict or "none"


def write_file(path: Path, found: pa.Table) -> None:
    """Write rows as CSV in which no text is taken for a formula by a spreadsheet."""
    frame = pl.DataFrame(pl.from_arrow(found.select(list(ALL_COLUMNS))))
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    texts = frame.with_columns(pl.col(lists).list.join("; ")).cast(pl.String)
    marked = pl.all().str.replace(f"^({FORMULA.pattern})", "'${1}")
    path.write_bytes(texts.with_columns(marked).write_csv().encode())
