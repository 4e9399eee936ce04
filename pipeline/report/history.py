"""The verdicts of the lake's snapshots over time: reads the files of former snapshots with one query each."""

import itertools
from typing import NamedTuple

from pipeline import assets
from pipeline.errors import PolicylakeError
from pipeline.lake import Lake
from pipeline.report.model import LETTERS, VERDICTS

#: Relations whose files the query reads.
RELATIONS = (
    "principal_profiles", "profile_cases", "blocks", "action_forms", "evaluated_actions", "case_cells",
    "cell_verdicts", "accounts",
)  # fmt: skip
#: Snapshots that the picture shows, the latest ones.
MOST = 12


class Snapshot(NamedTuple):
    """A snapshot: cells of the matrix by verdict, and the day of its latest export (an empty text is unknown).

    ``changes`` are the differences to the snapshot before it.
    """

    snapshot_id: str
    day: str
    counts: dict[str, int]
    is_current: bool
    changes: dict[str, int] | None = None


class History(NamedTuple):
    """The snapshots in the order of their exports. ``unread`` are those of another format, or without a date."""

    snapshots: tuple[Snapshot, ...]
    unread: int

    @property
    def highest(self) -> int:
        """The most cells with a grant that any of them has."""
        return max((sum(one.counts[verdict] for verdict in VERDICTS) for one in self.snapshots), default=0)


def read_history(lake: Lake) -> History:
    """Read the snapshots that the lake still holds."""
    folder = lake.path / "snapshots"
    names = sorted(path.name for path in folder.iterdir() if (path / "manifest.json").is_file())
    read = [_snapshot(lake, name) for name in names]
    known = sorted((one for one in read if one and one.day), key=lambda one: (one.day, one.is_current, one.snapshot_id))
    shown = known[-MOST:]
    compared = [one._replace(changes=_changes(before, one)) for before, one in itertools.pairwise(shown)]
    return History((*shown[:1], *compared), len(names) - len(known))


def _changes(before: Snapshot, after: Snapshot) -> dict[str, int]:
    return {verdict: after.counts[verdict] - before.counts[verdict] for verdict in LETTERS}


def _snapshot(lake: Lake, name: str) -> Snapshot | None:
    folder = (lake.path / "snapshots" / name).resolve()
    files = {relation: f"{folder}/{relation}/*.parquet" for relation in RELATIONS}
    try:
        found = lake.query(assets.text("sql", "report/history/snapshot_verdicts.sql"), files).to_pylist()
    except PolicylakeError:
        return None
    counts = dict.fromkeys(VERDICTS, 0) | {row["verdict"]: row["cell_count"] for row in found if row["verdict"]}
    counts["none"] = found[0]["matrix_cell_count"] - sum(counts.values())
    day = (found[0]["data_as_of"] or "")[:10]
    return Snapshot(name, day, counts, name == lake.snapshot_id)
