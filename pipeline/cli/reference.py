"""The command ``reference``: shows the service reference and refreshes it."""

from datetime import date
from typing import Annotated

import typer

from pipeline.cli.common import FormatOption, OutOption, emit, note
from pipeline.errors import SOME_REJECTED
from pipeline.reference import load
from pipeline.reference.describe import describe

app = typer.Typer(help="Show the service reference, or refresh it.", invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def show(context: typer.Context, format_name: FormatOption = None, out: OutOption = None) -> None:
    """Show which service reference is used, with its version and age, or refresh it."""
    if context.invoked_subcommand is None:
        emit(describe(load(), date.today()), format_name, out)


@app.command("refresh")
def refresh(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="File, folder or URL of AWS's machine-readable service reference.")
    ],
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Read a newer service reference and use it from now on; what cannot be read leaves the old one in use.

    Exit code 3 says that a part of the source was left out and the rest is used.
    """
    from pipeline.reference.refresh import refresh as read_newer

    newer = read_newer(source, warn=note)
    emit(describe(newer, date.today()), format_name, out)
    if newer.meta["problems"]:
        raise typer.Exit(SOME_REJECTED)
