"""Named queries: the files of ``sql/queries``, each with its front matter."""

import tomllib
from typing import NamedTuple

from pipeline import assets
from pipeline.errors import PolicylakeError


class Parameter(NamedTuple):
    """A value that a query takes as ``$name``; ``default`` is None where it must be given."""

    name: str
    description: str
    default: str | None


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


def _query(name: str, text: str) -> NamedQuery:
    header: dict[str, object] = front_matter(text)
    described = header.get("parameters", {})
    parameters = described.items() if isinstance(described, dict) else ()
    grain = header["grain"]
    return NamedQuery(
        name,
        str(header["description"]),
        tuple(grain) if isinstance(grain, list) else (),
        tuple(Parameter(p, str(words["description"]), _default(words)) for p, words in parameters),
        text,
    )


def _default(words: dict[str, object]) -> str | None:
    return str(words["default"]) if "default" in words else None
