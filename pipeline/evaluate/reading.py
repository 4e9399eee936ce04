"""Reads the layers of a case for one resource type: what each statement comes to that can apply there."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple, TypeVar

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs
from pipeline.evaluate.actions import Place, TypeForm
from pipeline.evaluate.callers import Callers, Numbers
from pipeline.evaluate.cases import Levels
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.knowledge import Facts, Knowledge
from pipeline.evaluate.reasons import reason
from pipeline.evaluate.statements import (
    NumberedStatement,
    Surroundings,
    applies,
    resource_test,
    wide_glob,
    without_slashes,
)
from pipeline.iam.services import WITHOUT_SLASH, service_linked_roles

T = TypeVar("T")
#: The levels of each layer; None: there is no such layer.
LayerLevels = tuple[Levels | None, ...]
#: Layers in which short ARNs are filled up.
COMPLETING = frozenset({"identity", "boundary"})
#: Layers that only limit, level by level.
CONTROLS = frozenset({"scp", "rcp"})


class Part(NamedTuple):
    """A statement of a layer with what must hold for it to apply, and its patterns with variables filled in.

    ``reason`` is the number by which answers name it.
    """

    layer: str
    statement: NumberedStatement
    formula: Formula
    patterns: tuple[str, ...]
    reason: int

    @property
    def is_allow(self) -> bool:
        """Whether it allows."""
        return self.statement.is_allow


PartLevels = tuple[tuple[Part, ...], ...]


class Resources(NamedTuple):
    """Where resources are, and what is known of all that are there. Equal ``number``, equal resources."""

    number: int
    place: Place
    facts: Mapping[str, tuple[str, ...]]


class Read(NamedTuple):
    """Layers as far as they matter to a resource type. Reads of equal ``number`` come to the same.

    Of SCPs and RCPs the levels that do not allow everything are left, and a last one of all Denies.
    ``crossing`` are the patterns that may match some of its resources and not others, variables not filled in.
    """

    number: int
    layers: tuple[PartLevels | None, ...]
    crossing: frozenset[str]


class Kinds:
    """Numbers resource types. Those of one shape differ in no key that is asked for: what meets one meets the other."""

    def __init__(self, kinds: Iterable[TypeForm], knowledge: Knowledge) -> None:
        self.forms = tuple(dict.fromkeys(kinds))
        self.number_of = {kind: number for number, kind in enumerate(self.forms)}
        self._knowledge = knowledge
        self._shapes: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._told: dict[str, tuple[object, ...]] = {}
        self._numbers: dict[tuple[object, ...], int] = {}

    def shapes(self, asked_keys: tuple[str, ...]) -> tuple[int, ...]:
        """Return the shape of each resource type as far as these keys can tell."""
        if asked_keys not in self._shapes:
            formats = ((kind.arn_format, kind.is_of_one_region) for kind in self.forms)
            told = zip(formats, *(self._told_by(key) for key in asked_keys), strict=True)
            self._shapes[asked_keys] = tuple([self._numbers.setdefault(shape, len(self._numbers)) for shape in told])
        return self._shapes[asked_keys]

    def _told_by(self, key: str) -> tuple[object, ...]:
        """Return of each resource type whether its requests lack a key, and the key that stands for it there."""
        if key not in self._told:
            known, views = self._knowledge, [kind.view for kind in self.forms]
            canonical = [known.canonical(key, view) for view in views]
            self._told[key] = tuple((known.is_absent(c, v), c) for c, v in zip(canonical, views, strict=True))
        return self._told[key]


class _Meeting(NamedTuple):
    """How a statement meets the resources of a type: number in the reader, part, and the patterns that cut them."""

    number: int
    part: Part
    crossing: tuple[str, ...]


_number_of: Callable[[_Meeting], int] = attrgetter("number")
_part_of: Callable[[_Meeting], Part] = attrgetter("part")


class _Statement(NamedTuple):
    """A statement of a layer at a place, with its meetings so far by shape of the resource type.

    ``facts_id`` is one of those whose facts agree in what it asks for.
    """

    statement: NumberedStatement
    layer: str
    facts_id: int
    shapes: tuple[int, ...]
    meetings: dict[int, _Meeting | None]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Layers that are read together, and how they face the resources of places, by number of the resources.

    ``facts_id`` is one of those whose facts agree in what the statements ask for. ``shapes`` are those of the resource
    types, as far as the statements can tell.
    """

    layers: LayerLevels
    facts_id: int
    shapes: tuple[int, ...]
    facing: dict[int, "Facing"]


