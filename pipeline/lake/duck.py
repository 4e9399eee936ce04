"""Opens DuckDB with settings that make results repeat, lets it be interrupted, and turns its errors into ours."""

import os
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from pipeline import machine
from pipeline.errors import PolicylakeError, first_line
from pipeline.lake.spill import query_folder

#: Part of the memory that DuckDB takes unless told otherwise; what Python and its workers hold comes on top.
MEMORY_SHARE = 0.5
MIB = 2**20
UNCHANGED = "nothing changed, the former snapshot is still current"

Connection = duckdb.DuckDBPyConnection


class Limits(NamedTuple):
    """What DuckDB may use: ``memory`` in bytes, beyond which it spills to files in the folder ``spill``."""

    memory: int
    threads: int
    spill: Path


def limits(memory: int | None = None, threads: int | None = None, spill: Path | None = None) -> Limits:
    """Return limits, by default a good share of what this process may use."""
    share = int(machine.memory() * MEMORY_SHARE)
    return Limits(memory or share, threads or machine.processors(), spill or query_folder())


_opened: "weakref.WeakSet[Connection]" = weakref.WeakSet()


def connect(path: str = ":memory:", *, read_only: bool = False, within: Limits | None = None) -> Connection:
    """Return a connection that sees no Python variables, takes nothing from the network and spills to temp files."""
    given = within or limits()
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "memory_limit": f"{given.memory}B",
        "threads": given.threads,
        "temp_directory": str(given.spill),
    }
    connection = duckdb.connect(path, read_only=read_only, config=settings)
    connection.execute("set enable_progress_bar = false")
    _opened.add(connection)
    return connection


def cursor(connection: Connection) -> Connection:
    """Return another connection to the same database, for another query at the same time."""
    another = connection.cursor()
    _opened.add(another)
    return another


def interrupt() -> None:
    """End the queries that run, in whatever threads; they raise."""
    for connection in list(_opened):
        with suppress(duckdb.Error):  # it may be closed
            connection.interrupt()


@contextmanager
def errors_explained(what: str) -> Iterator[None]:
    """Turn a DuckDB error into a PolicylakeError that begins with ``what``."""
    try:
        yield
    except duckdb.Error as error:
        raise PolicylakeError(f"{what}: {error}") from error


def no_room(what: str, error: Exception, place: Path | None = None) -> PolicylakeError:
    """Return the failure of a build to which ``place``, by default the temp folder, gave no room."""
    remedy = f"make room or name another folder with TMPDIR; {UNCHANGED}"
    return PolicylakeError(f"{place or tempfile.gettempdir()}: {what} ({first_line(error)}); {remedy}")


@contextmanager
def room_needed(given: Limits) -> Iterator[None]:
    """Say of a lack of memory, and of a disk too full to spill to, what to do."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        if isinstance(error, duckdb.OutOfMemoryException) and "offload" not in str(error):
            what = f"--memory {given.memory / MIB:.0f}MiB: not enough for this build ({first_line(error)})"
            raise PolicylakeError(f"{what}; give more, or fewer --threads; {UNCHANGED}") from error
        raise no_room("what the build holds meanwhile does not fit here", error, given.spill) from error
    except MemoryError as error:
        what = "no memory is left for what the build holds outside of DuckDB"
        raise PolicylakeError(f"{what}; give less --memory or fewer --processes; {UNCHANGED}") from error


def is_of_spilling(error: duckdb.Error) -> bool:
    """Whether DuckDB failed at its temporary files, not at those that it was told to write."""
    return "duckdb_temp" in str(error)


def refuse_bytes(path: Path) -> None:
    """Raise PolicylakeError for a folder whose whole path is no text: DuckDB can neither write nor read there."""
    whole = os.path.realpath(path)
    if not whole.isascii() and whole != whole.encode(errors="replace").decode():
        what = "the path holds bytes that are no UTF-8; give a folder of another name with --lake"
        raise PolicylakeError(f"{whole}: {what}")


def close_in(connection: Connection) -> None:
    """Let queries open no files but those that are allowed by now, and change no setting."""
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def literal(text: str | Path) -> str:
    """Return the text as an SQL literal, for the statements that take no parameters."""
    return "'" + str(text).replace("'", "''") + "'"


def arrow(connection: Connection, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
    """Run one query and return its rows."""
    return connection.sql(sql, params=dict(parameters) if parameters else None).to_arrow_table()


def arrow_reader(
    connection: Connection, sql: str, rows: int, parameters: Mapping[str, object] | None = None
) -> pa.RecordBatchReader:
    """Run one query and return a reader of its rows, ``rows`` of them at a time."""
    return connection.sql(sql, params=dict(parameters) if parameters else None).to_arrow_reader(rows)
