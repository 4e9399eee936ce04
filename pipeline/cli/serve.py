"""The command ``serve``: the report and a box for SQL, for browsers of this machine."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import (
    DEFAULT_LAKE,
    ControlsOption,
    ExceptionsOption,
    LakeOption,
    ScenarioOption,
    ScenariosOption,
    note,
)
from pipeline.cli.report import checks_of
from pipeline.cli.scenarios import put_under
from pipeline.cli.stopping import forget, stoppable
from pipeline.lake import open_lake


def serve(
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="Port on 127.0.0.1; 0 takes one that is free.")
    ] = 8642,
    scenario: ScenarioOption = None,
    scenarios: ScenariosOption = None,
    exceptions: ExceptionsOption = None,
    controls: ControlsOption = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Serve the report to browsers of this machine, with a box for SQL over the lake, until Ctrl-C.

    It listens on 127.0.0.1 only and changes nothing. A query has 20 seconds and 1 GiB of memory and shows 1,000
    rows; it reads the relations of the snapshot, no file and no setting. Everybody who can use this machine can read
    what is served.
    """
    from pipeline.lake.console import Console
    from pipeline.report import write_report
    from pipeline.serve import open_server

    checks = checks_of(controls, exceptions)
    opened = open_lake(lake)
    under = put_under(opened, scenario, scenarios)
    with Console(opened) as console, tempfile.TemporaryDirectory(prefix="policylake-serve-") as made:
        folder = Path(made) / "report"
        with open_server(port, folder, console) as server:
            try:
                with stoppable(console.close):
                    note(f"writing the report of snapshot {opened.snapshot_id}")
                    write_report(opened, folder, scenario=under, checks=checks, with_console=True)
                    console.start()
                    typer.echo(server.address)
                    note("Ctrl-C ends it")
                    server.serve_forever()
            except KeyboardInterrupt:
                forget()
