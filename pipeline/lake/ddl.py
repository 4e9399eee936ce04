"""Statements that make a snapshot's Parquet files tables of Athena and Trino, from the data dictionary. Text only.

Types: https://docs.aws.amazon.com/athena/latest/ug/data-types.html and https://trino.io/docs/current/connector/hive.html
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from pipeline import assets
from pipeline.lake.dictionary import Column, Relation

Dialect = Literal["athena", "trino"]

#: The words of the dictionary's types in each dialect.
TYPES: dict[Dialect, dict[str, str]] = {
    "athena": {
        "string": "string",
        "int32": "int",
        "int64": "bigint",
        "boolean": "boolean",
        "list": "array<string>",
        "ints": "array<bigint>",
        "reasons": "array<struct<id:string,number:bigint,actions:bigint>>",
        "map": "map<string,string>",
    },
    "trino": {
        "string": "varchar",
        "int32": "integer",
        "int64": "bigint",
        "boolean": "boolean",
        "list": "array(varchar)",
        "ints": "array(bigint)",
        "reasons": "array(row(id varchar, number bigint, actions bigint))",
        "map": "map(varchar, varchar)",
    },
}
#: What the Glue catalogue takes for a comment of a column.
LONGEST_COMMENT = 255


def is_stored(relation: Relation) -> bool:
    """Whether snapshots hold the rows of a relation; the others are views, made of SQL of DuckDB's."""
    return not (assets.folder("sql") / "models" / "marts" / f"{relation.name}.sql").is_file()


def statements(relations: Iterable[Relation], dialect: Dialect, location: str) -> Iterator[str]:
    """Yield the statements that make relations tables; each has its files in ``location/<its name>``."""
    for relation in relations:
        place = _text(f"{location.rstrip('/')}/{relation.name}/")
        columns = ",\n".join(f"  {_column(column, dialect)}" for column in relation.columns)
        comment = _comment(relation.description)
        if dialect == "athena":
            yield f"drop table if exists `{relation.name}`;"
            head = f"create external table `{relation.name}` (\n{columns}\n)\ncomment {comment}"
            yield f"{head}\nstored as parquet\nlocation {place};"
        else:
            yield f'drop table if exists "{relation.name}";'
            head = f'create table "{relation.name}" (\n{columns}\n)\ncomment {comment}'
            yield f"{head}\nwith (external_location = {place}, format = 'PARQUET');"


def _column(column: Column, dialect: Dialect) -> str:
    name = f"`{column.name}`" if dialect == "athena" else f'"{column.name}"'
    return f"{name} {TYPES[dialect][column.type]} comment {_comment(column.description)}"


def _comment(text: str) -> str:
    """Return words as a literal. Apostrophes become quotation marks: Hive and Trino escape them differently."""
    shown = text.replace("'", "’").replace("\\", "/")
    while len(shown.encode()) > LONGEST_COMMENT:
        shown = shown.removesuffix("…")[:-1] + "…"
    return _text(shown)


def _text(text: str) -> str:
    """Return a literal. Raises ValueError for what the dialects would read differently."""
    if set(text) & set("'\\\n"):
        raise ValueError(f"{text}: a quotation mark, backslash or line feed; choose another location")
    return f"'{text}'"
