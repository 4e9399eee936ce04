"""Reads the layers of a case for one resource type: what each statement comes to that can apply there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs
from pipeline.evaluate.actions import Place, TypeForm
from pipeline.evaluate.cases import Levels
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.knowledge import TAG_ALIAS, Knowledge
from pipeline.evaluate.profiles import Numbers, Profiles
from pipeline.evaluate.statements import NumberedStatement, Surroundings, applies, resource_test, wide_glob
from pipeline.iam.services import service_linked_roles

#: The levels of each layer; None: there is no such layer.
LayerLevels = tuple[Levels | None, ...]
#: Layers in which short ARNs are filled up.
COMPLETING = frozenset({"identity", "boundary"})


class Part(NamedTuple):
    """A statement of a layer with what must hold for it to apply, and its patterns with variables filled in."""

    layer: str
    statement: NumberedStatement
    formula: Formula
    patterns: tuple[str, ...]

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
        self._numbers: dict[tuple[object, ...], int] = {}

    def shapes(self, asked_keys: tuple[str, ...]) -> tuple[int, ...]:
        """Return the shape of each resource type as far as these keys can tell."""
        if asked_keys not in self._shapes:
            self._shapes[asked_keys] = tuple(self._shape(kind, asked_keys) for kind in self.forms)
        return self._shapes[asked_keys]

    def _shape(self, kind: TypeForm, asked_keys: tuple[str, ...]) -> int:
        known, view = self._knowledge, kind.view
        absent = tuple(known.is_absent(known.canonical(key, view), view) for key in asked_keys)
        aliases = tuple(known.canonical(key, view) for key in asked_keys if key.startswith(TAG_ALIAS))
        return self._numbers.setdefault((kind.arn_format, kind.is_of_one_region, absent, aliases), len(self._numbers))


class Side(NamedTuple):
    """Layers that are read together, with the facts that their statements ask for, and the reads so far.

    ``shapes`` are those of the resource types, as far as the statements can tell.
    """

    layers: LayerLevels
    facts_id: int
    shapes: tuple[int, ...]
    reads: dict[tuple[int, int], Read]


class _Meeting(NamedTuple):
    """How a statement meets the resources of a type: number in the reader, part, and the patterns that cut them."""

    number: int
    part: Part
    crossing: tuple[str, ...]


@dataclass
class Reader:
    """Reads the layers of these names (identity, boundary, scp, rcp) and remembers."""

    names: tuple[str, ...]
    profiles: Profiles
    knowledge: Knowledge
    kinds: Kinds
    _sides: dict[tuple[LayerLevels, int], Side] = field(default_factory=dict)
    _numbers: dict[tuple[object, ...], int] = field(default_factory=dict)
    _shapes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _meetings: dict[tuple[object, ...], _Meeting | None] = field(default_factory=dict)
    _distinct: dict[tuple[object, ...], _Meeting] = field(default_factory=dict)

    def side(self, layers: LayerLevels, facts_id: int) -> Side:
        """Return the layers as one side of a case."""
        facts_id = self.profiles.alike(facts_id, _numbers_of(layers), ())
        if (layers, facts_id) not in self._sides:
            statements = (self.profiles.statements[n] for numbers in _numbers_of(layers) for n in numbers)
            asked = tuple(sorted({key for statement in statements for key in statement.asked_keys}))
            self._sides[layers, facts_id] = Side(layers, facts_id, self.kinds.shapes(asked), {})
        return self._sides[layers, facts_id]

    def read(self, side: Side, kind_id: int, resources: Resources) -> Read:
        """Return a side as far as it matters to resources of a type."""
        key = (side.shapes[kind_id], resources.number)
        found = side.reads.get(key)
        if found is None:
            found = side.reads[key] = self._read(side, kind_id, resources)
        return found

    def _read(self, side: Side, kind_id: int, resources: Resources) -> Read:
        key: list[object] = []
        parts: list[PartLevels | None] = []
        crossing: set[str] = set()
        for name, levels in zip(self.names, side.layers, strict=True):
            if levels is None and name == "boundary":
                key.append(None)
                parts.append(None)
                continue
            met = [self._met(level, name, side.facts_id, kind_id, resources) for level in levels or ()]
            kept = _shortened(met) if name in ("scp", "rcp") else met
            key.append(tuple([tuple([meeting.number for meeting in level]) for level in kept]))
            parts.append(tuple([tuple([meeting.part for meeting in level]) for level in kept]))
            crossing.update(pattern for level in kept for meeting in level for pattern in meeting.crossing)
        number = self._numbers.setdefault(tuple(key), len(self._numbers))
        return Read(number, tuple(parts), frozenset(crossing))

    def _met(
        self, numbers: Numbers, layer: str, facts_id: int, kind_id: int, resources: Resources
    ) -> tuple[_Meeting, ...]:
        """Return how statements meet resources, without those that cannot apply to any."""
        found = []
        for number in numbers:
            key = (
                number,
                layer,
                self.profiles.known((number,), facts_id),
                self._shapes_of(number)[kind_id],
                resources.number,
            )
            if key not in self._meetings:
                statement, kind = self.profiles.statements[number], self.kinds.forms[kind_id]
                self._meetings[key] = self._meet(statement, layer, facts_id, kind, resources)
            meeting = self._meetings[key]
            if meeting:
                found.append(meeting)
        return tuple(found)

    def _shapes_of(self, number: int) -> tuple[int, ...]:
        if number not in self._shapes:
            self._shapes[number] = self.kinds.shapes(self.profiles.statements[number].asked_keys)
        return self._shapes[number]

    def _meet(
        self, statement: NumberedStatement, layer: str, facts_id: int, kind: TypeForm, resources: Resources
    ) -> _Meeting | None:
        completes = layer in COMPLETING
        universe = (kind.universe(resources.place),)
        relations = [
            (pattern, globs.relation(universe, wide_glob(pattern, statement.has_variables, completes)))
            for pattern in statement.resources
        ]
        if not _can_apply(statement, relations):
            return None
        facts = {**self.profiles.examples[facts_id].facts, **resources.facts, **kind.facts}
        patterns, formula = applies(statement, Surroundings(facts, kind.view, self.knowledge), completes=completes)
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
        part = Part(layer, statement, formula, patterns)
        key = (statement.number, part, crossing, tuple(relation.inside for _, relation in relations))
        if key not in self._distinct:
            self._distinct[key] = _Meeting(len(self._distinct), part, crossing)
        return self._distinct[key]


def _can_apply(statement: NumberedStatement, relations: Sequence[tuple[str, globs.Relation]]) -> bool:
    """Whether a statement can apply to some of the resources, told by its patterns."""
    if statement.resource_element == "Resource":
        return any(relation.inside for _, relation in relations)
    return all(relation.outside or "${" in pattern for pattern, relation in relations)


def _numbers_of(layers: LayerLevels) -> Iterator[Numbers]:
    for levels in layers:
        yield from levels or ()


def _shortened(levels: Sequence[tuple[_Meeting, ...]]) -> Sequence[tuple[_Meeting, ...]]:
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
