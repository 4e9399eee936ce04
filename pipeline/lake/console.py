"""A place for queries of people who are not at the command line: reads the relations of one snapshot and no other file,
with limits of time and rows.

Three guards stand behind one another: the query may name relations and harmless table functions only, which its parsed
form tells; DuckDB may open no file but the snapshot's Parquet files; and its settings cannot be changed.
"""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipeline.errors import PolicylakeError
from pipeline.lake import duck, guard
from pipeline.lake.read import Lake
from pipeline.lake.views import create_views

MIB = 2**20
MOST_ROWS = 1000
#: Seconds that a query may take.
PATIENCE = 20.0
#: Characters of a query, and of a value that is shown.
MOST_SQL = 20_000
MOST_VALUE = 2000
MEMORY = 1024 * MIB
#: Queries that run at a time; others wait for a moment and are told to come again.
AT_ONCE = 2
TABLE_FUNCTIONS = frozenset(
    ("unnest", "range", "generate_series", "json_each", "json_tree", "duckdb_columns", "duckdb_views")
)
#: Functions that reach beyond the rows, or only take time.
REFUSED_FUNCTIONS = frozenset(("current_setting", "getenv", "sleep_ms", "write_log"))
NAME = re.compile(r"\w+")


class Answer(NamedTuple):
    """Rows as texts, None for null; ``is_cut`` where there are more than are shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    is_cut: bool


class Console:
    """Answers queries over one snapshot. May be used by several threads."""

    def __init__(self, lake: Lake, *, patience: float = PATIENCE, most_rows: int = MOST_ROWS) -> None:
        self.lake = lake  # keeps the snapshot from being removed
        self.patience, self.most_rows = patience, most_rows
        limits = duck.limits()
        self._connection = duck.connect(within=limits._replace(memory=min(MEMORY, limits.memory)))
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        snapshot = (lake.path / "snapshots" / lake.snapshot_id).resolve()
        with duck.errors_explained(f"{lake.path}: the current snapshot is damaged; build it again"):
            create_views(self._connection, snapshot, with_comments=True)
        self._lock(snapshot)

    def _lock(self, snapshot: Path) -> None:
        files = [str(path) for path in sorted(snapshot.rglob("*.parquet"))]
        self._connection.execute("set temp_directory = ''")
        self._connection.execute("set allowed_directories = []")
        self._connection.execute("set allowed_paths = ?", [files])
        self._connection.execute("set enable_external_access = false")
        self._connection.execute("set lock_configuration = true")

    def answer(self, sql: str) -> Answer:
        """Return the rows of one query. Raises PolicylakeError with what to do for what it may not, or cannot, do."""
        if len(sql) > MOST_SQL:
            raise PolicylakeError(f"sql: more than {MOST_SQL:,} characters; give a shorter query")
        if not self._turns.acquire(timeout=self.patience):
            raise PolicylakeError("sql: other queries are still running; try again in a moment")
        connection = duck.cursor(self._connection)
        timer = threading.Timer(self.patience, connection.interrupt)
        try:
            with duck.errors_explained("sql"):
                guard.check(connection, sql)
                _refuse_others(connection, sql)
                timer.start()
                return self._rows(connection.execute(sql))
        except PolicylakeError as error:
            if isinstance(error.__cause__, duckdb.InterruptException):
                raise PolicylakeError(f"sql: stopped after {self.patience:g} s; ask for less") from error
            raise
        finally:
            timer.cancel()
            connection.close()
            self._turns.release()

    def _rows(self, result: duck.Connection) -> Answer:
        columns = tuple(str(column[0]) for column in result.description or ())
        rows = result.fetchmany(self.most_rows + 1)
        told = tuple(tuple(_text(value) for value in row) for row in rows[: self.most_rows])
        return Answer(columns, told, len(rows) > self.most_rows)

    def close(self) -> None:
        """End what still runs."""
        duck.interrupt()


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else str(value)
    return text if len(text) <= MOST_VALUE else f"{text[:MOST_VALUE]}…"


def _refuse_others(connection: duck.Connection, sql: str) -> None:
    """Raise PolicylakeError for a query that names anything but relations and harmless functions."""
    row = connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
    parsed: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if parsed["error"]:
        what = parsed.get("error_message", "it cannot be read")
        if parsed.get("error_type") == "not implemented":
            what = "pivot and explain are for the command line: policylake sql"
        raise PolicylakeError(f"sql: {what}")
    for node in _nodes(parsed["statements"]):
        if node.get("type") == "TABLE_FUNCTION":
            name = str(node["function"]["function_name"]).lower()
            if name not in TABLE_FUNCTIONS:
                known = ", ".join(sorted(TABLE_FUNCTIONS))
                raise PolicylakeError(f"sql: {name} is not to be had here; name a relation, or one of {known}")
        elif node.get("class") == "FUNCTION" and str(node["function_name"]).lower() in REFUSED_FUNCTIONS:
            raise PolicylakeError(f"sql: {node['function_name']} is not to be had here")
        elif node.get("type") == "BASE_TABLE" and not NAME.fullmatch(str(node["table_name"])):
            raise PolicylakeError(f"sql: {node['table_name']}: no relation; they stand beside the box")


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object of a parsed query."""
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _nodes(member)
    elif isinstance(value, list):
        for member in value:
            yield from _nodes(member)
