"""Turns rows of a relation into Arrow columns of the dictionary's types. Must not know DuckDB: workers use it too."""

from collections.abc import Iterable

import pyarrow as pa

from pipeline.lake.dictionary import Relation


def rows_table(relation: Relation, rows: Iterable[tuple[object, ...]]) -> pa.Table:
    """Return rows in column order as Arrow data; rows may lack last columns."""
    listed = list(rows)
    width = len(listed[0]) if listed else len(relation.columns)
    schema = pa.schema([field.with_nullable(True) for field in list(relation.schema)[:width]])
    columns = list(zip(*listed, strict=True)) if listed else [()] * width
    return pa.table([_array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema)


def _array(values: tuple[object, ...], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, type=kind)
    except UnicodeEncodeError:
        return pa.array([_encodable(value) for value in values], type=kind)


def _encodable(value: object) -> object:
    """Replace lone surrogates, which no Parquet text can hold, by their escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_encodable(part) for part in value]
    return value
