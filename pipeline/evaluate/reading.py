"""Reads the layers of a case for one resource type: without the statements that cannot apply there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.evaluate import globs
from pipeline.evaluate.actions import Place, TypeForm
from pipeline.evaluate.cases import Levels
from pipeline.evaluate.knowledge import TAG_ALIAS, Knowledge
from pipeline.evaluate.profiles import Numbers, Profiles
from pipeline.evaluate.relevance import governed_by
from pipeline.evaluate.statements import NumberedStatement, pattern_glob, wide_glob

#: The levels of each layer; None: there is no such layer.
LayerLevels = tuple[Levels | None, ...]
#: Layers in which short ARNs are filled up.
COMPLETING = frozenset({"identity", "boundary"})


class Read(NamedTuple):
    """Layers as far as they matter to a resource type. Reads of equal ``number`` come to the same.

    ``crossing`` are the patterns that may match some of its resources and not others, variables not filled in.
    """

    number: int
    layers: LayerLevels
    crossing: frozenset[str]


class Side(NamedTuple):
    """Layers that are read together, with the facts that their statements ask for, and the reads by resource type."""

    layers: LayerLevels
    facts_id: int
    place: Place
    reads: dict[int, Read]


class _Meeting(NamedTuple):
    """How a statement meets the resources of a type: whether it can apply there, and all else that the type decides."""

    is_relevant: bool
    details: tuple[bool, ...]
    crossing: tuple[str, ...]


@dataclass
class Reader:
    """Reads the layers of these names (identity, boundary, scp, rcp) and remembers."""

    names: tuple[str, ...]
    profiles: Profiles
    knowledge: Knowledge
    _sides: dict[tuple[LayerLevels, int], Side] = field(default_factory=dict)
    _numbers: dict[tuple[object, ...], int] = field(default_factory=dict)
    _meetings: dict[tuple[int, bool, int, Place], _Meeting] = field(default_factory=dict)
    _reaching: dict[tuple[int, bool, str], bool] = field(default_factory=dict)
    _reached: dict[tuple[LayerLevels, str], LayerLevels] = field(default_factory=dict)

    def side(self, layers: LayerLevels, facts_id: int) -> Side:
        """Return the layers as one side of a case."""
        facts_id = self.profiles.alike(facts_id, numbers_of(layers), ())
        if (layers, facts_id) not in self._sides:
            example = self.profiles.examples[facts_id]
            self._sides[layers, facts_id] = Side(layers, facts_id, Place(example.own_account, example.partition), {})
        return self._sides[layers, facts_id]

    def read(self, side: Side, kind_id: int, kind: TypeForm) -> Read:
        """Return a side as far as it matters to a resource type. ``kind_id`` stands for ``kind``."""
        found = side.reads.get(kind_id)
        if found is None:
            found = side.reads[kind_id] = self._read(side, kind_id, kind)
        return found

    def _read(self, side: Side, kind_id: int, kind: TypeForm) -> Read:
        meetings: dict[tuple[bool, int], _Meeting] = {}

        def is_relevant(number: int, completes: bool) -> bool:
            meeting = meetings[completes, number] = self._meeting(number, completes, side.place, kind_id, kind)
            return meeting.is_relevant

        layers = self._kept(side.layers, is_relevant)
        kept = [
            meetings[name in COMPLETING, number]
            for name, levels in zip(self.names, layers, strict=True)
            for level in levels or ()
            for number in level
        ]
        crossing = frozenset(pattern for meeting in kept for pattern in meeting.crossing)
        known = tuple(self.profiles.known(numbers, side.facts_id) for numbers in numbers_of(layers))
        key = (layers, tuple(meeting.details for meeting in kept), crossing, known, side.place)
        return Read(self._numbers.setdefault(key, len(self._numbers)), layers, crossing)

    def reaching(self, layers: LayerLevels, resource_arn: str) -> LayerLevels:
        """Return the layers without the statements that cannot apply to a resource, or to what lies in it."""
        key = (layers, resource_arn)
        if key not in self._reached:
            self._reached[key] = self._kept(
                layers, lambda number, completes: self._reaches(number, completes, *key[1:])
            )
        return self._reached[key]

    def _kept(self, layers: LayerLevels, is_wanted: Callable[[int, bool], bool]) -> LayerLevels:
        found: list[Levels | None] = []
        for name, levels in zip(self.names, layers, strict=True):
            if levels is not None:
                completes = name in COMPLETING
                levels = tuple(tuple(n for n in level if is_wanted(n, completes)) for level in levels)
            found.append(self._levels_that_limit(levels) if name == "scp" and levels else levels)
        return tuple(found)

    def _levels_that_limit(self, levels: Levels) -> Levels:
        """Return the levels that do not allow everything, each once, with all Denies in the last."""
        statements = self.profiles.statements
        denies = sorted({n for level in levels for n in level if not statements[n].is_allow})
        allows = [tuple(n for n in level if statements[n].is_allow) for level in levels]
        everything = [level for level in allows if any(statements[n].is_all for n in level)]
        limiting = sorted({level for level in allows if level not in everything})
        kept = [*limiting, *everything[:1]]
        return (*kept[:-1], (*kept[-1], *denies))

    def _meeting(self, number: int, completes: bool, place: Place, kind_id: int, kind: TypeForm) -> _Meeting:
        key = (number, completes, kind_id, place)
        found = self._meetings.get(key)
        if found is None:
            found = self._meetings[key] = self._meet(self.profiles.statements[number], completes, place, kind)
        return found

    def _meet(self, statement: NumberedStatement, completes: bool, place: Place, kind: TypeForm) -> _Meeting:
        known, view = self.knowledge, kind.view
        keys = tuple(known.is_absent(known.canonical(key, view), view) for key in statement.asked_keys)
        keys += tuple(view.has(key) for key in statement.asked_keys if key.startswith(TAG_ALIAS))
        if statement.resource_element is None or not statement.resources:
            return _Meeting(True, keys, ())
        universe = (kind.universe(place),)
        meetings = [
            (pattern, globs.relation(universe, wide_glob(pattern, statement.has_variables, completes)))
            for pattern in statement.resources
        ]
        crossing = tuple(
            pattern for pattern, meeting in meetings if meeting.inside and (meeting.outside or "${" in pattern)
        )
        details = keys + tuple(meeting.inside for _, meeting in meetings)
        if statement.resource_element == "NotResource":
            leaves_some = any("${" in pattern for pattern in crossing) or all(m.outside for _, m in meetings)
            return _Meeting(leaves_some, details, crossing)
        return _Meeting(any(meeting.inside for _, meeting in meetings), details, crossing)

    def _reaches(self, number: int, completes: bool, resource_arn: str) -> bool:
        key = (number, completes, resource_arn)
        if key not in self._reaching:
            statement = self.profiles.statements[number]
            self._reaching[key] = statement.resource_element != "Resource" or any(
                globs.relation((pattern_glob(governed),), wide_glob(pattern, statement.has_variables, completes)).inside
                for governed in governed_by(resource_arn)
                for pattern in statement.resources
            )
        return self._reaching[key]


def numbers_of(layers: LayerLevels) -> Iterator[Numbers]:
    """Yield the statements of each level."""
    for levels in layers:
        yield from levels or ()
