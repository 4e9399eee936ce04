"""Matching of one request's texts against patterns. The set-based engine does not use this."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from pipeline.iam.grammar import ARN_FIELDS, Part, arn_fields, completed_arn, parts

#: Tells what a policy variable stands for; None where it has no value.
Variable = Callable[[str], str | None]


def resolved(pattern: tuple[Part, ...], variable: Variable) -> tuple[Part, ...] | None:
    """Return a pattern with values in the place of variables; None if one has neither value nor default (VARS).

    A value is literal text: a ``*`` in a tag is no wildcard.
    """
    found = []
    for part in pattern:
        if part.kind == "variable":
            value = variable(part.text)
            value = part.default if value is None else value
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
    patterns: Iterable[str], resource: str, has_variables: bool, variable: Variable, *, complete: bool
) -> bool:
    """Whether one of the resource patterns matches: a glob, case-sensitive (RES), whose wildcards in the first five
    fields of an ARN stay in them where it has all six.

    ``complete`` fills ARNs of fewer than six fields up, as in identity policies. A pattern with a variable
    that has no value, or that stands before the fifth colon, matches nothing (VARS).
    """
    for text in patterns:
        pattern = parts(completed_arn(text) if complete else text, has_variables)
        found = None if _has_early_variable(pattern) else resolved(pattern, variable)
        if found is not None and _like_resource(found, resource):
            return True
    return False


def _like_resource(pattern: tuple[Part, ...], resource: str) -> bool:
    fields, split = arn_fields(resource), _split_fields(pattern)
    if fields is None or len(split) < ARN_FIELDS or split[0] != (Part("literal", "arn"),):
        return like(pattern, resource)
    return all(like(p, f) for p, f in zip(split, fields, strict=True))


def _has_early_variable(pattern: tuple[Part, ...]) -> bool:
    kinds = [part.kind for part in pattern]
    if "variable" not in kinds:
        return False
    before = plain(pattern[: kinds.index("variable")])
    return before.startswith("arn:") and before.count(":") < ARN_FIELDS - 1


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
        pieces = part.text.split(":", ARN_FIELDS - len(fields)) if part.kind == "literal" else [part.text]
        for number, piece in enumerate(pieces):
            if number:
                fields.append([])
            if piece:
                fields[-1].append(Part(part.kind, piece))
    return [tuple(field) for field in fields]
