"""JSON texts whose numbers keep how they are written: AWS compares numbers of conditions as texts, so 1.10 is not 1.1.

Knows nothing of policies.
"""

import json
import math
from collections import Counter
from typing import Any, NamedTuple


class Doubled(NamedTuple):
    """A name that stands twice in one object: JSON would keep the last one and lose the other in silence.

    ``path`` are the names and indexes that lead to the object; None where it is itself what was lost.
    """

    path: tuple[str | int, ...] | None
    name: str


class WrittenNumber(float):
    """A number of a JSON text that is no whole number, with ``text``, as which it is written.

    Raises ValueError for one that is too large to be read.
    """

    text: str

    def __new__(cls, text: str) -> "WrittenNumber":
        """Return the number that ``text`` is."""
        found = super().__new__(cls, text)
        if math.isinf(found):
            raise ValueError(f"the number {text[:20]} is too large to be read")
        found.text = text
        return found


def loads(text: str) -> Any:
    """Return the value of a JSON text as :func:`read` does. Of a name that stands twice the last one is kept."""
    return read(text)[0]


def read(text: str) -> tuple[Any, Doubled | None]:
    """Return the value of a JSON text, with WrittenNumber where an int has not the number's text, and the first name
    that stands twice in one object.

    Raises ValueError for no JSON, and for numbers that are too large or too long to be read; RecursionError for a text
    that is nested too deeply.
    """
    doubled: list[tuple[dict[str, Any], str]] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        merged = dict(pairs)
        if len(merged) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            doubled.append((merged, next(name for name, count in counts.items() if count > 1)))
        return merged

    value = json.loads(
        text, object_pairs_hook=members, parse_float=WrittenNumber, parse_int=_whole, parse_constant=_no_constant
    )
    if not doubled:
        return value, None
    place, name = doubled[0]
    return value, Doubled(_path_to(place, value), name)


def _path_to(place: dict[str, Any], value: object) -> tuple[str | int, ...] | None:
    unvisited: list[tuple[tuple[str | int, ...], object]] = [((), value)]
    while unvisited:
        path, found = unvisited.pop()
        if found is place:
            return path
        if isinstance(found, dict):
            unvisited += [((*path, name), below) for name, below in found.items()]
        elif isinstance(found, list):
            unvisited += [((*path, index), below) for index, below in enumerate(found)]
    return None


def with_texts(value: Any) -> Any:
    """Return a JSON value with texts in place of numbers that would be written otherwise."""
    if isinstance(value, dict):
        return {name: with_texts(below) for name, below in value.items()}
    if isinstance(value, list):
        return [with_texts(below) for below in value]
    return value.text if isinstance(value, WrittenNumber) else value


def number_text(value: bool | int | float) -> str:
    """Return a number or truth value as it is written."""
    return value.text if isinstance(value, WrittenNumber) else json.dumps(value)


def type_of(value: object) -> str:
    """Return what kind of JSON value this is, in words."""
    if value is None:
        return "null"
    words = ((bool, "true or false"), (int | float, "a number"), (str, "a text"), (list, "a list"))
    return next((said for kind, said in words if isinstance(value, kind)), "an object")


def _whole(text: str) -> int | WrittenNumber:
    return WrittenNumber(text) if text == "-0" else int(text)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")
