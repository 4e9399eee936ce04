"""The command ``report``: writes the HTML report of the current snapshot."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import DEFAULT_LAKE, LakeOption, note
from pipeline.lake import open_lake


def report(
    lake: LakeOption = DEFAULT_LAKE,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report.")] = Path("out"),
) -> None:
    """Write the HTML report of the current snapshot and print where its first page is."""
    from pipeline.report import write_report

    opened = open_lake(lake)
    note(f"report of snapshot {opened.snapshot_id}")
    typer.echo(str(write_report(opened, out)))
