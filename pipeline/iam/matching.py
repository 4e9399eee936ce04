"""Matching of one request's texts against patterns. The set-based engine does not use this."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from pipeline.iam.grammar import Part, arn_fields, completed_arn, parts

#: Looks a condition key up: its values in the request, () if it is absent.
Lookup = Callable[[str], tuple[str, ...]]


def resolved(text: str, has_variables: bool, lookup: Lookup) -> tuple[Part, ...] | None:
    """Return the parts of a text with values in the place of variables; None if one has neither value nor default.

    A value is literal text: a ``*`` in a tag is no wildcard. A key with several values is no variable (VARS).
    """
    found = []
    for part in parts(text, has_variables):
        if part.kind == "variable":
            values = lookup(part.text.lower())
            value = values[0] if len(values) == 1 else part.default
            if value is None:
                return None
            part = Part("literal", value)
        found.append(part)
    return tuple(found)


def like(pattern: tuple[Part, ...], text: str) -> bool:
    """Whether a pattern matches the whole of a text: ``*`` any run of characters, ``?`` one."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: tuple[Part, ...]) -> re.Pattern[str]:
    wildcards = {"star": ".*", "mark": "."}
    return re.compile("".join(wildcards.get(part.kind) or re.escape(part.text) for part in pattern), re.DOTALL)


def plain(pattern: tuple[Part, ...]) -> str:
    """Return a pattern as text, its wildcards as ordinary characters."""
    return "".join(part.text for part in pattern)


def action_matches(patterns: Iterable[str], action: str) -> bool:
    """Whether one of the action patterns matches, whatever the case (ACT)."""
    return any(like(parts(pattern.lower(), False), action.lower()) for pattern in patterns)


def resource_matches(
    patterns: Iterable[str], resource: str, has_variables: bool, lookup: Lookup, *, complete: bool
) -> bool:
    """Whether one of the resource patterns matches: one glob over the whole ARN, case-sensitive (RES).

    ``complete`` fills ARNs of fewer than six fields up, as in identity policies. A pattern with a variable
    that has no value matches nothing.
    """
    for pattern in patterns:
        found = resolved(completed_arn(pattern) if complete else pattern, has_variables, lookup)
        if found is not None and like(found, resource):
            return True
    return False


def arn_like(pattern: tuple[Part, ...], arn: str) -> bool:
    """Whether an ARN matches field by field, each of the six a glob of its own (OPS)."""
    fields = arn_fields(arn)
    if fields is None:
        return False
    if pattern == (Part("star", "*"),):
        return True
    split = _split_fields(pattern)
    return len(split) == len(fields) and all(like(p, f) for p, f in zip(split, fields, strict=True))


def _split_fields(pattern: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    fields: list[list[Part]] = [[]]
    for part in pattern:
        pieces = part.text.split(":", 6 - len(fields)) if part.kind == "literal" else [part.text]
        for number, piece in enumerate(pieces):
            if number:
                fields.append([])
            if piece:
                fields[-1].append(Part(part.kind, piece))
    return [tuple(field) for field in fields]
