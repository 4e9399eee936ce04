"""Opens DuckDB with settings that make results repeat, and turns its errors into ours."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import PolicylakeError

#: Beyond this DuckDB spills to temporary files; a build's own memory comes on top.
MEMORY = "1000MB"

Connection = duckdb.DuckDBPyConnection


def connect(path: str = ":memory:", *, read_only: bool = False) -> Connection:
    """Return a connection that sees no Python variables, takes nothing from the network and spills to temp files."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "memory_limit": MEMORY,
        "temp_directory": str(Path(tempfile.gettempdir()) / f"policylake-{os.getpid()}"),
    }
    connection = duckdb.connect(path, read_only=read_only, config=settings)
    connection.execute("set enable_progress_bar = false")
    return connection


@contextmanager
def errors_explained(what: str) -> Iterator[None]:
    """Turn a DuckDB error into a PolicylakeError that begins with ``what``."""
    try:
        yield
    except duckdb.Error as error:
        raise PolicylakeError(f"{what}: {error}") from error


def no_room(what: str, error: Exception) -> PolicylakeError:
    """Return the failure of a build to which the temp folder gave no room."""
    remedy = "make room or name another folder with TMPDIR; nothing changed, the former snapshot is still current"
    return PolicylakeError(f"{tempfile.gettempdir()}: {what} ({first_line(error)}); {remedy}")


@contextmanager
def room_needed() -> Iterator[None]:
    """Say of DuckDB's lack of memory, which it takes from the temp folder once it has no other, what to do."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise no_room("what the build holds meanwhile does not fit here", error) from error


def refuse_bytes(path: Path) -> None:
    """Raise PolicylakeError for a folder whose whole path is no text: DuckDB can neither write nor read there."""
    whole = os.path.realpath(path)
    if not whole.isascii() and whole != whole.encode(errors="replace").decode():
        what = "the path holds bytes that are no UTF-8; give a folder of another name with --lake"
        raise PolicylakeError(f"{whole}: {what}")


def literal(text: str | Path) -> str:
    """Return the text as an SQL literal, for the statements that take no parameters."""
    return "'" + str(text).replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """Return what a DuckDB error says, without the excerpt of the statement."""
    return str(error).split("\n", 1)[0]


def arrow(connection: Connection, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
    """Run one query and return its rows."""
    return connection.sql(sql, params=dict(parameters) if parameters else None).to_arrow_table()
