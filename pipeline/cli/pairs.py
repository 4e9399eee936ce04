"""Reads options of the form KEY=VALUE."""

from collections.abc import Iterable

from pipeline.errors import PolicylakeError


def values(given: Iterable[str], option: str) -> dict[str, list[str]]:
    """Return the values of each key, in order. Raises PolicylakeError for a text without key and =."""
    found: dict[str, list[str]] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise PolicylakeError(f"{option} {text}: KEY=VALUE is expected")
        found.setdefault(key, []).append(value)
    return found


def single_values(given: Iterable[str], option: str) -> dict[str, str]:
    """Return the value of each key. Raises PolicylakeError for a key that is given twice as well."""
    found = values(given, option)
    for key, listed in found.items():
        if len(listed) > 1:
            raise PolicylakeError(f"{option} {key}: given {len(listed)} times; leave one")
    return {key: listed[0] for key, listed in found.items()}
