"""Runs the SQL models. Their order comes from what a model names: first what it reads, then the model itself."""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from pipeline import assets
from pipeline.lake.duck import Connection

_NAMED = re.compile(r"\b(?:from|join)\s+((?:staging\.)?[a-z_]+)\b")
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)


@lru_cache(maxsize=1)
def models() -> dict[str, str]:
    """Return the text of every model by its relation's name.

    Those of ``marts`` are views of a lake; a build makes a table of one that a core model names.
    """
    folder = assets.folder("sql") / "models"
    return {path.stem: _text(path) for part in ("core", "marts") for path in sorted((folder / part).glob("*.sql"))}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def reads(text: str) -> frozenset[str]:
    """Return the relations that a model names."""
    return frozenset(_NAMED.findall(_COMMENT.sub("", text)))


def run_models(connection: Connection, wanted: Iterable[str]) -> None:
    """Create the wanted relations as tables, and those that they read, where they are not there yet."""
    done = {
        row[0]
        for row in connection.execute("select table_name from duckdb_tables() where schema_name = 'main'").fetchall()
    }
    for name in wanted:
        _run(connection, name, done)


def _run(connection: Connection, name: str, done: set[str]) -> None:
    if name in done or name not in models():
        return
    done.add(name)
    for other in sorted(reads(models()[name])):
        _run(connection, other, done)
    connection.execute(f'create table "{name}" as {models()[name]}')
