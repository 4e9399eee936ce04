"""Finds names that stand twice in one object. JSON readers keep the last of them and say nothing.

Policy documents are passed over: they have a check of their own. Must not know any format.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
from msgspec import Raw

from pipeline.ingest.locate import TOKEN, step_of

#: Members that hold a policy document, in any format.
DOCUMENTS = frozenset({"PolicyDocument", "AssumeRolePolicyDocument", "Document", "Content", "ResourcePolicy"})
BEFORE_VALUE = re.compile(rb'[ \t\r\n]*+("(?:[^"\\]++|\\.)*+")[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
AFTER_VALUE = re.compile(rb"[ \t\r\n]*+([,}])")
CHUNK = 1 << 20

_any = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


class Duplicate(NamedTuple):
    """A name that stands twice, and the RFC 6901 pointer to it."""

    pointer: str
    name: str


def is_plain(raw: Raw) -> bool:
    """Whether a quick look shows that no name stands twice in ``raw``; if not, :func:`first_duplicate` tells.

    Where encoding the decoded value gives the compact text back, every member is still there.
    """
    try:
        encoded = _encoder.encode(_any.decode(raw))
        is_compact = len(encoded) == len(memoryview(raw)) and encoded == bytes(raw)
        return is_compact or bool(encoded == msgspec.json.format(raw, indent=-1))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def first_duplicate(raw: Raw) -> Duplicate | None:
    """Return a name that stands twice in one object of ``raw``, None if there is none outside policy documents.

    What cannot be decoded has none: whoever reads it finds out.
    """
    if is_plain(raw):
        return None
    repeated: dict[int, str] = {}
    kept: list[object] = []

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        merged = dict(pairs)
        if len(merged) < len(pairs):
            repeated[id(merged)] = _repeated([name for name, _ in pairs])[0]
            kept.append(merged)
        return merged

    try:
        text = bytes(raw).decode("utf-8")
        value = json.loads(text, object_pairs_hook=members, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return _reached(value, repeated) if repeated else None


def repeated_members(raw: Raw, members: Mapping[str, Raw]) -> list[str]:
    """Return the names that stand twice in the object ``raw`` itself, whose members decode to ``members``."""
    if _are_all(memoryview(raw), members):
        return []
    return _repeated(list(_names(bytes(raw).decode("utf-8"))))


def _names(text: str) -> Iterator[str]:
    """Yield the names of the members of an object, however deep their values are nested."""
    depth, last = 0, ""
    for found in TOKEN.finditer(text):
        token = found[0]
        if token == ":" and depth == 1:
            yield json.loads(last)
        depth += (token in "[{") - (token in "]}")
        last = token


def _repeated(names: list[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _reached(root: object, repeated: Mapping[int, str]) -> Duplicate | None:
    """Return the first of ``repeated``, by the identity of their objects, that stands outside policy documents."""
    unvisited = [("", root)]
    while unvisited:
        pointer, value = unvisited.pop()
        if id(value) in repeated:
            name = repeated[id(value)]
            return Duplicate(f"{pointer}/{step_of(name)}", name)
        if isinstance(value, dict):
            below = [(f"{pointer}/{step_of(name)}", item) for name, item in value.items() if name not in DOCUMENTS]
        else:
            below = [(f"{pointer}/{index}", item) for index, item in enumerate(value)] if type(value) is list else []
        unvisited += reversed(below)
    return None


def _are_all(text: memoryview, members: Mapping[str, Raw]) -> bool:
    """Whether the object's text holds these members and no others, found by walking over their values."""
    offset = bytes(text[:CHUNK]).find(b"{") + 1
    last = b","
    for name, value in members.items():
        before = BEFORE_VALUE.match(text, offset)
        if last != b"," or before is None or json.loads(before[1]) != name or not _stands(value, text, before.end()):
            return False
        after = AFTER_VALUE.match(text, before.end() + len(memoryview(value)))
        if after is None:
            return False
        offset, last = after.end(), after[1]
    return last == b"}" or not members


def _stands(value: Raw, text: memoryview, offset: int) -> bool:
    """Whether ``value`` stands in the text from ``offset`` on. Compared in chunks: a list may be a whole file."""
    view = memoryview(value)
    end = offset + len(view)
    return all(
        bytes(view[at : at + CHUNK]) == bytes(text[offset + at : min(offset + at + CHUNK, end)])
        for at in range(0, len(view), CHUNK)
    )
