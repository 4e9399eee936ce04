"""Tells queries that read relations from those that reach for files, settings or the machine. Looks at their form."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.errors import PolicylakeError
from pipeline.lake import duck, guard

TABLE_FUNCTIONS = frozenset(
    ("unnest", "range", "generate_series", "json_each", "json_tree", "duckdb_columns", "duckdb_views")
)
REFUSAL = "sql: one query is expected (select, with, from, describe); write one without changes"
#: Functions that reach beyond the rows, or only take time.
REFUSED_FUNCTIONS = frozenset(("current_setting", "getenv", "json_serialize_plan", "pg_sleep", "sleep_ms", "write_log"))
#: What a query may list of DuckDB itself: what the relations are and what their columns mean.
DICTIONARY = frozenset(("duckdb_columns", "duckdb_views"))
DICTIONARY_SCHEMA = "information_schema"
OWN = """
select lower(view_name) from duckdb_views() where internal and schema_name <> $1
union
select lower(table_name) from duckdb_tables() where internal and schema_name <> $1
"""
SHOWN = frozenset(('"tables"', "__show_tables_expanded"))
NAME = re.compile(r"\w+")


def hidden(connection: duck.Connection) -> frozenset[str]:
    """Return the names of DuckDB's own relations that a query must not read: some show paths and settings."""
    found = connection.execute(OWN, [DICTIONARY_SCHEMA]).fetchall()
    return frozenset(name for (name,) in found) - DICTIONARY


def check(connection: duck.Connection, sql: str, hidden: frozenset[str]) -> None:
    """Raise PolicylakeError for anything but one query that names relations and harmless functions only.

    ``hidden`` are the relations it must not name, not even for a part of its own: a name may mean both in one query.
    """
    guard.check(connection, sql, REFUSAL)
    for node in _nodes(_parsed(connection, sql)):
        if node.get("type") == "TABLE_FUNCTION":
            name = str(node["function"]["function_name"]).lower()
            if name not in TABLE_FUNCTIONS:
                known = ", ".join(sorted(TABLE_FUNCTIONS))
                raise PolicylakeError(f"sql: {name} is not to be had here; name a relation, or one of {known}")
        elif node.get("type") == "BASE_TABLE":
            _check_relation(str(node["table_name"]), hidden)
        elif node.get("show_type") == "SHOW_SPECIAL" and node["table_name"] not in SHOWN:
            raise PolicylakeError("sql: show what? Here: show tables, or describe and the name of a relation")
        elif str(node.get("function_name", "")).lower() in REFUSED_FUNCTIONS:
            raise PolicylakeError(f"sql: {node['function_name']} is not to be had here")


def _check_relation(name: str, hidden: frozenset[str]) -> None:
    if not NAME.fullmatch(name):
        raise PolicylakeError(f"sql: {name}: no relation; they stand beside the box")
    if name.lower() in hidden:
        raise PolicylakeError(f"sql: {name} is DuckDB's own and not to be had here; the relations stand beside the box")


def _parsed(connection: duck.Connection, sql: str) -> list[Any]:
    row = connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
    parsed: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if parsed["error"]:
        what = parsed.get("error_message", "it cannot be read")
        if parsed.get("error_type") == "not implemented":
            what = "pivot and explain are for the command line: policylake sql"
        raise PolicylakeError(f"sql: {what}")
    statements: list[Any] = parsed["statements"]
    return statements


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object of a parsed query."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
        if isinstance(one, (dict, list)):
            waiting += one.values() if isinstance(one, dict) else one
