"""Macros and loops of templates: they are not run, and what they may make is told."""

import itertools
from collections.abc import Iterator
from typing import Any

from pipeline.infrastructure.facts import (
    as_object,
)

#: Macros that make no resources of IAM by themselves: what they would change is not read where it stands.
HARMLESS_TRANSFORMS = ("AWS::LanguageExtensions", "AWS::Serverless-2016-10-31", "AWS::SecretsManager-2020-07-23")
#: Stand beside other members and make more of them.
MACRO, LOOP = "Fn::Transform", "Fn::ForEach::"
MACROS = "macros and loops are not run"


def is_macro(name: str) -> bool:
    """Whether a member of this name is a macro or a loop."""
    return name == MACRO or name.startswith(LOOP)


def has_macro(*values: Any) -> bool:
    """Whether a macro or loop is a member of one of these objects itself."""
    return any(map(is_macro, itertools.chain.from_iterable(map(as_object, values))))


def holds_macro(value: Any) -> bool:
    """Whether a macro or loop stands anywhere in a value, beside other members."""
    if isinstance(value, dict):
        return (len(value) > 1 and has_macro(value)) or any(map(holds_macro, value.values()))
    return isinstance(value, list) and any(map(holds_macro, value))


def macros(transform: Any) -> Iterator[str]:
    """Yield the macros of a template that may make anything."""
    for one in transform if isinstance(transform, list) else [transform] if transform else []:
        name = str(as_object(one).get("Name") or one)
        if name not in HARMLESS_TRANSFORMS:
            yield name
