"""Options that several commands take, and the one way in which they print rows."""

import os
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, TypeAlias

import pyarrow as pa
import typer

from pipeline.errors import PolicylakeError, printable
from pipeline.lake import Lake, open_lake

FormatName = Literal["table", "csv", "json", "jsonl", "parquet", "xlsx", "md"]

LakeOption: TypeAlias = Annotated[
    Path, typer.Option("--lake", metavar="DIR", envvar="POLICYLAKE_LAKE", help="Folder or URL of the lake.")
]
FormatOption: TypeAlias = Annotated[
    FormatName | None,
    typer.Option("--format", help="How to print rows; by default what the name of --out says, else table."),
]
OutOption: TypeAlias = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write to this file instead of standard output.")
]
ResourceOption: TypeAlias = Annotated[
    str | None, typer.Option("--resource", metavar="ARN", help="Only what reaches this resource: one ARN, or *.")
]
ScenarioOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME", help="Read every condition under this scenario; see: scenarios."),
]
ControlsOption: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--controls", metavar="DIR", help="A folder of own controls, besides those that come along."),
]
ExceptionsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--exceptions",
        metavar="FILE",
        help="File of accepted risks; by default exceptions.toml in this folder, if it is there.",
    ),
]
SettingsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="CONTROL.PARAMETER=VALUE", help="A value for a parameter; may repeat."),
]
FailOnOption: TypeAlias = Annotated[
    Literal["critical", "high", "medium", "low", "info"] | None,
    typer.Option("--fail-on", help="Exit with 1 where a finding that nobody accepted is this bad, or worse."),
]
ScenariosOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--scenarios",
        metavar="FILE",
        help="File of scenarios; by default scenarios.toml in this folder, else the one that comes with policylake.",
    ),
]
DEFAULT_LAKE = Path("lake")


def lake_at(path: Path) -> Lake:
    """Open the lake that an option names, for queries: Ctrl-C ends the process even in the midst of one.

    DuckDB gives Python no turn while it joins, so Python's own handler would wait for the end of the query.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return open_lake(path)


def note(message: str) -> None:
    """Print a message for people on standard error."""
    print(printable(message), file=sys.stderr)


def emit(table: pa.Table, name: FormatName | None, out: Path | None, nothing: str = "no rows") -> None:
    """Write rows as ``--format`` and ``--out`` ask; ``nothing`` is said where there are no rows.

    Raises PolicylakeError where the file cannot be written, and for a binary format on a terminal.
    """
    # Here and not above: the formats load libraries that no other command needs.
    from pipeline import export

    chosen = name or (export.format_of(out) if out else None) or "table"
    if out is None:
        if chosen in export.BINARY and sys.stdout.isatty():
            raise PolicylakeError(f"--format {chosen}: no text for a terminal; give --out FILE or send it to a pipe")
        with standard_output() as stream:
            export.write(table, chosen, stream, export.Screen(screen_width()))
    else:
        with file_output(out) as stream:
            export.write(table, chosen, stream, export.Screen(None))
    if table.num_rows == 0:
        note(nothing)


def is_for_people(name: FormatName | None, out: Path | None) -> bool:
    """Whether rows are for people: the table format, on standard output."""
    return name in (None, "table") and out is None


def screen_width() -> int | None:
    """Return the width of the terminal that standard output is, None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Yield standard output; a reader that stops early ends the command without a word."""
    try:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.flush()
    except BrokenPipeError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from error


@contextmanager
def file_output(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file that takes its name only when everything is written; devices and pipes are written straight.

    ``-`` is standard output. A link stays: the file that it leads to is replaced, and keeps its mode.
    """
    if str(path) == "-":
        with standard_output() as stream:
            yield stream
        return
    if path.is_dir():
        raise PolicylakeError(f"{path}: a folder; give --out a file name")
    try:
        with _special(path) if path.exists() and not path.is_file() else _replaced(path) as stream:
            yield stream
    except BrokenPipeError:
        raise typer.Exit(0) from None
    except OSError as error:
        raise PolicylakeError(f"{path}: {error.strerror}; give --out a file that can be written") from error


def _special(path: Path) -> BinaryIO:
    """Open a device or a pipe, which may wait for a reader."""
    return path.open("wb")


@contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as stream:
            yield stream
        if target.exists():
            fresh.chmod(stat.S_IMODE(target.stat().st_mode))
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
