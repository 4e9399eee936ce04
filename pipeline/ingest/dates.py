"""Brings the dates of exports into one form."""

import functools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeAlias

from pipeline.errors import Reject
from pipeline.ingest.decode import Page

Date: TypeAlias = str | int | float | None


@functools.lru_cache(maxsize=65536)
def utc(date: Date) -> str | None:
    """Return an ISO 8601 text or a count of seconds since 1970 as ``2024-01-31T00:00:00Z``, None if it is neither.

    A text without offset counts as UTC. Fractions of a second are left out.
    """
    if date is None:
        return None
    try:
        moment = datetime.fromisoformat(date) if isinstance(date, str) else datetime.fromtimestamp(date, UTC)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def undated(page: Page, pointer: str, dates: Iterable[tuple[str, Date]]) -> Iterator[Reject]:
    """Warn of dates that are none; each comes with its place below ``pointer``."""
    for place, date in dates:
        if date is not None and utc(date) is None:
            remedy = "nothing to do if the date does not matter; else export it again"
            message = f"{date!r} is no ISO 8601 date; it was left out"
            yield page.reject(f"{pointer}/{place}", "warning", "bad-date", message, remedy)
