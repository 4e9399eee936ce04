"""The data dictionary: every relation and column, read from ``sql/relations.toml``."""

import tomllib
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

from pipeline import assets

TYPES = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "boolean": pa.bool_(),
    "list": pa.list_(pa.string()),
    "ints": pa.list_(pa.int64()),
    "reasons": pa.list_(pa.struct([("id", pa.string()), ("number", pa.int64()), ("actions", pa.int64())])),
    "map": pa.map_(pa.string(), pa.string()),
}

#: The titles of the dictionary's sections.
STAGES = {
    "flattened": "Flattened: what the inputs say",
    "reference": "Service reference: what AWS documents",
    "evaluated": "Evaluated: what follows",
}


class Column(NamedTuple):
    """A column: ``type`` is a word of TYPES."""

    name: str
    type: str
    is_nullable: bool
    description: str


class Relation(NamedTuple):
    """A relation. ``grain`` are the columns that are unique together and never null; ``stage`` is a word of STAGES."""

    name: str
    description: str
    stage: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema."""
        return pa.schema([pa.field(c.name, TYPES[c.type], nullable=c.is_nullable) for c in self.columns])


@lru_cache(maxsize=1)
def relations() -> tuple[Relation, ...]:
    """Return every relation of the lake, in the order of the dictionary."""
    described = tomllib.loads(assets.text("sql", "relations.toml"))
    return tuple(
        Relation(
            name,
            entry["description"],
            entry["stage"],
            tuple(entry["grain"]),
            tuple(
                Column(column, kind.removesuffix("?"), kind.endswith("?"), words)
                for column, (kind, words) in entry["columns"].items()
            ),
        )
        for name, entry in described.items()
    )


def relation(name: str) -> Relation:
    """Return one relation. Raises KeyError if there is none of that name."""
    return {r.name: r for r in relations()}[name]


def markdown() -> str:
    """Return the data dictionary as the page ``docs/data-dictionary.md``."""
    lines = ["# Data dictionary", "", "Generated from `sql/relations.toml` by `make docs`; do not edit.", ""]
    for stage, title in STAGES.items():
        lines += [f"## {title}", ""]
        for r in relations():
            if r.stage == stage:
                lines += _section(r)
    return "\n".join(lines).rstrip() + "\n"


def _section(r: Relation) -> list[str]:
    grain = ", ".join(f"`{name}`" for name in r.grain)
    head = [f"### {r.name}", "", f"{r.description} Grain: {grain}.", ""]
    return [*head, "| column | type | meaning |", "| --- | --- | --- |", *map(_line, r.columns), ""]


def _line(c: Column) -> str:
    return f"| `{c.name}` | {c.type}{', may be null' if c.is_nullable else ''} | {_cell(c.description)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
