"""Cuts a file into pages and pages into typed items. Must not know what a format means.

Decoding leaves policy documents raw. Where a list holds an item of the wrong shape, its items are decoded one by one
by the same types, and only the wrong ones are left out.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from pipeline.errors import Problem, Reject, Severity
from pipeline.ingest.duplicates import first_duplicate, is_plain, repeated_members
from pipeline.ingest.locate import line_column, step_of
from pipeline.ingest.syntax import blank_comments, first_mistake

T = TypeVar("T")
P = TypeVar("P")

#: What msgspec raises on text that it cannot decode.
FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
#: Bytes of a list that is looked through as a whole; of a longer one each item by itself, which takes less memory.
AT_ONCE = 4_000_000
LEFT_OUT = "; the rest of the file was read"
COMMENTED = "comments"
COMMENTS = "comments are no JSON: they were skipped, AWS would refuse them"

WHERE = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
EXPECTED = re.compile(r"Expected `(.+)`, got `(.+)`")
REQUIRED = re.compile(r"Object missing required field `(.+)`")
TYPE_NAMES = {"str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "array": "a list"}
TYPE_NAMES |= {"object": "an object", "null": "null"}

_members = msgspec.json.Decoder(dict[str, Raw])
_items = msgspec.json.Decoder(list[Raw])

FIRST_BYTES = {b"{": "an object", b"[": "a list", b'"': "a text", b"n": "null"}
FIRST_BYTES |= {b"t": "true or false", b"f": "true or false"}


class Page(NamedTuple):
    """One JSON object of a file: the whole file, or an item of the list that it holds.

    ``name`` is the file's path without ending; ``pointer`` leads to the page; ``members`` are undecoded; ``unread``
    are the names of those that were left out.
    """

    source: str
    name: str
    pointer: str
    raw: Raw
    members: Mapping[str, Raw]
    unread: frozenset[str] = frozenset()

    def reject(self, pointer: str, severity: Severity, code: str, message: str, remedy: str) -> Reject:
        """Return a reject at ``pointer`` below this page."""
        return Reject(self.source, None, None, self.pointer + pointer, severity, code, message, remedy)

    def problem(self, pointer: str, problem: Problem) -> Reject:
        """Return a problem found at ``pointer`` below this page as a reject."""
        return self.reject(pointer + problem.pointer, *problem[1:])


def pages(source: str, name: str, data: bytes) -> tuple[tuple[Page, ...], tuple[Reject, ...]]:
    """Cut a file's text into its pages.

    A comment is a warning; what is not JSON, and an item that is not an object, is an error with its place.
    """
    try:
        return _cut(source, name, data)
    except FAILURES as failure:
        return _mended(source, name, data.decode("utf-8"), failure)


def _mended(source: str, name: str, text: str, failure: Exception) -> tuple[tuple[Page, ...], tuple[Reject, ...]]:
    """Try again without comments; tell the first mistake of a text that is no JSON either way."""
    blanked, comment = blank_comments(text)
    mistake = first_mistake(blanked)
    if mistake is None and comment is not None:
        try:
            found, rejects = _cut(source, name, blanked.encode("utf-8"))
        except FAILURES as second:
            failure = second
        else:
            remedy = "delete the comments before using it in AWS"
            return found, (_at(source, text, comment, "warning", COMMENTED, COMMENTS, remedy), *rejects)
    offset, message, remedy = mistake or (0, f"cannot be decoded ({failure})", "export it again")
    remedy += "; this file was left out"
    return (), (_at(source, text, offset, "error", "malformed-json", message, remedy),)


def _at(source: str, text: str, offset: int, severity: Severity, code: str, message: str, remedy: str) -> Reject:
    return Reject(source, *line_column(text, offset), "", severity, code, message, remedy)


def _cut(source: str, name: str, data: bytes) -> tuple[tuple[Page, ...], tuple[Reject, ...]]:
    raw = Raw(data)
    if kind_of(raw) != "a list":
        return _page(source, name, "", raw)
    cut = [_page(source, name, f"/{index}", item) for index, item in enumerate(_items.decode(raw))]
    if not cut:
        remedy = "nothing to do if that is right; else export it again"
        return (), (Reject(source, None, None, "", "warning", "empty-list", "holds an empty list", remedy),)
    return tuple(page for found, _ in cut for page in found), tuple(reject for _, rejects in cut for reject in rejects)


def _page(source: str, name: str, pointer: str, raw: Raw) -> tuple[tuple[Page, ...], tuple[Reject, ...]]:
    kind = kind_of(raw)
    if kind == "an object":
        return (Page(source, name, pointer, raw, _members.decode(raw)),), ()
    if not pointer:  # the items of a list stand each for itself, whatever they hold
        msgspec.json.decode(raw)
    message = f"expected an object, found {kind}"
    remedy = "give an export, an organization, tags, or a policy document; this was left out"
    return (), (Reject(source, None, None, pointer, "error", "unrecognised", message, remedy),)


def kind_of(raw: Raw) -> str:
    """Return what kind of JSON value this is, in words."""
    first = bytes(memoryview(raw)[:64]).lstrip(b" \t\r\n")[:1] or bytes(raw).lstrip(b" \t\r\n")[:1]
    return FIRST_BYTES.get(first, "a number")


def unrepeated(page: Page) -> Generator[Reject, None, Page]:
    """Yield a reject for each member of the page that stands in it twice, and return the page without those."""
    names = repeated_members(page.raw, page.members)
    for name in names:
        message = f"{name} stands twice in one object: which one is meant is not known"
        remedy = f"keep one of them; both were left out{LEFT_OUT}"
        yield page.reject(f"/{step_of(name)}", "error", "duplicate-name", message, remedy)
    members = {name: value for name, value in page.members.items() if name not in names} if names else page.members
    return page._replace(members=members, unread=frozenset(names))


def items(page: Page, member: str, kind: type[T], what: str) -> Iterator[tuple[str, T] | Reject]:
    """Yield the items of a list member with their pointers below the page, and a reject for each item of another shape.

    An absent or null member has none.
    """
    raw = page.members.get(member)
    if raw is None or kind_of(raw) == "null":
        return
    decoded = _whole(raw, kind)
    if decoded is None:
        yield from _one_by_one(page, member, raw, kind, what)
        return
    for index, item in enumerate(decoded):
        yield f"/{member}/{index}", item


def _whole(raw: Raw, kind: type[T]) -> list[T] | None:
    """Decode a list at once, None where an item is of another shape or may hold a name twice."""
    try:
        decoded = _decoder(kind).decode(raw)
        is_small = len(memoryview(raw)) <= AT_ONCE
        return decoded if (is_small and is_plain(raw)) or all(map(is_plain, _items.decode(raw))) else None
    except FAILURES:
        return None


def each(
    page: Page, member: str, kind: type[T], what: str, convert: Callable[[str, T], Iterable[P]]
) -> Iterator[P | Reject]:
    """Yield what ``convert`` makes of each item and its pointer, and the rejects of :func:`items`."""
    for found in items(page, member, kind, what):
        if isinstance(found, Reject):
            yield found
        else:
            yield from convert(*found)


_decoders: dict[type, msgspec.json.Decoder[list[object]]] = {}


def _decoder(kind: type[T]) -> msgspec.json.Decoder[list[T]]:
    # Types are values here: each decoder is kept under the type that it was made of, which no annotation can say.
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
    return _decoders[kind]  # type: ignore[return-value]


def _one_by_one(page: Page, member: str, raw: Raw, kind: type[T], what: str) -> Iterator[tuple[str, T] | Reject]:
    try:
        undecoded = _items.decode(raw)
    except FAILURES as failure:
        yield misshapen(page, f"/{member}", failure, f"the members of {member}")
        return
    for index, item in enumerate(undecoded):
        pointer = f"/{member}/{index}"
        decoded = one(page, pointer, item, kind, what)
        yield decoded if isinstance(decoded, Reject) else (pointer, decoded)


def one(page: Page, pointer: str, raw: Raw, kind: type[T], what: str) -> T | Reject:
    """Decode one value of the page, or return a reject: it is of another shape, or a name stands in it twice."""
    try:
        repeated = first_duplicate(raw)
        if repeated is None:
            return msgspec.json.decode(raw, type=kind)
    except FAILURES as failure:
        return misshapen(page, pointer, failure, what)
    message = f"{what}: {repeated.name} stands twice in one object: which one is meant is not known"
    remedy = f"keep one of them; this was left out{LEFT_OUT}"
    return page.reject(pointer + repeated.pointer, "error", "duplicate-name", message, remedy)


def misshapen(page: Page, pointer: str, failure: Exception, what: str) -> Reject:
    """Return the reject for a value that msgspec refused; its message names the member and the types."""
    text, path = _split(str(failure))
    below = "".join(f"/{step[1] or step[2]}" for step in STEP.finditer(path))
    expected, required = EXPECTED.fullmatch(text), REQUIRED.fullmatch(text)
    if expected:
        wanted, got = (_type_words(words) for words in expected.groups())
        reason = f"expected {wanted}, found {got}"
    elif required:
        reason = f"{required[1]} is missing"
    else:
        reason = f"cannot be decoded ({text})"
    member = below[1:].replace("/", ".")
    message = f"{what}: {member + ': ' if member else ''}{reason}"
    return page.reject(pointer + below, "error", "wrong-type", message, f"export it again; this was left out{LEFT_OUT}")


def _split(text: str) -> tuple[str, str]:
    found = WHERE.fullmatch(text)
    return (found[1], found[2] or "") if found else (text, "")


def _type_words(names: str) -> str:
    return " or ".join(TYPE_NAMES.get(name, name) for name in names.split(" | "))
