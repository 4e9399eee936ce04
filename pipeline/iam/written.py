"""JSON texts whose numbers keep how they are written: AWS compares numbers of conditions as texts, so 1.10 is not 1.1.

Knows nothing of policies.
"""

import json
import math
from collections.abc import Callable
from typing import Any

Pairs = list[tuple[str, Any]]


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


def loads(text: str, members: Callable[[Pairs], dict[str, Any]] = dict) -> Any:
    """Return the value of a JSON text, with WrittenNumber where an int has not the number's text.

    ``members`` makes an object of its names and values. Raises ValueError for no JSON, and for numbers that are too
    large or too long to be read; RecursionError for a text that is nested too deeply.
    """
    return json.loads(
        text, object_pairs_hook=members, parse_float=WrittenNumber, parse_int=_whole, parse_constant=_no_constant
    )


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
