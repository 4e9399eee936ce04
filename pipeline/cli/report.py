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
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="ACCOUNT", help="Only this account: its id or name. May repeat."),
    ] = None,
    principal: Annotated[
        list[str] | None, typer.Option("--principal", metavar="PRINCIPAL", help="Only this user or role. May repeat.")
    ] = None,
    action: Annotated[
        list[str] | None,
        typer.Option("--action", metavar="ACTION", help="Only this action; * and ? are wildcards. May repeat."),
    ] = None,
    exceptions: Annotated[
        Path | None,
        typer.Option(
            "--exceptions",
            metavar="FILE",
            help="File of accepted risks; by default exceptions.toml in this folder, if it is there.",
        ),
    ] = None,
    controls: Annotated[
        list[Path] | None,
        typer.Option("--controls", metavar="DIR", help="A folder of own controls, besides those that come along."),
    ] = None,
    lake: LakeOption = DEFAULT_LAKE,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report.")] = Path("out"),
) -> None:
    """Write the HTML report of the current snapshot and print where its first page is.

    With --account, --principal or --action it is of a part, and nothing else is in its files: one who may read the part
    learns nothing of the rest. Several of one kind add up, kinds narrow one another.
    With --scenario the whole report is of that scenario, and every page says so.
    """
    from pipeline.controls import FILE, load_controls, read_exceptions
    from pipeline.report import Checks, part_of, write_report

    known = load_controls(controls or ())
    file = exceptions or (Path(FILE) if Path(FILE).is_file() else None)
    checks = Checks(known, read_exceptions(file) if file else ())

    opened = open_lake(lake)
    under = put_under(opened, scenario, scenarios)
    part = part_of(opened, account or (), principal or (), action or ())
    note(f"report of snapshot {opened.snapshot_id}")
    typer.echo(str(write_report(opened, out, scenario=under, part=part, checks=checks)))
