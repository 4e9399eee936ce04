"""The command ``report``: writes the HTML report of the current snapshot."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import DEFAULT_LAKE, LakeOption, ScenarioOption, ScenariosOption, note
from pipeline.cli.scenarios import put_under
from pipeline.lake import open_lake


def report(
    scenario: ScenarioOption = None,
    scenarios: ScenariosOption = None,
    lake: LakeOption = DEFAULT_LAKE,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report.")] = Path("out"),
) -> None:
    """Write the HTML report of the current snapshot and print where its first page is.

    With --scenario the whole report is of that scenario, and every page says so.
    """
    from pipeline.report import write_report

    opened = open_lake(lake)
    under = put_under(opened, scenario, scenarios)
    note(f"report of snapshot {opened.snapshot_id}")
    typer.echo(str(write_report(opened, out, scenario=under)))
