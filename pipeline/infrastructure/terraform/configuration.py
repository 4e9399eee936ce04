"""The configuration that a plan holds: what the expressions of a resource refer to, through modules and outputs."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pipeline.infrastructure.facts import (
    Json,
    as_list,
    as_object,
)

REFERENCE = re.compile(r"(aws_iam_(?:policy|role|user|group)|aws_organizations_policy)\.([\w-]+)(\[[^\]]*\])?(?:\.|$)")
OUTPUT = re.compile(r"(module\.[\w-]+(?:\[[^\]]*\])?)\.([\w-]+)(?:\.|\[|$)")
VARIABLE = re.compile(r"var\.([\w-]+)(?:\.|\[|$)")
#: The last module of a resource's address, which ends with a dot.
MODULE = re.compile(r"(.*?)module\.[\w-]+(?:\[[^\]]*\])?\.$")
#: Modules through which a reference is followed.
DEEPEST = 10
DATA_SOURCE = re.compile(r"data\.[\w-]+\.[\w-]+")
#: Begin references to values that each plan knows.
KNOWN_AT_PLAN = re.compile(r"(?:each|count|path|terraform|self)\.")
INDEX = re.compile(r"\[[^\]]*\]")


class Referred(NamedTuple):
    """A resource that a reference leads to: its address without an index, and the index that is written there."""

    base: str
    instance: str


class Configuration:
    """The expressions of a plan's configuration: what an unknown value refers to."""

    def __init__(self, configuration: Json, deferred: frozenset[str] = frozenset()) -> None:
        #: Data sources that are read only at apply, by their addresses without indices.
        self._deferred = deferred
        self._found: dict[str, Json] = {}
        self._outputs: dict[str, Json] = {}
        self._calls: dict[str, Json] = {}
        self._providers = as_object(configuration.get("provider_config"))
        self._visit(as_object(configuration.get("root_module")), "")

    def _visit(self, module: Json, prefix: str) -> None:
        for resource in as_list(module.get("resources")):
            if isinstance(resource, dict):
                self._found[prefix + str(resource.get("address"))] = resource
        self._outputs[prefix] = as_object(module.get("outputs"))
        for name, call in as_object(module.get("module_calls")).items():
            self._calls[f"{prefix}module.{name}."] = as_object(as_object(call).get("expressions"))
            self._visit(as_object(as_object(call).get("module")), f"{prefix}module.{name}.")

    def _of(self, address: str) -> Json:
        return self._found.get(INDEX.sub("", address), {})

    def region(self, provider: str) -> str | None:
        """Return the region of a provider where it is written out."""
        expressions = as_object(as_object(self._providers.get(provider or "aws")).get("expressions"))
        found = as_object(expressions.get("region")).get("constant_value")
        return found if isinstance(found, str) else None

    def has_default_tags(self, address: str) -> bool | None:
        """Whether the provider of a resource gives tags by default; None where there is no configuration of it."""
        provider = self._providers.get(self.provider(address))
        return "default_tags" in as_object(provider.get("expressions")) if isinstance(provider, dict) else None

    def provider(self, address: str) -> str:
        """Return the key of a resource's provider, empty where the configuration does not tell."""
        return str(self._of(address).get("provider_config_key", ""))

    def gives(self, address: str, argument: str) -> bool | None:
        """Whether a resource's configuration has an argument; None where there is no configuration of it."""
        found = self._of(address)
        return argument in as_object(found.get("expressions")) if found else None

    def references(self, address: str, argument: str) -> list[str]:
        """Return what an argument's expression refers to; that of a block, its own arguments' do."""
        return _references(as_object(self._of(address).get("expressions")).get(argument))

    def targets(
        self, module: str, references: Sequence[str], kind: str, depth: int = DEEPEST
    ) -> Iterator[Referred | None]:
        """Yield the resources of a type that references of a module lead to, through outputs and variables; None for
        each that leads to anything else whose value the plan may not know."""
        for text in references:
            inner, variable, outer = OUTPUT.match(text), VARIABLE.match(text), MODULE.match(module)
            found = REFERENCE.match(text)
            if found and found[1] == kind:
                yield Referred(f"{module}{kind}.{found[2]}", found[3] or "")
            elif inner and depth:
                place = f"{module}{inner[1]}."
                output = self._outputs.get(INDEX.sub("", place), {}).get(inner[2])
                leads = self.targets(place, _references(as_object(output).get("expression")), kind, depth - 1)
                yield from leads if isinstance(output, dict) else [None]
            elif variable and not outer:
                # The plan knows the variables of its root.
                continue
            elif variable and outer and depth:
                given = self._calls.get(INDEX.sub("", module), {}).get(variable[1])
                yield from self.targets(outer[1], _references(given), kind, depth - 1)
            elif not (KNOWN_AT_PLAN.match(text) or is_prefix(text, references) or self._is_read(module, text)):
                yield None

    def _is_read(self, module: str, reference: str) -> bool:
        """Whether a reference is to a data source that was read for the plan."""
        found = DATA_SOURCE.match(reference)
        return found is not None and f"{INDEX.sub('', module)}{found.group()}" not in self._deferred


def is_prefix(reference: str, references: Iterable[str]) -> bool:
    """Whether a reference only begins another one: the plan repeats what holds a value beside the value."""
    return any(other.startswith((f"{reference}.", f"{reference}[")) for other in references)


def _references(expression: Any) -> list[str]:
    found: list[str] = []
    waiting = [expression]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict) and "references" in one:
            found += map(str, as_list(one["references"]))
        elif isinstance(one, dict):
            waiting += [inner for inner in one.values() if isinstance(inner, dict | list)]
    return found
