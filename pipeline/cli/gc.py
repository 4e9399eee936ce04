"""The command ``gc``: removes old snapshots of a lake."""

from typing import Annotated

import pyarrow as pa
import typer

from pipeline.cli.common import DEFAULT_LAKE, FormatOption, LakeOption, OutOption, emit, note
from pipeline.cli.sizes import size_text
from pipeline.lake.retention import Kept, collect
from pipeline.remote import shown

KEEP = 5
GRACE_MINUTES = 60
SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("current_since", pa.timestamp("s", "UTC")),
        ("bytes", pa.int64()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
    ]
)


def gc(
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=1, help="Keep the newest N snapshots, the current one included.")
    ] = KEEP,
    grace: Annotated[
        int,
        typer.Option(
            "--grace",
            metavar="MINUTES",
            min=0,
            help="Spare what was current within the last MINUTES: clients other than policylake lock nothing.",
        ),
    ] = GRACE_MINUTES,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be removed, and remove nothing.")] = False,
    lake: LakeOption = DEFAULT_LAKE,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Remove old snapshots of the lake, and what builds that died left there.

    The current snapshot stays, and so does one that somebody reads: a command of policylake anywhere, any other program
    of this machine that has its files or the views over it open (seen on Linux). Other readers have until --grace ends.
    """
    found = collect(lake, keep=keep, grace=grace * 60, is_dry=dry_run)
    emit(_rows(found, dry_run), format_name, out)
    removed = [one for one in found if one.is_removed]
    freed = size_text(sum(one.size for one in removed))
    told = f"{len(removed)} to remove, {freed} to free" if dry_run else f"{len(removed)} removed, {freed} freed"
    note(f"{shown(lake)}: {told}, {len(found) - len(removed)} kept")


def _rows(found: list[Kept], is_dry: bool) -> pa.Table:
    removed = "would be removed" if is_dry else "removed"
    rows = [
        {
            "name": one.name,
            "current_since": one.since,
            "bytes": one.size,
            "outcome": removed if one.is_removed else "kept",
            "reason": one.reason,
        }
        for one in found
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
