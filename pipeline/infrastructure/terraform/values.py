"""Marks in a plan of what is unknown until apply or sensitive, beside the values that they belong to."""

from typing import Any

from pipeline.infrastructure.facts import (
    Json,
    as_object,
)


def flagged(flags: Any) -> Any:
    """Return marks of what is unknown with texts in their place."""
    if isinstance(flags, dict):
        return {name: flagged(one) for name, one in flags.items()}
    return [flagged(one) for one in flags] if isinstance(flags, list) else "unknown" if flags is True else None


def is_never(value: Any) -> bool:
    """Whether a value is a mark of what is unknown: none is, among values."""
    return False


def is_flag(value: Any) -> bool:
    """Whether a value is such a mark, among marks."""
    return value is True


def is_same(delta: Json, argument: str) -> bool:
    """Whether an argument stays as it is."""
    before, after = (as_object(delta.get(side)).get(argument) for side in ("before", "after"))
    return bool(before == after and not is_unknown_within(as_object(delta.get("after_unknown")).get(argument)))


def is_unknown_within(value: Any) -> bool:
    """Whether anything in marks says unknown."""
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is True or isinstance(value, str) or any(map(is_unknown_within, held))


def count(flags: Any) -> int:
    """Return how many entries of a list are unknown, as far as is known."""
    return sum(map(bool, flags)) if isinstance(flags, list) else 1


def is_partly_unknown(unknown: Any) -> bool:
    """Whether a list is unknown, or an entry of it."""
    return unknown is True or (isinstance(unknown, list) and any(unknown))
