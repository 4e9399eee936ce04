"""The commands by name, and what a failure looks like: one line on standard error and an exit code."""

import sys
import warnings
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli import INTERRUPTED, answers, build, gc, reference, report, scenarios, simulate, tables
from pipeline.errors import PolicylakeError, printable

app = typer.Typer(
    help="Who can do what with SageMaker, on which resources, under which conditions, and how do you know.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"policylake {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("build")(build.build)
app.command("report")(report.report)
app.command("who-can")(answers.who_can)
app.command("principal-can")(answers.principal_can)
app.command("explain")(answers.explain)
app.command("simulate")(simulate.simulate)
# A query may begin with a comment, which is no option.
app.command("sql", context_settings={"ignore_unknown_options": True})(tables.sql)
app.command("query")(tables.query)
app.command("tables")(tables.tables)
app.command("scenarios")(scenarios.scenarios)
app.command("gc")(gc.gc)
app.add_typer(reference.app, name="reference")


def status() -> int:
    """Run the command of the arguments and return the exit code; errors are one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # DuckDB's advice to Python programmers is nothing to users.
    warnings.filterwarnings("ignore", message="Arrow output", category=UserWarning)
    try:
        return app(standalone_mode=False, prog_name="policylake") or 0
    except PolicylakeError as error:
        return _failed(str(error), error.exit_code)
    except typer.exceptions.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "policylake"
        wrong = error.format_message().replace("Value error, ", "")
        return _failed(f"{command.removeprefix('policylake ')}: {wrong} See: {command} --help", 2)
    except typer.Abort:
        return INTERRUPTED
    except RuntimeError as error:
        # What Ctrl-C is called by DuckDB.
        if str(error) != "Query interrupted":
            raise
        return INTERRUPTED
    except OSError as error:
        return _failed(f"{error.filename or 'system'}: {error.strerror or error}; check the path and its rights", 2)


def _failed(message: str, status: int) -> int:
    lines = (line.strip() for line in message.splitlines())
    print("policylake:", printable(" ".join(line for line in lines if line.strip("^"))), file=sys.stderr)
    return status
