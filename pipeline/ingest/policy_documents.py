"""Reads a policy document by itself, and the output of ``aws iam get-policy-version``."""

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from pipeline.errors import Reject
from pipeline.ingest.decode import Page, one, unrepeated
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.parts import LoosePolicyPart, Part

CONTENT = "policy-document"
RECOGNISES = "a policy document by itself (Version, Statement), or get-policy-version: PolicyVersion"
YIELDS = "a principal of type policy to which that document alone is attached"


class PolicyVersion(msgspec.Struct, rename="pascal"):
    """The answer of get-policy-version."""

    document: Raw = Raw(b"null")


def recognises(names: frozenset[str]) -> bool:
    """Whether an object with these members is a policy document or holds one."""
    return bool(names & {"Statement", "Version", "PolicyVersion"})


def read(page: Page, documents: DocumentStore) -> Iterator[Part]:
    """Yield the document."""
    if page.pointer:
        message = "a policy document stands in a list"
        yield page.reject("", "error", "unrecognised", message, "write each policy document to a file of its own")
        return
    pointer, raw = "", page.raw
    if "PolicyVersion" in page.members:
        page = yield from unrepeated(page)
        if page.unread:
            return
        version = one(page, "/PolicyVersion", page.members["PolicyVersion"], PolicyVersion, "policy version")
        if isinstance(version, Reject):
            yield version
            return
        pointer, raw = "/PolicyVersion/Document", version.document
    policy_id = yield from documents.use(page, pointer, raw, "identity", f"policy/{page.name}")
    if policy_id:
        yield LoosePolicyPart(
            page.source, page.name, policy_id, documents.doubts(raw, "identity", f"policy/{page.name}")
        )
