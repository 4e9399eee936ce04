"""Views over a snapshot's Parquet files, with the dictionary's words as comments."""

import os
import tempfile
from pathlib import Path

from pipeline import assets
from pipeline.lake import duck
from pipeline.lake.dictionary import Relation, relations

DATABASE = "policylake.duckdb"


def create_views(connection: duck.Connection, snapshot: Path, *, with_comments: bool) -> None:
    """Create a view for every relation: over its Parquet files, or by its model where a large lake holds no rows of it."""
    connection.execute(assets.text("sql", "macros.sql"))
    stored, expanded = [], []
    for relation in relations():
        (stored if (snapshot / relation.name).is_dir() else expanded).append(relation)
    for relation in stored:
        files = str(snapshot / relation.name / "*.parquet").replace("'", "''")
        connection.execute(f'create view "{relation.name}" as select * from read_parquet(\'{files}\')')
    for relation in expanded:
        connection.execute(f'create view "{relation.name}" as {assets.text("sql", f"models/marts/{relation.name}.sql")}')
    if with_comments:
        for relation in relations():
            _comment(connection, relation)


def _comment(connection: duck.Connection, relation: Relation) -> None:
    connection.execute(f'comment on view "{relation.name}" is {_text(relation.description)}')
    for column in relation.columns:
        connection.execute(f'comment on column "{relation.name}"."{column.name}" is {_text(column.description)}')


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def write_database(lake: Path, snapshot_id: str) -> None:
    """Write ``policylake.duckdb`` anew: views over the snapshot for any DuckDB client, replaced atomically."""
    with tempfile.TemporaryDirectory(prefix=".database-", dir=lake) as folder:
        fresh = Path(folder) / DATABASE
        connection = duck.connect(str(fresh))
        create_views(connection, (lake / "snapshots" / snapshot_id).resolve(), with_comments=True)
        connection.close()
        os.replace(fresh, lake / DATABASE)
