"""Says what is wrong with a text that is not JSON, and takes comments out of one that has them.

Must not decode values: it looks for the first mistake only, and its messages are the same on every Python version.
"""

import json
import math
import re
from typing import NamedTuple

MAX_DEPTH = 200
#: Python reads no longer whole numbers from text.
MAX_DIGITS = 4300
SHOWN_DIGITS = 20
SPACE = re.compile(r"[ \t\n\r]*+")
STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![\w.+-])")
WORD = re.compile(r"[\w.+-]++")
#: What is never closed reaches to its end, lest the search start again from each quote or star within.
COMMENT = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|(//[^\n\r]*+|/\*.*?\*/)|/\*.*+', re.DOTALL)
BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)

CLOSING = {"{": "}", "[": "]"}
CONTAINERS = {"{": "object", "[": "list"}
PLACES = {"{": "a member", "[": "an item"}
FOREIGN_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null", "nil": "null"}
ADD_BRACKETS = "export it again, or complete it by hand"


class Mistake(NamedTuple):
    """The first place where a text is not JSON. ``offset`` counts characters."""

    offset: int
    message: str
    remedy: str


class State(NamedTuple):
    """Where a scan stands. ``expects`` is one of value, item, name, first-name, colon, comma, end."""

    offset: int
    expects: str
    is_after_comma: bool


def blank_comments(text: str) -> tuple[str, int | None]:
    """Return ``text`` with its comments replaced by as many spaces, and the offset of the first, None without any."""
    first: list[int] = []

    def blank(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0]
        first.append(found.start())
        return re.sub(r"[^\n\r]", " ", found[0])

    blanked = COMMENT.sub(blank, text) if "//" in text or "/*" in text else text
    return blanked, (first[0] if first else None)


def is_deep(text: str) -> bool:
    """Whether a JSON text is nested more than MAX_DEPTH levels."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for found in BRACKETS.finditer(text):
        depth += 1 if found[1] else -1 if found[2] else 0
        if depth > MAX_DEPTH:
            return True
    return False


def first_mistake(text: str) -> Mistake | None:
    """Return the first mistake of ``text``, None if it is JSON (RFC 8259) of at most MAX_DEPTH levels.

    A number that no decoder here can hold counts as a mistake.
    """
    opened: list[int] = []
    state = State(0, "value", False)
    while True:
        found = SPACE.match(text, state.offset)
        offset = found.end() if found else state.offset
        if offset >= len(text):
            return _at_end(text, opened, state)
        step = _step(text, offset, opened, state)
        if isinstance(step, Mistake):
            return step
        state = step


def _at_end(text: str, opened: list[int], state: State) -> Mistake | None:
    if state.expects == "end":
        return None
    if not opened:
        return Mistake(len(text), "nothing stands here", "export it again")
    start = opened[-1]
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    what = CONTAINERS[text[start]]
    return Mistake(len(text), f"the text ends inside the {what} that begins at {line}:{column}", ADD_BRACKETS)


def _step(text: str, offset: int, opened: list[int], state: State) -> State | Mistake:
    """Take one token; push and pop ``opened``."""
    char = text[offset]
    container = text[opened[-1]] if opened else ""
    if state.expects == "end":
        return Mistake(offset, "more text follows after the end of the document", "keep one JSON document in a file")
    if state.expects == "colon":
        return _colon(text, offset)
    if state.expects == "comma" and char == ",":
        return State(offset + 1, "name" if container == "{" else "value", True)
    if container and char == CLOSING[container] and state.expects in ("comma", "first-name", "item"):
        opened.pop()
        return State(offset + 1, "comma" if opened else "end", False)
    if state.expects == "comma":
        message = f"expected ',' or '{CLOSING[container]}' after {PLACES[container]}"
        return Mistake(offset, message, f"add what is missing before {_seen(text, offset)}")
    if state.is_after_comma and char in "]}":
        return Mistake(text.rfind(",", 0, offset), f"a comma stands before '{char}'", "delete the comma")
    if state.expects in ("name", "first-name"):
        return _name(text, offset)
    return _value(text, offset, opened)


def _colon(text: str, offset: int) -> State | Mistake:
    if text[offset] == ":":
        return State(offset + 1, "value", False)
    return Mistake(offset, "expected ':' after a name", f"add it before {_seen(text, offset)}")


def _name(text: str, offset: int) -> State | Mistake:
    if text[offset] != '"':
        message = f"expected a name in double quotes, found {_seen(text, offset)}"
        return Mistake(offset, message, 'write "name": value')
    return _string(text, offset, "colon")


def _value(text: str, offset: int, opened: list[int]) -> State | Mistake:
    char = text[offset]
    after = "comma" if opened else "end"
    if char in CLOSING:
        opened.append(offset)
        if len(opened) > MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
            return Mistake(offset, message, "AWS prints no such document; export it again")
        return State(offset + 1, "first-name" if char == "{" else "item", False)
    if char == '"':
        return _string(text, offset, after)
    if number := NUMBER.match(text, offset):
        return _number(number, after)
    word = WORD.match(text, offset)
    if word and word[0] in ("true", "false", "null"):
        return State(word.end(), after, False)
    if word and word[0] in FOREIGN_WORDS:
        return Mistake(offset, f"{word[0]} is no JSON value", f"write {FOREIGN_WORDS[word[0]]}")
    message = f"expected a value, found {_seen(text, offset)}"
    return Mistake(offset, message, "write a JSON value, texts in double quotes")


def _number(found: re.Match[str], after: str) -> State | Mistake:
    digits = found[0].removeprefix("-")
    remedy = "write a smaller number, or a text in double quotes"
    if digits.isdecimal() and len(digits) > MAX_DIGITS:
        return Mistake(found.start(), f"a number of {len(digits):,} digits is too long to be read", remedy)
    if not digits.isdecimal() and math.isinf(float(digits)):
        shown = digits if len(digits) <= SHOWN_DIGITS else f"{digits[:SHOWN_DIGITS]}..."
        return Mistake(found.start(), f"the number {shown} is too large to be read", remedy)
    return State(found.end(), after, False)


def _string(text: str, offset: int, after: str) -> State | Mistake:
    found = STRING.match(text, offset)
    if not found:
        return _bad_string(text, offset)
    if "\\u" in found[0] and not is_unicode(json.loads(found[0])):
        message = "a \\u escape names half of a character (a lone surrogate)"
        return Mistake(offset, message, "write both halves, or the character itself")
    return State(found.end(), after, False)


def _bad_string(text: str, offset: int) -> Mistake:
    found = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+').match(text, offset)
    end = found.end() if found else offset + 1
    if end >= len(text):
        return Mistake(offset, "the text ends inside the string that begins here", ADD_BRACKETS)
    if text[end] in "\n\r":
        return Mistake(end, "a string is never closed: the line ends inside it", "add the closing double quote")
    if text[end] == "\\":
        return Mistake(end, f"{_seen(text, end)} is no JSON escape", "write \\\\ for a backslash")
    return Mistake(end, f"a string holds the control character {_seen(text, end)}", "write it as an escape")


def is_unicode(text: str) -> bool:
    """Whether ``text`` can be stored as UTF-8: it holds no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _seen(text: str, offset: int) -> str:
    word = WORD.match(text, offset)
    seen = word[0][:20] if word else text[offset : offset + (2 if text[offset] == "\\" else 1)]
    return f"'{seen}'" if seen.isprintable() else f"U+{ord(seen[-1]):04X}"