@dataclass(frozen=True, slots=True, eq=False)
class Facing:
    """A side before the resources of one place: its statements there by layer and level, and the reads so far."""

    side: Side
    resources: Resources
    shapes: tuple[int, ...]
    layers: tuple[tuple[tuple[_Statement, ...], ...] | None, ...]
    reads: dict[int, Read]


@dataclass
class Reader:
    """Reads the layers of these names (identity, boundary, scp, rcp) and remembers."""

    names: tuple[str, ...]
    callers: Callers
    knowledge: Knowledge
    kinds: Kinds
    _sides: dict[tuple[LayerLevels, int], Side] = field(default_factory=dict)
    _statements: dict[tuple[object, ...], _Statement] = field(default_factory=dict)
    _numbers: dict[tuple[object, ...], Read] = field(default_factory=dict)
    _distinct: dict[tuple[object, ...], _Meeting] = field(default_factory=dict)
    _known: dict[tuple[int, int], Facts] = field(default_factory=dict)

    def side(self, layers: LayerLevels, facts_id: int) -> Side:
        """Return the layers as one side of a case."""
        found = self._sides.get((layers, facts_id))
        if found is None:
            alike = (layers, self.callers.alike(facts_id, tuple(_numbers_of(layers)), ()))
            found = self._sides[layers, facts_id] = self._sides.get(alike) or self._side(*alike)
        return found

    def _side(self, layers: LayerLevels, facts_id: int) -> Side:
        statements = [self.callers.statements[number] for numbers in _numbers_of(layers) for number in numbers]
        asked = tuple(sorted({key for statement in statements for key in statement.asked_keys}))
        side = self._sides[layers, facts_id] = Side(layers, facts_id, self.kinds.shapes(asked), {})
        return side

    def facing(self, side: Side, resources: Resources) -> Facing:
        """Return a side before the resources of a place."""
        found = side.facing.get(resources.number)
        if found is None:
            layers = tuple(
                None
                if levels is None and name == "boundary"
                else tuple(self._placed(level, name, side.facts_id, resources) for level in levels or ())
                for name, levels in zip(self.names, side.layers, strict=True)
            )
            found = side.facing[resources.number] = Facing(side, resources, side.shapes, layers, {})
        return found

    def _placed(self, numbers: Numbers, layer: str, facts_id: int, resources: Resources) -> tuple[_Statement, ...]:
        found = []
        for number in numbers:
            key = (number, layer, self.callers.known((number,), facts_id), resources.number)
            if key not in self._statements:
                statement = self.callers.statements[number]
                shapes = self.kinds.shapes(statement.asked_keys)
                self._statements[key] = _Statement(statement, layer, facts_id, shapes, {})
            found.append(self._statements[key])
        return tuple(found)

    def read(self, facing: Facing, kind_id: int) -> Read:
        """Return a side as far as it matters to resources of a type."""
        shape = facing.shapes[kind_id]
        found = facing.reads.get(shape)
        if found is None:
            found = facing.reads[shape] = self._read(facing, kind_id)
        return found

    def _read(self, facing: Facing, kind_id: int) -> Read:
        met = [
            None if levels is None else self._met(name, levels, kind_id, facing.resources)
            for name, levels in zip(self.names, facing.layers, strict=True)
        ]
        key = tuple([_each(levels, _number_of) for levels in met])
        found = self._numbers.get(key)
        if found is None:
            parts = tuple(_each(levels, _part_of) for levels in met)
            crossing = {pattern for levels in met for level in levels or () for m in level for pattern in m.crossing}
            found = self._numbers[key] = Read(len(self._numbers), parts, frozenset(crossing))
        return found

    def _met(
        self, layer: str, levels: Sequence[Sequence[_Statement]], kind_id: int, resources: Resources
    ) -> Sequence[Sequence[_Meeting]]:
        """Return how the statements of a layer meet resources, without those that cannot apply to any."""
        met = []
        for level in levels:
            found = []
            for placed in level:
                shape = placed.shapes[kind_id]
                if shape not in placed.meetings:
                    placed.meetings[shape] = self._meet(placed, self.kinds.forms[kind_id], resources)
                meeting = placed.meetings[shape]
                if meeting:
                    found.append(meeting)
            met.append(found)
        return _shortened(met) if layer in CONTROLS else met

    def _meet(self, placed: _Statement, kind: TypeForm, resources: Resources) -> _Meeting | None:
        layer, completes = placed.layer, placed.layer in COMPLETING
        statement = without_slashes(placed.statement) if kind.arn_format in WITHOUT_SLASH else placed.statement
        if statement is None:
            return None
        universe = (kind.universe(resources.place),)
        relations = [
            (pattern, globs.relation(universe, wide_glob(pattern, statement.has_variables, completes)))
            for pattern in statement.resources
        ]
        if not _can_apply(statement, relations):
            return None
        facts, of_kind = self._facts(placed.facts_id, resources), kind.facts(resources.place.partition)
        around = Surroundings({**facts, **of_kind} if of_kind else facts, kind.view, self.knowledge)
        patterns, formula = applies(statement, around, completes=completes)
        if formula is False:
            return None
        crossing = tuple(
            pattern for pattern, relation in relations if relation.inside and (relation.outside or "${" in pattern)
        )
        if layer == "rcp":
            spared = service_linked_roles(resources.place.partition, resources.place.own_account)
            if globs.relation(universe, wide_glob(spared, False, False)).inside:
                formula = formulas.conjunction((formula, formulas.negation(resource_test(spared))))
                crossing = (*crossing, spared)
        part = Part(layer, statement, formula, patterns, reason(layer, statement.number))
        key = (statement.number, part, crossing, tuple([relation.inside for _, relation in relations]))
        if key not in self._distinct:
            self._distinct[key] = _Meeting(len(self._distinct), part, crossing)
        return self._distinct[key]

    def _facts(self, facts_id: int, resources: Resources) -> Facts:
        key = (facts_id, resources.number)
        if key not in self._known:
            self._known[key] = {**self.callers.listed[facts_id].facts, **resources.facts}
        return self._known[key]


