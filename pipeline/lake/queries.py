"""Named queries, and the queries behind commands: files with front matter in ``sql``. Must not hold SQL, nor run it."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from pipeline import assets
from pipeline.errors import PolicylakeError


class Parameter(NamedTuple):
    """A value that a query takes as ``$name``; ``default`` is None where it must be given, as ``example`` shows.

    It is one of ``values``, or, where these are none, of a ``kind`` that ``pipeline.lake.parameters`` knows.
    """

    name: str
    description: str
    kind: str
    values: tuple[str, ...]
    default: str | None
    example: str | None


class NamedQuery(NamedTuple):
    """A query with a name. ``grain`` are the columns that are unique together in its result.

    ``needs`` are relations that are made for it before it runs; ``given`` maps condition keys, or parameters that name
    them as ``$name``, to the parameters whose values decide them there.
    """

    name: str
    description: str
    grain: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    needs: tuple[str, ...]
    given: Mapping[str, str]
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


@lru_cache(maxsize=64)
def command_query(name: str) -> str:
    """Return the SQL of the file ``sql/commands/<name>.sql``, which a command of that meaning runs."""
    return assets.text("sql", f"commands/{name}.sql")


def _query(name: str, text: str) -> NamedQuery:
    header = front_matter(text)
    parameters = _table(header, "parameters").items()
    return NamedQuery(
        name,
        str(header["description"]),
        _texts(header, "grain"),
        tuple(_parameter(parameter, words) for parameter, words in parameters if isinstance(words, dict)),
        _texts(header, "needs"),
        {key: str(parameter) for key, parameter in _table(header, "given").items()},
        text,
    )


def _parameter(name: str, words: Mapping[str, object]) -> Parameter:
    kind, values = str(words.get("kind", "")), _texts(words, "values")
    return Parameter(name, str(words["description"]), kind, values, _text(words, "default"), _text(words, "example"))


def _table(words: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = words.get(name, {})
    return found if isinstance(found, dict) else {}


def _texts(words: Mapping[str, object], name: str) -> tuple[str, ...]:
    found = words.get(name, ())
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def _text(words: Mapping[str, object], name: str) -> str | None:
    return str(words[name]) if name in words else None
