"""Named queries, and the queries behind commands: files with front matter in ``sql``. Must not hold SQL itself."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

from pipeline import assets
from pipeline.errors import PolicylakeError
from pipeline.lake.read import Lake


class Parameter(NamedTuple):
    """A value that a query takes as ``$name``; ``default`` is None where it must be given, as ``example`` shows."""

    name: str
    description: str
    default: str | None
    example: str | None


class NamedQuery(NamedTuple):
    """A query with a name. ``grain`` are the columns that are unique together in its result."""

    name: str
    description: str
    grain: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    sql: str


def front_matter(text: str) -> dict[str, object]:
    """Return the TOML of the comment that a SQL file begins with. Raises PolicylakeError where there is none."""
    if not text.startswith("/*") or "*/" not in text:
        raise PolicylakeError("a SQL file begins with a comment of TOML: description, grain; add one")
    return tomllib.loads(text[2 : text.index("*/")])


def named_queries() -> tuple[NamedQuery, ...]:
    """Return every named query, by name."""
    folder = assets.folder("sql") / "queries"
    return tuple(_query(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql")))


def named_query(name: str) -> NamedQuery:
    """Return the query of that name. Raises PolicylakeError that lists the names where there is none."""
    known = {query.name: query for query in named_queries()}
    if name not in known:
        raise PolicylakeError(f"query {name}: there is none of that name; known: {', '.join(known)}")
    return known[name]


def run(lake: Lake, query: NamedQuery, values: Mapping[str, str]) -> pa.Table:
    """Run a named query with values for its parameters; the others have their defaults.

    Raises PolicylakeError for a value that the query does not take, for one that is missing, and with DuckDB's message
    where a value does not fit.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in values:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise PolicylakeError(f"query {query.name}: no parameter {name}; {takes}")
    given = {name: values.get(name, parameter.default) for name, parameter in known.items()}
    for name, value in given.items():
        if value is None:
            remedy = f"give --set {name}={known[name].example or 'VALUE'}"
            raise PolicylakeError(f"query {query.name}: the parameter {name} is missing; {remedy}")
    try:
        return lake.query(query.sql, given)
    except PolicylakeError as error:
        raise PolicylakeError(f"query {query.name}: {error}") from error


@lru_cache(maxsize=64)
def command_query(name: str) -> str:
    """Return the SQL of the file ``sql/commands/<name>.sql``, which a command of that meaning runs."""
    return assets.text("sql", f"commands/{name}.sql")


def _query(name: str, text: str) -> NamedQuery:
    header: dict[str, object] = front_matter(text)
    described = header.get("parameters", {})
    parameters = described.items() if isinstance(described, dict) else ()
    grain = header["grain"]
    return NamedQuery(
        name,
        str(header["description"]),
        tuple(grain) if isinstance(grain, list) else (),
        tuple(
            Parameter(p, str(words["description"]), _text(words, "default"), _text(words, "example"))
            for p, words in parameters
        ),
        text,
    )


def _text(words: dict[str, object], name: str) -> str | None:
    return str(words[name]) if name in words else None