def _each(levels: Sequence[Sequence[_Meeting]] | None, of: Callable[[_Meeting], T]) -> tuple[tuple[T, ...], ...] | None:
    return None if levels is None else tuple([tuple(map(of, level)) for level in levels])


def _can_apply(statement: NumberedStatement, relations: Sequence[tuple[str, globs.Relation]]) -> bool:
    """Whether a statement can apply to some of the resources, told by its patterns."""
    if statement.resource_element == "Resource":
        return any(relation.inside for _, relation in relations)
    return all(relation.outside or "${" in pattern for pattern, relation in relations)


def _numbers_of(layers: LayerLevels) -> Iterator[Numbers]:
    for levels in layers:
        yield from levels or ()


def _shortened(levels: Sequence[Sequence[_Meeting]]) -> Sequence[Sequence[_Meeting]]:
    """Return the Allows of each level that does not allow everything, each once, and as a last level all Denies."""
    allows = [_sorted(meeting for meeting in level if meeting.part.is_allow) for level in levels]
    limiting = {
        tuple(meeting.number for meeting in level): level
        for level in allows
        if not any(_allows_everything(meeting.part) for meeting in level)
    }
    denies = _sorted(meeting for level in levels for meeting in level if not meeting.part.is_allow)
    return (*(limiting[key] for key in sorted(limiting)), denies)


def _sorted(meetings: Iterable[_Meeting]) -> tuple[_Meeting, ...]:
    distinct = {meeting.number: meeting for meeting in meetings}
    return tuple(sorted(distinct.values(), key=lambda meeting: meeting.part.statement.number))


def _allows_everything(part: Part) -> bool:
    return part.formula is True or part.formula == resource_test("*")
