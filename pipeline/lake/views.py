"""Views over a snapshot's Parquet files, with the dictionary's words as comments."""

import tempfile
from pathlib import Path

import duckdb

from pipeline import assets
from pipeline.errors import PolicylakeError
from pipeline.lake import duck
from pipeline.lake.dictionary import Relation, relations

DATABASE = "policylake.duckdb"


def create_views(connection: duck.Connection, snapshot: Path, *, with_comments: bool) -> None:
    """Create a view for every relation: over its Parquet files, or by its model where a large lake holds no rows of it.

    Files are named one by one: a pattern would misread a folder whose name holds one of its characters.
    """
    connection.execute(assets.text("sql", "macros.sql"))
    stored = [relation for relation in relations() if (snapshot / relation.name).is_dir()]
    for relation in stored:
        files = ", ".join(duck.literal(path) for path in sorted((snapshot / relation.name).glob("*.parquet")))
        connection.execute(f'create view "{relation.name}" as select * from read_parquet([{files}])')
    for relation in relations():
        if relation not in stored:
            connection.execute(f'create view "{relation.name}" as {_model(relation, snapshot)}')
    if with_comments:
        for relation in relations():
            _comment(connection, relation)


def _model(relation: Relation, snapshot: Path) -> str:
    try:
        return assets.text("sql", f"models/marts/{relation.name}.sql")
    except FileNotFoundError as error:
        raise PolicylakeError(f"{snapshot}: the relation {relation.name} is missing; build it again") from error


def _comment(connection: duck.Connection, relation: Relation) -> None:
    connection.execute(f'comment on view "{relation.name}" is {duck.literal(relation.description)}')
    for column in relation.columns:
        connection.execute(f'comment on column "{relation.name}"."{column.name}" is {duck.literal(column.description)}')


def database(snapshot: Path) -> bytes:
    """Return the database of the views over a snapshot, for any DuckDB client.

    It is made in the temp folder: DuckDB writes no database where the path holds a question mark or a backslash.
    Raises PolicylakeError where that folder has no room.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / DATABASE
            _write_views(place, snapshot.resolve())
            return place.read_bytes()
    except (duckdb.Error, OSError) as error:
        raise duck.no_room(f"{DATABASE} cannot be made here", error) from error


def _write_views(place: Path, snapshot: Path) -> None:
    """Write the database file. Closing a connection hides a checkpoint that failed, so it is asked for before.

    In one transaction: each of some seven hundred comments would be brought to disk by itself.
    """
    connection = duck.connect(str(place))
    try:
        connection.execute("begin")
        create_views(connection, snapshot, with_comments=True)
        connection.execute("commit")
        connection.execute("force checkpoint")
    finally:
        connection.close()
    if place.with_name(f"{DATABASE}.wal").exists():
        raise OSError("a part of it is not in the file")
