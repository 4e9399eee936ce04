"""The input formats, in the order in which they are tried. Recognition is by content, never by a file's name."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pipeline.errors import Reject
from pipeline.ingest import (
    account_details,
    infrastructure,
    organization,
    policy_documents,
    resource_policies,
    resource_tags,
    tuning_jobs,
)
from pipeline.ingest.decode import Page
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.parts import Part


class Adapter(NamedTuple):
    """One format: its name in ``sources``, what it is told by and what it gives in words, and the two functions."""

    content: str
    told_by: str
    gives: str
    recognises: Callable[[frozenset[str]], bool]
    read: Callable[[Page, DocumentStore], Iterator[Part]]


ADAPTERS: tuple[Adapter, ...] = tuple(
    Adapter(module.CONTENT, module.RECOGNISES, module.YIELDS, module.recognises, module.read)
    for module in (
        organization,
        account_details,
        infrastructure.PLAN,
        infrastructure.TEMPLATE,
        resource_tags,
        resource_policies,
        tuning_jobs,
        policy_documents,
    )
)

SHOWN_NAMES = 5


def recognise(page: Page) -> Adapter | Reject:
    """Return the adapter of a page, or a reject that names the formats."""
    names = frozenset(page.members)
    found = next((adapter for adapter in ADAPTERS if adapter.recognises(names)), None)
    if found:
        return found
    more = ", ..." if len(names) > SHOWN_NAMES else ""
    shown = ", ".join(repr(name) for name in sorted(names)[:SHOWN_NAMES]) + more
    message = f"an object with {f'the members {shown}' if names else 'no members'} is none of the input formats"
    remedy = "give one of: " + "; ".join(adapter.told_by for adapter in ADAPTERS)
    return page.reject("", "error", "unrecognised", message, remedy)
