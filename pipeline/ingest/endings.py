"""Finds lists that end in the middle: AWS prints them in pages, and the last page was not given.

A page does not say which one it follows. In a file that lists pages it is the one before, if both are of one account;
and a list counts as whole if any page of it, in whatever file, is a last one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec import Raw

from pipeline.errors import Reject
from pipeline.ingest.parts import PagePart

#: What the rest of a list is of, by format; what is missing of the others decides no answer.
LISTS = {"account-details": "account export", "resource-tags": "tags of resources"}
EMPTY = (b"", b"null", b'""', b"false")


class Endings(NamedTuple):
    """``missing`` tells by account what of its lists is not there."""

    rejects: tuple[Reject, ...]
    missing: dict[str, list[str]]


def follows(members: Mapping[str, Raw], *names: str) -> str | None:
    """Return the pointer to the first of the members ``names`` that is there, if it says that another page follows.

    A truth value speaks for the tokens behind it, which AWS prints on the last page as well.
    """
    for name in names:
        value = bytes(members.get(name, Raw(b"")))
        if value == b"false":
            return None
        if value not in EMPTY:
            return f"/{name}"
    return None


def endings(pages: Iterable[PagePart]) -> Endings:
    """Return what is missing of the lists whose last page was not given."""
    by_content: dict[str, list[PagePart]] = defaultdict(list)
    for page in pages:
        by_content[page.content].append(page)
    rejects: list[Reject] = []
    missing: dict[str, list[str]] = defaultdict(list)
    for content, found in by_content.items():
        for page, scopes in _cut(found):
            rejects.append(_reject(page))
            for account, part in scopes if content in LISTS else ():
                missing[account].append(f"rest of the {LISTS[content]}{' in ' + part if part else ''} of {account}")
    return Endings(tuple(rejects), missing)


def _cut(pages: list[PagePart]) -> Iterator[tuple[PagePart, list[tuple[str, str]]]]:
    """Yield the page at which a list ends in the middle, and what of it is nowhere ended."""
    ended = {scope for page in pages if page.more is None for scope in page.scopes}
    scopes: set[tuple[str, str]] = set()
    for page, following in zip(pages, [*pages[1:], None], strict=True):
        scopes |= page.scopes
        if page.more is not None and following is not None and _continues(following, page):
            continue
        if page.more is not None and (not scopes or scopes - ended):
            yield page, sorted(scopes - ended)
        scopes = set()


def _continues(following: PagePart, page: PagePart) -> bool:
    """Whether a page may follow another: both stand in one file, and no items of theirs are of different accounts."""
    accounts, others = ({account for account, _ in one.scopes} for one in (page, following))
    return following.source == page.source and (not accounts or not others or not accounts.isdisjoint(others))


def _reject(page: PagePart) -> Reject:
    name = (page.more or "")[1:]
    message = f"the list ends in the middle: {name} says that another page follows, and none was given"
    remedy = "export all pages, in this file or in others"
    if page.content in LISTS:
        remedy += "; answers about the account are marked incomplete"
    return Reject(page.source, None, None, page.pointer + (page.more or ""), "error", "truncated-list", message, remedy)
