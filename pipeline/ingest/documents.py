"""The store of distinct policy documents: each is parsed once for each kind of policy, however often it occurs.

Must not know where a document is attached.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from pipeline.errors import Problem, Reject
from pipeline.flatten.records import Document
from pipeline.iam import written
from pipeline.iam.parse import UNREADABLE_VALUE, PolicyKind, parse_policy
from pipeline.ingest.decode import FAILURES, Page, kind_of
from pipeline.ingest.locate import line_column, pointer_at, step_of
from pipeline.ingest.syntax import first_mistake, is_deep, is_unicode

POLICY_ID_DIGITS = 24
MARKED = "; answers that may rest on it are marked incomplete"
EXPORT_AGAIN = "export it again, or mend the document"


class Outcome(NamedTuple):
    """What became of a document: ``policy_id`` is None where a problem is an error."""

    policy_id: str | None
    problems: tuple[Problem, ...]

    def rejects(self, page: Page, pointer: str, label: str) -> Iterator[Reject]:
        """Yield the problems as rejects at the place of the document; ``label`` names the policy and its target."""
        for problem in self.problems:
            remedy = problem.remedy + ("; this policy was left out" if problem.severity == "error" else "")
            remedy += MARKED if problem.code == UNREADABLE_VALUE else ""
            yield page.problem(pointer, problem._replace(message=f"{label}: {problem.message}", remedy=remedy))

    def doubts(self, label: str) -> tuple[str, ...]:
        """Return what is not known of the document: what AWS makes of condition values that cannot be read."""
        has_doubt = any(problem.code == UNREADABLE_VALUE for problem in self.problems)
        return (f"readable condition values of the {label}",) if has_doubt else ()


class Decoded(NamedTuple):
    """A decoded document and its canonical form: names sorted, no white space, numbers with a fraction or exponent as
    texts, which is how AWS reads them."""

    value: dict[str, object]
    canonical: str


#: Id of a document and which of the elements that kinds of policies ignore it was read with: principals, resources.
Form: TypeAlias = tuple[str, bool, bool]


def form_of(document: Document) -> Form:
    """Return what tells a document, as it was read, from others and from itself read as another kind."""
    has_principals = has_resources = False
    for s in document.policy.statements:
        has_principals = has_principals or s.principal_element is not None
        has_resources = has_resources or s.resource_element is not None
    return document.policy_id, has_principals, has_resources


def merged(documents: Mapping[Form, Document]) -> tuple[Document, ...]:
    """Return one document for each id, sorted: what stands for it under all kinds in which it was read.

    Kinds differ in the elements that they ignore: principals here, resources there. A resource policy has them all.
    """
    times = Counter(policy_id for policy_id, *_ in documents)
    by_id = {document.policy_id: document for document in documents.values()}
    return tuple(
        by_id[policy_id] if times[policy_id] == 1 else whole(policy_id, by_id[policy_id].canonical)
        for policy_id in sorted(by_id)
    )


def whole(policy_id: str, canonical: str) -> Document:
    """Return a document that was read as several kinds with all its elements: as a resource policy has them.

    What a kind takes of a document is right for every kind that takes it, so this cannot fail.
    """
    policy, problems = parse_policy(json.loads(canonical), "resource")
    if policy is None:
        raise AssertionError(f"document {policy_id} was read as several kinds: {problems}")
    return Document(policy_id, canonical, policy)


class Read(NamedTuple):
    """What became of a document, and the document where it was accepted."""

    outcome: Outcome
    document: Document | None


class DocumentCache:
    """What several stores read: a document that a second store reads is kept for the others."""

    def __init__(self) -> None:
        self._read_once: set[tuple[bytes, PolicyKind]] = set()
        self._kept: dict[tuple[bytes, PolicyKind], Read] = {}

    def read(self, raw: Raw, key: tuple[bytes, PolicyKind]) -> Read:
        """Return what the undecoded JSON value ``raw`` is; ``key`` is the hash of its bytes, and the kind of policy."""
        found = self._kept.get(key)
        if found is None:
            found = _read(raw, key[1])
            if key in self._read_once:
                self._kept[key] = found
            self._read_once.add(key)
        return found


class DocumentStore:
    """Documents by the hash of their bytes, then by the hash of their canonical form."""

    def __init__(self, cache: DocumentCache | None = None) -> None:
        self._cache = cache or DocumentCache()
        self._outcomes: dict[tuple[bytes, PolicyKind], Outcome] = {}
        self._documents: dict[Form, Document] = {}

    @property
    def documents(self) -> dict[Form, Document]:
        """The documents that were accepted, those read as several kinds once for each form."""
        return self._documents

    def outcome(self, raw: Raw, kind: PolicyKind) -> Outcome:
        """Return what the undecoded JSON value ``raw`` is as a policy of this kind."""
        key = (hashlib.sha256(raw).digest(), kind)
        if key not in self._outcomes:
            self._outcomes[key], document = self._cache.read(raw, key)
            if document:
                self._documents.setdefault(form_of(document), document)
        return self._outcomes[key]

    def use(
        self, page: Page, pointer: str, raw: Raw, kind: PolicyKind, label: str
    ) -> Generator[Reject, None, str | None]:
        """Yield the document's problems as rejects at its place and return its id, None if it was left out.

        ``label`` names the policy and what it is attached to.
        """
        outcome = self.outcome(raw, kind)
        yield from outcome.rejects(page, pointer, label)
        return outcome.policy_id

    def doubts(self, raw: Raw, kind: PolicyKind, label: str) -> tuple[str, ...]:
        """Return what is not known of a document; ``label`` names the policy and what it is attached to."""
        return self.outcome(raw, kind).doubts(label)


def _read(raw: Raw, kind: PolicyKind) -> Read:
    text = document_text(raw)
    decoded = text if isinstance(text, Problem) else decode_document(text, kind_of(raw) == "a text")
    if isinstance(decoded, Problem):
        return Read(Outcome(None, (decoded,)), None)
    policy, problems = parse_policy(decoded.value, kind)
    if policy is None:
        return Read(Outcome(None, problems), None)
    policy_id = hashlib.sha256(decoded.canonical.encode("utf-8")).hexdigest()[:POLICY_ID_DIGITS]
    return Read(Outcome(policy_id, problems), Document(policy_id, decoded.canonical, policy))


def _error(code: str, message: str, remedy: str = EXPORT_AGAIN, pointer: str = "") -> Problem:
    return Problem(pointer, "error", code, message, remedy)


def document_text(raw: Raw) -> str | Problem:
    """Return the JSON text of a document that stands as an object, as JSON text or as percent-encoded JSON text.

    The IAM API percent-encodes by RFC 3986, which the AWS CLI and boto3 undo; Organizations and SageMaker print text.
    """
    kind = kind_of(raw)
    if kind == "an object":
        return bytes(raw).decode("utf-8")
    if kind != "a text":
        return _error("bad-document", f"the policy document is {kind}, not an object")
    try:
        text = msgspec.json.decode(raw, type=str)
    except FAILURES:
        return _error("bad-document", "the policy document is a text that cannot be decoded")
    if text.lstrip().startswith("{"):
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return _error("bad-document", "the policy document is percent-encoded, but not as UTF-8")


def decode_document(text: str, is_quoted: bool) -> Decoded | Problem:
    """Decode the JSON text of a document. ``is_quoted`` tells that it stood as a text in the file.

    A name that stands twice in an object is an error, as in AWS; so is nesting that no policy has.
    """
    if is_deep(text):
        return _malformed(text, is_quoted)
    return _decode_plain(text.encode("utf-8", "surrogatepass")) or _decode_any(text, is_quoted)


def _no_float(text: str) -> float:
    raise ValueError(f"{text} is left to the slow way")


_decoder = msgspec.json.Decoder(float_hook=_no_float)


def _decode_plain(data: bytes) -> Decoded | None:
    """Decode a document fast, None if that could hide something.

    Where encoding the decoded value gives the compact text back, no name stood twice and no text was out of the
    ordinary. Numbers with a fraction or exponent are left to the slow way, which keeps how they are written.
    """
    try:
        value = _decoder.decode(data)
        encoded = msgspec.json.encode(value)
        is_plain = encoded == data or encoded == msgspec.json.format(data, indent=-1)
    except FAILURES:
        return None
    if not isinstance(value, dict) or not is_plain:
        return None
    return Decoded(value, msgspec.json.encode(value, order="sorted").decode("utf-8"))


def _decode_any(text: str, is_quoted: bool) -> Decoded | Problem:
    try:
        document, doubled = written.read(text)
        plain = written.with_texts(document)
        canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return _malformed(text, is_quoted)
    if doubled:
        return _duplicate(doubled)
    if not is_unicode(canonical):
        return _error("encoding", "a text holds half of a character (a lone surrogate)")
    if not isinstance(document, dict):
        return _error("bad-document", "the policy document is no object")
    return Decoded(document, canonical)


def _duplicate(doubled: written.Doubled) -> Problem:
    if doubled.path is None:
        return _error("duplicate-name", "a name stands twice in one object, which AWS refuses", "keep one of them")
    pointer = "".join(f"/{step_of(step)}" for step in (*doubled.path, doubled.name))
    message = f"{json.dumps(doubled.name)} stands twice in one object, which AWS refuses"
    return _error("duplicate-name", message, "keep one of them", pointer)


def _malformed(text: str, is_quoted: bool) -> Problem:
    """Return the first mistake as a problem: at its own place, or where it stands in a text within the file."""
    mistake = first_mistake(text)
    if mistake is None:
        return _error("malformed-json", "the policy document cannot be decoded")
    line, column = line_column(text, mistake.offset)
    place = f" (line {line}, column {column} of the document's own text)" if is_quoted else ""
    pointer = "" if is_quoted else pointer_at(text, mistake.offset)
    message = f"the policy document cannot be read: {mistake.message}{place}"
    return _error("malformed-json", message, mistake.remedy, pointer)
