"""Opens DuckDB with settings that make results repeat, and turns its errors into ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from pipeline.errors import PolicylakeError

Connection = duckdb.DuckDBPyConnection


def connect(path: str = ":memory:", *, read_only: bool = False) -> Connection:
    """Return a connection without progress bar and without extensions from the network."""
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
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


def arrow(connection: Connection, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
    """Run one query and return its rows."""
    return connection.execute(sql, dict(parameters) if parameters else None).to_arrow_table()
