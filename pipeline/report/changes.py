"""The page of what changed since the snapshot before: a row for each scope whose access differs, the gravest first."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from pipeline import reference
from pipeline.diff import COLUMNS as ALL_COLUMNS
from pipeline.diff import changes, notes
from pipeline.diff.table import OF_ACCESS
from pipeline.errors import PolicylakeError
from pipeline.lake import Lake, open_lake
from pipeline.reference.dangerous import DANGEROUS
from pipeline.report.actions import address_of
from pipeline.report.history import History, Snapshot
from pipeline.report.model import Book
from pipeline.report.queries import rows
from pipeline.report.tables import Cell, Table, write_table

COLUMNS = ("principal", "action", "change", "on", "now", "before", "through")
#: Rows of the pages, of which the first stand in the page itself; the file has all of them.
MOST = 5000
SHOWN = 100
#: Principals that may differ: where each of them has 50 rows, these take 4 GB.
MOST_PRINCIPALS = 15_000
FILE = "changes.csv"
#: Rows of the file: some 70 MB.
MOST_IN_FILE = 100_000
#: What a change is called, the weightiest first: requests are allowed that were not, some are, none are.
WORDS = ("gained", "wider", "different", "narrower", "lost")
LEVELS = ("Permissions management", "Write", "Tagging", "Read", "List")
#: Columns that tell the weight of a row.
WEIGHING = ["change", "residual", "action", "access_level", "principal_arn"]
DANGER = {name: place for place, (name, _) in enumerate(DANGEROUS)}
Row = dict[str, Any]


class Changes(NamedTuple):
    """What changed. ``counts`` are rows by what the change is; ``trouble`` says why nothing can be compared.

    ``table`` holds ``shown`` rows of ``total``, the file ``filed``. ``principals`` and ``actions`` are how many differ.
    """

    before: Snapshot
    counts: tuple[tuple[str, int], ...] = ()
    principals: int = 0
    actions: int = 0
    total: int = 0
    shown: int = 0
    filed: int = 0
    table: Table | None = None
    notes: tuple[str, ...] = ()
    trouble: str = ""


def write_changes(
    folder: Path, lake: Lake, history: History | None, book: Book, names: Sequence[str]
) -> Changes | None:
    """Write what changed since the snapshot before: ``data/tables/changes-<n>.js`` and, of all rows, ``changes.csv``.

    ``names`` are the pages of the actions. Returns None where the lake holds no snapshot of earlier exports.
    """
    before = _before(history)
    if before is None:
        return None
    try:
        found, remarks = _compared(lake, before)
    except PolicylakeError as error:
        return Changes(before, trouble=str(error))
    keys = found.select(WEIGHING).to_pylist()
    found = found.take(sorted(range(len(keys)), key=lambda place: _weight(keys[place])))
    _write_file(folder / FILE, found.slice(0, MOST_IN_FILE))
    pages = {action.name: name for action, name in zip(book.actions, names, strict=True)}
    cells = [_cells(row, book, pages) for row in found.slice(0, MOST).to_pylist()]
    counted = Counter(map(_word, keys))
    return Changes(
        before,
        tuple((word, counted[word]) for word in WORDS if counted[word]),
        len({row["principal_arn"] for row in keys}),
        len({row["action"] for row in keys}),
        len(keys),
        len(cells),
        min(len(keys), MOST_IN_FILE),
        write_table(folder, "tables/changes", "Changed access", COLUMNS, cells, SHOWN),
        tuple(remarks),
    )


def _before(history: History | None) -> Snapshot | None:
    """Return the snapshot before the current one, by the days of their exports."""
    listed = history.snapshots if history else ()
    current = next((place for place, one in enumerate(listed) if one.is_current), 0)
    return listed[current - 1] if current else None


def _compared(lake: Lake, before: Snapshot) -> tuple[pa.Table, list[str]]:
    """Compare two snapshots, both opened anew: what a comparison lends them does not stay with the report's lake."""
    old, new = open_lake(lake.path, before.snapshot_id), open_lake(lake.path, lake.snapshot_id)
    with closing(old.connection), closing(new.connection):
        _check_size(old, new)
        return changes(old, new, reference.load()), notes(old, new)


def _check_size(old: Lake, new: Lake) -> None:
    """Raise PolicylakeError where so much may differ that its rows would not fit into memory beside the report's."""
    groups = _groups_that_differ(old.manifest.get("files", {}), new.manifest.get("files", {}))
    count = rows(new, "history/principals_of_groups", {"groups": sorted(groups)})[0]["principal_count"]
    if count > MOST_PRINCIPALS:
        told = f"policylake diff {old.snapshot_id} {new.snapshot_id} --account ID"
        raise PolicylakeError(
            f"{count:,} principals are in account groups whose access differs, more than a report compares; "
            f"ask for one account after the other: {told}"
        )


def _groups_that_differ(old: dict[str, str], new: dict[str, str]) -> set[int]:
    """Return the account groups of which a file that tells access differs; files of a group are named alike."""
    differing = (name for name in {*old, *new} if old.get(name) != new.get(name))
    named = (name.partition("/") for name in differing)
    return {int(file.removesuffix(".parquet"), 16) for relation, _, file in named if relation in OF_ACCESS}


def _word(row: Row) -> str:
    return str(row["residual"] if row["change"] == "changed" else row["change"])


def _weight(row: Row) -> tuple[int, int, int, str, str]:
    """Return what rows are ordered by: more access before less, then what opens most, then the access level."""
    level = LEVELS.index(row["access_level"]) if row["access_level"] in LEVELS else len(LEVELS)
    danger = DANGER.get(row["action"], len(DANGER))
    return WORDS.index(_word(row)), danger, level, row["principal_arn"], row["action"]


def _cells(row: Row, book: Book, pages: dict[str, str]) -> list[Cell]:
    arn, action, word = row["principal_arn"], row["action"], _word(row)
    found = {"new only": " (new)", "old only": " (gone)"}.get(row["found_in"], "")
    mark = found + (" (incomplete)" if row["is_incomplete"] else "")
    return [
        Cell(arn + mark, address_of(arn) if arn in book.arns else "", "code"),
        Cell(action, pages.get(action, ""), "code"),
        Cell(word),
        Cell(_scope(row), kind="code"),
        Cell(_said(row["verdict"], row["condition"])),
        Cell(_said(row["old_verdict"], row["old_condition"])),
        Cell("; ".join(row["through"] or ())),
    ]


def _scope(row: Row) -> str:
    new, old = row["resource_pattern"], row["old_resource_pattern"]
    pattern = f"{new}, was {old}" if new and old and new != old else new or old or ""
    kind = row["resource_type"]
    return pattern if kind == "*" else f"{kind} {pattern}"


def _said(verdict: str | None, condition: str | None) -> str:
    return f"{verdict}: {condition}" if condition else verdict or "none"


def _write_file(path: Path, found: pa.Table) -> None:
    """Write rows as CSV in which no text is taken for a formula by a spreadsheet."""
    frame = pl.DataFrame(pl.from_arrow(found.select(list(ALL_COLUMNS))))
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    texts = frame.with_columns(pl.col(lists).list.join("; ")).cast(pl.String)
    marked = pl.all().str.replace(r"^([=+\-@\t\r])", "'${1}")
    path.write_bytes(texts.with_columns(marked).write_csv().encode())
