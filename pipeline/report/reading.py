"""Reads from the lake what all kinds of reports share."""

from typing import NamedTuple

from pipeline.lake import Lake
from pipeline.report.model import Book, read_book
from pipeline.report.part import Part, narrowed, narrowed_sources, targets, with_own_witnesses
from pipeline.report.principals import Sources, read_sources


class Read(NamedTuple):
    """What pages are made of, all of it or a part; ``targets`` are what policies of a part are attached to."""

    book: Book
    sources: Sources
    part: Part | None
    targets: set[str] | None


def read_all(lake: Lake, part: Part | None) -> Read:
    """Read everything, or a part. Raises PolicylakeError where nothing is left of the part."""
    book = read_book(lake)
    if part is None:
        return Read(book, read_sources(lake, book), None, None)
    left = with_own_witnesses(narrowed(book, part), lake)
    sources = narrowed_sources(read_sources(lake, left), left)
    return Read(left, sources, part, targets(left, sources))
