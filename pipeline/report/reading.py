"""Reads from the lake what all kinds of reports share."""

from typing import NamedTuple

from pipeline.lake import Lake
from pipeline.report.model import Book, read_book
from pipeline.report.own import Own, owned, shown_sources
from pipeline.report.part import Part, narrowed, narrowed_sources, with_own_witnesses
from pipeline.report.principals import Sources, read_sources


class Read(NamedTuple):
    """What pages are made of, all of it or a part; ``own`` is what a part may show."""

    book: Book
    sources: Sources
    part: Part | None
    own: Own | None


def read_all(lake: Lake, part: Part | None) -> Read:
    """Read everything, or a part. Raises PolicylakeError where nothing is left of the part."""
    book = read_book(lake)
    if part is None:
        return Read(book, read_sources(lake, book), None, None)
    left = with_own_witnesses(narrowed(book, part), lake)
    sources = narrowed_sources(read_sources(lake, left), left)
    own = owned(lake, left, sources, part)
    return Read(left, shown_sources(sources, own), part, own)
