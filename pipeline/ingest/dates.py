"""Brings the dates of exports into one form."""

import functools
from datetime import UTC, datetime
from typing import TypeAlias

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
