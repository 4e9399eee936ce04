"""Reads the output of ``aws resourcegroupstaggingapi get-resources``."""

from collections.abc import Iterator

import msgspec

from pipeline.flatten.records import ResourceRecord
from pipeline.ingest.arns import RESOURCE_ARN, account_in_name, is_bucket
from pipeline.ingest.decode import Page, each, unrepeated
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.endings import follows
from pipeline.ingest.parts import PagePart, Part, ResourcePart
from pipeline.ingest.tags import Tag, distinct

CONTENT = "resource-tags"
RECOGNISES = "get-resources: ResourceTagMappingList"
YIELDS = "resources with their tags"


class Resource(msgspec.Struct, gc=False):
    """A member of ResourceTagMappingList."""

    arn: str = msgspec.field(name="ResourceARN")
    tags: list[Tag] | None = msgspec.field(name="Tags", default=None)


def recognises(names: frozenset[str]) -> bool:
    """Whether an object with these members is a page of get-resources."""
    return "ResourceTagMappingList" in names


def read(page: Page, documents: DocumentStore) -> Iterator[Part]:
    """Yield the resources of the page. The tagging API lists those of one account: its buckets are that account's."""
    del documents
    page = yield from unrepeated(page)
    scopes: set[tuple[str, str]] = set()
    buckets: list[ResourcePart] = []
    for part in each(page, "ResourceTagMappingList", Resource, "resource", lambda at, item: _resource(page, at, item)):
        if isinstance(part, ResourcePart):
            _, _, _, region, account, _ = part.record.resource_arn.split(":", 5)
            scopes |= {(account, region)} if account and region else set()
            if is_bucket(part.record.resource_arn):
                buckets.append(part)
                continue
        yield part
    accounts = {account for account, _ in scopes}
    owner = accounts.pop() if len(accounts) == 1 else None if accounts else account_in_name(page.name)
    yield from (part._replace(record=part.record._replace(owner=owner)) for part in buckets)
    yield PagePart(page.source, page.pointer, CONTENT, frozenset(scopes), follows(page.members, "PaginationToken"))


def _resource(page: Page, pointer: str, item: Resource) -> Iterator[Part]:
    if not RESOURCE_ARN.fullmatch(item.arn):
        message = f"{item.arn!r} is not an ARN"
        yield page.reject(f"{pointer}/ResourceARN", "error", "bad-arn", message, "export it again; this was left out")
        return
    tags, _ = yield from distinct(page, pointer, item.tags, str, item.arn, "the other one was left out")
    yield ResourcePart(page.source, page.pointer + pointer, ResourceRecord(item.arn, tags))
