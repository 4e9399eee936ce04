"""Reads the output of ``aws resourcegroupstaggingapi get-resources``."""

from collections.abc import Iterator

import msgspec

from pipeline.flatten.records import ResourceRecord
from pipeline.ingest.arns import RESOURCE_ARN
from pipeline.ingest.decode import Page, each
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.parts import Part, ResourcePart

CONTENT = "resource-tags"
RECOGNISES = "get-resources: ResourceTagMappingList"
YIELDS = "resources with their tags"


class Tag(msgspec.Struct, rename="pascal", gc=False):
    """One tag."""

    key: str
    value: str


class Resource(msgspec.Struct, gc=False):
    """A member of ResourceTagMappingList."""

    arn: str = msgspec.field(name="ResourceARN")
    tags: list[Tag] | None = msgspec.field(name="Tags", default=None)


def recognises(names: frozenset[str]) -> bool:
    """Whether an object with these members is a page of get-resources."""
    return "ResourceTagMappingList" in names


def read(page: Page, documents: DocumentStore) -> Iterator[Part]:
    """Yield the resources of the page."""
    del documents
    yield from each(page, "ResourceTagMappingList", Resource, "resource", lambda at, item: _resource(page, at, item))


def _resource(page: Page, pointer: str, item: Resource) -> Iterator[Part]:
    if not RESOURCE_ARN.fullmatch(item.arn):
        message = f"{item.arn!r} is not an ARN"
        yield page.reject(f"{pointer}/ResourceARN", "error", "bad-arn", message, "export it again; this was left out")
        return
    tags = tuple(sorted({tag.key: tag.value for tag in item.tags or ()}.items()))
    yield ResourcePart(page.source, page.pointer + pointer, ResourceRecord(item.arn, tags))
