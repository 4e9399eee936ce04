"""Reads CloudFormation templates: what their IAM resources come to with given parameters and the others' defaults.

Source: CloudFormation, template anatomy.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping

from pipeline.infrastructure.cloudformation.reading import Reading
from pipeline.infrastructure.facts import (
    Doubt,
    Facts,
    Infrastructure,
    Json,
    digest,
)

#: Conditions whose two outcomes are tried together.
MOST_CONDITIONS = 6


def recognises(names: Iterable[str]) -> bool:
    """Whether an object with these members is a template."""
    held = {*names}
    return (
        "AWSTemplateFormatVersion" in held
        or {"Resources", "Transform"} <= held
        or ("Resources" in held and held <= SECTIONS)
    )


SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
    "Transform", "Resources", "Outputs", "Hooks", "Globals",
}  # fmt: skip


def read_template(
    template: Json, account: str | None = None, parameters: Mapping[str, str] | None = None
) -> Infrastructure:
    """Return the facts of a template, as those after a change; there are none before. ``account`` counts where
    resources name none, ``parameters`` where they are given, and else their defaults.

    Where a parameter's default, or the deployment, decides a condition, it is a doubt what the other outcome makes.
    """
    reading = Reading(template, account, parameters or {})
    facts = reading.facts()
    facts |= dict.fromkeys(_other_branches(template, account, parameters or {}, reading, facts), True)
    return Infrastructure({}, facts, tuple(dict.fromkeys(reading.remarks)), unnamed=frozenset(reading.unnamed))


def _other_branches(
    template: Json, account: str | None, parameters: Mapping[str, str], reading: "Reading", facts: Facts
) -> Iterator[Doubt]:
    """Yield a doubt where other outcomes of conditions, that the deployment may have, make other facts."""
    open_ones = sorted(name for name in reading.conditions if reading.decided_by(name))
    if len(open_ones) > MOST_CONDITIONS:
        told = f"more than {MOST_CONDITIONS} conditions are decided at deployment: not all outcomes were tried"
        yield Doubt("Conditions", told, digest([template.get("Resources"), template.get("Conditions")]))
        return
    others, mattering = [], set()
    for outcome in itertools.product((False, True), repeat=len(open_ones)):
        forced = dict(zip(open_ones, outcome, strict=True))
        found = Reading(template, account, parameters, forced).facts()
        differing = {*found.items()} ^ {*facts.items()}
        if differing:
            others.append(sorted(map(repr, differing)))
            mattering |= {name for name in open_ones if forced[name] is not reading.condition(name)}
    if others:
        names = sorted(mattering)
        deciding = sorted({one for name in names for one in reading.decided_by(name)})
        told = "what they make where they come out otherwise is not compared"
        given = "; ".join(f"--parameter {name}=VALUE" for name in deciding if name not in names)
        remedy = f"; tell how with {given}" if given else ""
        yield Doubt(", ".join(names), f"conditions decided at deployment: {told}{remedy}", digest(others))
