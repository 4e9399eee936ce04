"""Finds where a statement stands in the file that it was read from, by reading that file again. Must not judge it.

A build keeps no positions: they are asked for seldom. What is told holds for the very bytes that were built from.
"""

import hashlib
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from operator import eq
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Raw

from pipeline.errors import Problem
from pipeline.flatten.records import SourceFile
from pipeline.ingest import account_details
from pipeline.ingest.decode import FAILURES, kind_of
from pipeline.ingest.documents import POLICY_ID_DIGITS, decode_document, document_text
from pipeline.ingest.files import GZIP_MAGIC, InputFile, load
from pipeline.ingest.locate import locate
from pipeline.ingest.syntax import blank_comments

#: Other files of account details that are looked through for a managed policy, the nearest by name first.
MOST_OTHERS = 50
#: Lists of an export by the kind of principal, with the lists of their inline policies.
PRINCIPALS = {
    "user": ("UserDetailList", "UserPolicyList"),
    "group": ("GroupDetailList", "GroupPolicyList"),
    "role": ("RoleDetailList", "RolePolicyList"),
}
EXPECTED = "the document is not where it was read; build the lake again"

_members = msgspec.json.Decoder(dict[str, Raw])
_items = msgspec.json.Decoder(list[Raw])


class Occurrence(NamedTuple):
    """A statement of a policy on a target: a row of ``attachments`` with the index of one of its statements.

    ``is_listed`` tells that the document's Statement is a list.
    """

    target_arn: str
    attachment_kind: str
    policy_id: str
    policy_name: str
    policy_arn: str | None
    source: str
    statement_index: int
    is_listed: bool

    @property
    def statement_pointer(self) -> str:
        """RFC 6901 pointer of the statement within its document."""
        return f"/Statement/{self.statement_index}" if self.is_listed else "/Statement"


class Position(NamedTuple):
    """Where a statement begins: ``line`` and ``column`` count from 1, and are None where ``remark`` says why.

    ``document_pointer`` leads to the document in the file, ``statement_pointer`` from there to the statement. Where the
    document is a text within the file, line and column are those of that text. Of a packed file they are those of what
    is in it.
    """

    file: str
    line: int | None
    column: int | None
    document_pointer: str | None
    statement_pointer: str
    remark: str | None


class _Text(NamedTuple):
    text: str
    raw: Raw
    is_packed: bool


class _Found(NamedTuple):
    pointer: str
    raw: Raw
    is_packed: bool = False


def positions(occurrences: Iterable[Occurrence], sources: Sequence[SourceFile]) -> dict[Occurrence, Position]:
    """Return the position of each occurrence. ``sources`` are the input files as the lake's manifest has them.

    Files are sought where the build found them, from the current folder. One that is gone or has changed gives no
    position but a remark.
    """
    shelf = _Shelf({source.path: source for source in sources})
    asked = sorted(dict.fromkeys(occurrences), key=lambda occurrence: occurrence.source)
    held = [(o, shelf.found(o)) for o in asked]
    lines = _lines(shelf, [(path, _pointer(found, o)) for o, (path, found) in held if isinstance(found, _Found)])
    return {o: _position(path, found, o, lines) for o, (path, found) in held}


def principal_positions(wanted: Iterable[tuple[str, str]], sources: Sequence[SourceFile]) -> dict[str, Position]:
    """Return where principals stand in their files, by ARN; ``wanted`` are ARNs, each with the file it was read from.

    Those that are not found there, as loose documents, are left out.
    """
    shelf = _Shelf({source.path: source for source in sources})
    by_file: dict[str, set[str]] = {}
    for arn, path in wanted:
        by_file.setdefault(path, set()).add(arn)
    found = {}
    for path, arns in sorted(by_file.items()):
        text = shelf.read(path)
        if isinstance(text, _Text):
            pointers = {arn: pointer for arn, pointer in _principals(text.raw) if arn in arns}
            lines = locate(text.text, pointers.values())
            remark = "in the unpacked file" if text.is_packed else None
            for arn, pointer in pointers.items():
                line, column = lines.get(pointer, (None, None))
                found[arn] = Position(path, line, column, pointer, "", remark)
    return found


def _principals(raw: Raw) -> Iterator[tuple[str, str]]:
    """Yield the ARN of each principal of an export with the pointer to it."""
    for page in _pages(raw):
        members = _object(page.raw)
        for listed, _ in PRINCIPALS.values():
            for item in _list(members.get(listed), f"{page.pointer}/{listed}"):
                arn = _text_of(_object(item.raw).get("Arn"))
                if arn is not None:
                    yield arn, item.pointer


