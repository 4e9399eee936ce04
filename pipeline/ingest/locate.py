"""Finds the line and column of JSON pointers in a text that is known to be JSON. Must not judge what stands there."""

import json
import re
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from pipeline.ingest.syntax import SPACE, STRING

TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},:]', re.DOTALL)
SCALAR = re.compile(r"[^\s,\]}]++")
FILLING = r'[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"'
BRACKET = re.compile(rf"(?:{FILLING})*+([\[\]{{}}])", re.DOTALL)
#: Levels that one match skips at once; what is nested deeper is skipped bracket by bracket.
LEVELS_AT_ONCE = 6


def _container(levels: int) -> str:
    inner = f"|{_container(levels - 1)}" if levels > 1 else ""
    return rf"[\[{{](?:{FILLING}{inner})*+[\]}}]"


CONTAINER = re.compile(_container(LEVELS_AT_ONCE), re.DOTALL)


class Wanted(NamedTuple):
    """A node of the tree of pointers: those that lead here or further down, and the next steps."""

    pointers: list[str]
    below: dict[str, "Wanted"]


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, both from 1, of a place in ``text``."""
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1


def locate(text: str, pointers: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return line and column of each RFC 6901 pointer: where its value begins, or the deepest existing one above it.

    Where the text turns out to be no JSON, places behind that point are missing.
    Of a name that stands twice in an object the last one counts. Comments must have been blanked.
    """
    root = _tree(pointers)
    offsets: dict[str, int] = {}
    with suppress(IndexError, ValueError):  # cut-off text: what was found before counts
        _visit(text, _after_space(text, 0), root, offsets)
    return _lines(text, offsets)


def _lines(text: str, offsets: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Turn offsets into lines in one pass over the text."""
    places = {}
    line, start, done = 1, 0, 0
    for pointer, offset in sorted(offsets.items(), key=lambda item: item[1]):
        line += text.count("\n", done, offset)
        start, done = text.rfind("\n", 0, offset) + 1, offset
        places[pointer] = (line, offset - start + 1)
    return places


def _tree(pointers: Iterable[str]) -> Wanted:
    root = Wanted([], {})
    for pointer in pointers:
        node = root
        node.pointers.append(pointer)
        for step in pointer.split("/")[1:]:
            node = node.below.setdefault(step.replace("~1", "/").replace("~0", "~"), Wanted([], {}))
            node.pointers.append(pointer)
    return root


#: Reads a value or container: yields the readings of the values within, is sent the end of each, returns its own.
Reading: TypeAlias = Generator["Reading", int, int]


def _visit(text: str, offset: int, wanted: Wanted, offsets: dict[str, int]) -> None:
    """Read a value as :func:`_read_value` does, however deep it is nested: no call within calls."""
    readings = [_read_value(text, offset, wanted, offsets)]
    end = None
    while readings:
        try:
            inner = next(readings[-1]) if end is None else readings[-1].send(end)
        except StopIteration as done:
            readings.pop()
            end = done.value
        else:
            readings.append(inner)
            end = None


def _read_value(text: str, offset: int, wanted: Wanted, offsets: dict[str, int]) -> Reading:
    """Note the offset for every pointer of ``wanted``, go down where more is wanted, return the value's end."""
    offsets.update(dict.fromkeys(wanted.pointers, offset))
    if wanted.below and text[offset] == "{":
        return (yield _read_object(text, offset + 1, wanted, offsets))
    if wanted.below and text[offset] == "[":
        return (yield _read_list(text, offset + 1, wanted, offsets))
    return _skip(text, offset)


def _read_object(text: str, offset: int, wanted: Wanted, offsets: dict[str, int]) -> Reading:
    while text[offset := _after_space(text, offset)] != "}":
        if text[offset] == ",":
            offset = _after_space(text, offset + 1)
        end = _skip(text, offset)
        step = wanted.below.get(json.loads(text[offset:end]))
        offset = _after_space(text, _after_space(text, end) + 1)
        offset = (yield _read_value(text, offset, step, offsets)) if step else _skip(text, offset)
    return offset + 1


def _read_list(text: str, offset: int, wanted: Wanted, offsets: dict[str, int]) -> Reading:
    index = 0
    while text[offset := _after_space(text, offset)] != "]":
        if text[offset] == ",":
            offset = _after_space(text, offset + 1)
        step = wanted.below.get(str(index))
        offset = (yield _read_value(text, offset, step, offsets)) if step else _skip(text, offset)
        index += 1
    return offset + 1


def pointer_at(text: str, offset: int) -> str:
    """Return the RFC 6901 pointer of the value that begins at ``offset`` in a text that is JSON up to there.

    For a place that begins no value the pointer leads to nothing in the container that holds it.
    """
    steps: list[str | int] = []
    name = ""
    for found in TOKEN.finditer(text, 0, offset):
        token = found[0]
        if token in "[{":
            steps.append(0 if token == "[" else "")
        elif token in "]}":
            del steps[-1:]
        elif token == ":":
            steps[-1:] = [json.loads(name)]
        elif token == ",":
            steps[-1:] = [step + 1 if isinstance(step, int) else "" for step in steps[-1:]]
        else:
            name = token
    return "".join(f"/{step_of(step)}" for step in steps)


def step_of(name: object) -> str:
    """Return a member's name or an item's index as a step of a pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")


def _after_space(text: str, offset: int) -> int:
    found = SPACE.match(text, offset)
    return found.end() if found else offset


def _skip(text: str, offset: int) -> int:
    """Return the end of the value that begins at ``offset``."""
    if text[offset] in "{[":
        if whole := CONTAINER.match(text, offset):
            return whole.end()
        depth = 0
        while found := BRACKET.match(text, offset):
            offset = found.end()
            depth += 1 if found[1] in "{[" else -1
            if not depth:
                return offset
        return len(text)
    found = (STRING if text[offset] == '"' else SCALAR).match(text, offset)
    return found.end() if found else len(text)
