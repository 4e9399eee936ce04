"""Loads rows as tables, as the build does with those of its shards."""

from collections.abc import Iterable

from pipeline.lake.columns import rows_table
from pipeline.lake.dictionary import Relation
from pipeline.lake.duck import Connection
from pipeline.lake.write import load_table


def load_rows(connection: Connection, relation: Relation, rows: Iterable[tuple[object, ...]]) -> None:
    """Create the table of a relation from rows in column order."""
    load_table(connection, relation.name, rows_table(relation, rows), "main")