def _lines(shelf: "_Shelf", places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return line and column by file and pointer: each file is gone through once, however much is sought in it."""
    wanted: dict[str, list[str]] = {}
    for path, pointer in places:
        wanted.setdefault(path, []).append(pointer)
    lines = {}
    for path, pointers in wanted.items():
        text = shelf.read(path)
        if isinstance(text, _Text):
            lines.update({(path, pointer): place for pointer, place in locate(text.text, pointers).items()})
    return lines


class _Shelf:
    """The input files, each read once."""

    def __init__(self, sources: Mapping[str, SourceFile]) -> None:
        self.sources = sources
        self.read = lru_cache(maxsize=4)(self._read)

    def found(self, o: Occurrence) -> "tuple[str, _Found | str]":
        """Return the file that holds an occurrence, its own or, for a managed policy, one near it, and the place there.

        Where nothing holds it, the place is the reason.
        """
        nowhere = None
        for path in (o.source, *self._others(o)):
            text = self.read(path)
            if isinstance(text, str):
                nowhere = nowhere or text
                continue
            found = next((f for f in _places(text.raw, o) if _policy_id(f.raw) == o.policy_id), None)
            if found:
                # A copy: the rest of the file need not stay in memory.
                return path, found._replace(raw=found.raw.copy(), is_packed=text.is_packed)
        return o.source, nowhere or EXPECTED

    def _others(self, o: Occurrence) -> Iterator[str]:
        if o.attachment_kind not in ("managed", "boundary"):
            return
        others = (s.path for s in self.sources.values() if account_details.CONTENT in s.content and s.path != o.source)
        yield from sorted(others, key=lambda path: (-_shared(path, o.source), path))[:MOST_OTHERS]

    def _read(self, path: str) -> _Text | str:
        """Return the text of an input file, or why there is none."""
        source = self.sources.get(path)
        if source is None:
            return f"{path} is none of the lake's input files"
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return f"{path} is not there any more, or not from this folder; run this where the build ran"
        if not stat.S_ISREG(status.st_mode) or status.st_size != source.size:
            return f"{path} has changed since the build; build the lake again"
        content = load(InputFile(path, "", Path(path)))
        if content.sha256 != source.sha256 or content.data is None:
            return f"{path} has changed since the build; build the lake again"
        return _text(content.data, _is_packed(Path(path)))


def _shared(path: str, other: str) -> int:
    """Return how many characters two names begin with alike."""
    return sum(takewhile(bool, map(eq, path, other)))


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(GZIP_MAGIC)) == GZIP_MAGIC


def _text(data: bytes, is_packed: bool) -> _Text:
    try:
        msgspec.json.decode(data, type=Raw)
        text = data.decode("utf-8")
    except FAILURES:
        text = blank_comments(data.decode("utf-8"))[0]
    return _Text(text, Raw(text.encode("utf-8")), is_packed)


def _pointer(found: _Found, o: Occurrence) -> str:
    """Return the pointer of what the line is told of: the statement, or the text that holds its document."""
    return found.pointer + (o.statement_pointer if kind_of(found.raw) == "an object" else "")


def _position(
    path: str, found: _Found | str, o: Occurrence, lines: Mapping[tuple[str, str], tuple[int, int]]
) -> Position:
    if isinstance(found, str):
        return Position(path, None, None, None, o.statement_pointer, found)
    remarks = ["in the unpacked file"] if found.is_packed else []
    if kind_of(found.raw) != "an object":
        remarks += [f"the document is a text in the file, and begins here{_inner(found.raw, o)}"]
    line, column = lines.get((path, _pointer(found, o)), (None, None))
    remark = "; ".join(remarks) or None
    return Position(path, line, column, found.pointer, o.statement_pointer, remark)


def _inner(raw: Raw, o: Occurrence) -> str:
    """Say where in a document that is a text its statement stands; of a text on one line the line says nothing."""
    text = document_text(raw)
    if isinstance(text, Problem):
        return ""
    place = locate(text, [o.statement_pointer]).get(o.statement_pointer)
    return f"; the statement at line {place[0]}, column {place[1]} of that text, decoded" if place else ""


def _policy_id(raw: Raw) -> str | None:
    """Return the id of a document as the build computes it; None for what is no document."""
    text = document_text(raw)
    decoded = text if isinstance(text, Problem) else decode_document(text, kind_of(raw) == "a text")
    if isinstance(decoded, Problem):
        return None
    return hashlib.sha256(decoded.canonical.encode("utf-8")).hexdigest()[:POLICY_ID_DIGITS]


def _places(raw: Raw, o: Occurrence) -> Iterator[_Found]:
    """Yield the places of a file at which the document of an occurrence may stand."""
    for page in _pages(raw):
        members = _object(page.raw)
        if o.attachment_kind in ("scp", "rcp"):
            found = _controls(members, o)
        elif o.attachment_kind in ("resource", "endpoint"):
            found = _of_resource(members, o)
        elif o.attachment_kind in ("managed", "boundary"):
            found = _managed(members, o)
        elif o.target_arn.startswith("policy/"):
            found = _loose(page.raw, members)
        else:
            found = _of_principal(members, o)
        yield from (_Found(page.pointer + place.pointer, place.raw) for place in found)


def _pages(raw: Raw) -> list[_Found]:
    return [_Found("", raw)] if kind_of(raw) != "a list" else _list(raw, "")


def _controls(members: Mapping[str, Raw], o: Occurrence) -> Iterator[_Found]:
    for item in _list(members.get("Policies"), "/Policies"):
        policy = _object(item.raw)
        if _text_of(_object(policy.get("PolicySummary")).get("Arn")) == o.policy_arn and "Content" in policy:
            yield _Found(f"{item.pointer}/Content", policy["Content"])


def _of_resource(members: Mapping[str, Raw], o: Occurrence) -> Iterator[_Found]:
    if _text_of(members.get("ResourceArn")) == o.target_arn and "ResourcePolicy" in members:
        yield _Found("/ResourcePolicy", members["ResourcePolicy"])


def _managed(members: Mapping[str, Raw], o: Occurrence) -> Iterator[_Found]:
    """Yield all versions of a managed policy, the default one first."""
    for item in _list(members.get("Policies"), "/Policies"):
        policy = _object(item.raw)
        if _text_of(policy.get("Arn")) != o.policy_arn:
            continue
        versions = [
            (_Found(f"{version.pointer}/Document", fields["Document"]), fields)
            for version in _list(policy.get("PolicyVersionList"), f"{item.pointer}/PolicyVersionList")
            if "Document" in (fields := _object(version.raw))
        ]
        default = _text_of(policy.get("DefaultVersionId"))
        first = [found for found, fields in versions if _text_of(fields.get("VersionId")) == default]
        yield from first
        yield from (found for found, _ in versions if found not in first)


def _loose(raw: Raw, members: Mapping[str, Raw]) -> Iterator[_Found]:
    if "PolicyVersion" in members:
        version = _object(members["PolicyVersion"])
        if "Document" in version:
            yield _Found("/PolicyVersion/Document", version["Document"])
    else:
        yield _Found("", raw)


def _of_principal(members: Mapping[str, Raw], o: Occurrence) -> Iterator[_Found]:
    kind = o.target_arn.split(":", 5)[-1].split("/", 1)[0]
    listed, inline = PRINCIPALS.get(kind, ("", ""))
    for item in _list(members.get(listed), f"/{listed}"):
        principal = _object(item.raw)
        if _text_of(principal.get("Arn")) != o.target_arn:
            continue
        if o.attachment_kind == "trust" and "AssumeRolePolicyDocument" in principal:
            yield _Found(f"{item.pointer}/AssumeRolePolicyDocument", principal["AssumeRolePolicyDocument"])
        if o.attachment_kind == "inline":
            yield from _inline(_list(principal.get(inline), f"{item.pointer}/{inline}"), o)


def _inline(listed: Iterable[_Found], o: Occurrence) -> Iterator[_Found]:
    for item in listed:
        policy = _object(item.raw)
        if _text_of(policy.get("PolicyName")) == o.policy_name and "PolicyDocument" in policy:
            yield _Found(f"{item.pointer}/PolicyDocument", policy["PolicyDocument"])


def _object(raw: Raw | None) -> Mapping[str, Raw]:
    try:
        return _members.decode(raw) if raw is not None else {}
    except FAILURES:
        return {}


def _list(raw: Raw | None, pointer: str) -> list[_Found]:
    try:
        items = _items.decode(raw) if raw is not None else []
    except FAILURES:
        return []
    return [_Found(f"{pointer}/{index}", item) for index, item in enumerate(items)]


def _text_of(raw: Raw | None) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str) if raw is not None else None
    except FAILURES:
        return None
