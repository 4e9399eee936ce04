"""The commands by name, and what a failure looks like: one line on standard error and an exit code."""

import errno
import sys
import warnings
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli import (
    INTERRUPTED,
    answers,
    build,
    check,
    controls,
    diff,
    export,
    gc,
    reference,
    report,
    scenarios,
    serve,
    simulate,
    tables,
)
from pipeline.cli.stopping import BY_SIGNAL, forget, stopped_by
from pipeline.errors import PolicylakeError, printable

FULL = (errno.ENOSPC, errno.EDQUOT)

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
app.command("serve")(serve.serve)
app.command("export")(export.export)
app.command("who-can")(answers.who_can)
app.command("principal-can")(answers.principal_can)
app.command("explain")(answers.explain)
app.command("simulate")(simulate.simulate)
# A query may begin with a comment, which is no option.
app.command("sql", context_settings={"ignore_unknown_options": True})(tables.sql)
app.command("query")(tables.query)
app.command("tables")(tables.tables)
app.command("diff")(diff.diff)
app.command("scenarios")(scenarios.scenarios)
app.command("check")(check.check)
app.add_typer(controls.app, name="controls")
app.command("gc")(gc.gc)
app.add_typer(reference.app, name="reference")


def status() -> int:
    """Run the command of the arguments and return the exit code; errors are one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    forget()
    code = _status()
    number = stopped_by()
    return BY_SIGNAL + number if number is not None and code else code


def _status() -> int:
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
    except OSError as error:
        remedy = "make room there" if error.errno in FULL else "check the path and its rights"
        return _failed(f"{error.filename or 'system'}: {error.strerror or error}; {remedy}", 2)
    except Exception as error:
        # What an interrupt of DuckDB comes to depends on where it was.
        if stopped_by() is None and str(error) != "Query interrupted":
            raise
        return INTERRUPTED


def _failed(message: str, status: int) -> int:
    if stopped_by() is not None:
        return status
    lines = (line.strip() for line in message.splitlines())
    print("policylake:", printable(" ".join(line for line in lines if line.strip("^"))), file=sys.stderr)
    return status
