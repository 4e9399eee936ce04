"""Decides every case on every action form: what its statements come to on each resource type, and on all together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.evaluate.actions import ActionForm, Place, TypeForm, is_of_s3, universe_text
from pipeline.evaluate.callers import Caller, Callers, Numbers
from pipeline.evaluate.cases import Case, Levels
from pipeline.evaluate.cells import (
    Answer,
    Entry,
    Inventory,
    Kind,
    Layers,
    Outcome,
    Territory,
    combined,
    foreign_answer,
    joined,
    own_answer,
)
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.reading import Facing, Kinds, LayerLevels, Part, Read, Reader, Resources
from pipeline.evaluate.reasons import reason
from pipeline.evaluate.relevance import governed_of
from pipeline.evaluate.sharing import Neighbour, Shared, Sharing
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import Surroundings, applies

#: What an answer on the own account's resources depends on: the reads of both sides, the traits of the action form and
#: resource type, and what tells types apart that patterns cut.
_OwnKey = tuple[int, int, int, tuple[str | None, Place] | None]


class _Question(NamedTuple):
    """The action forms that a case is asked for: each with the places of its resource types among ``kinds``.

    ``kinds`` are the distinct resource types, each with the number of its traits.
    """

    forms: tuple[tuple[int, tuple[int, ...]], ...]
    kinds: tuple[tuple[int, int], ...]


class _Subject(NamedTuple):
    """A case with what is the same for all action forms: its sides before the resources of the own account."""

    case: Case
    caller: Caller
    own: Resources
    identity: Facing
    limits: Facing


@dataclass
class Engine:
    """Decides cases and remembers. What tells two decisions apart is as little as can be: the statements that can
    apply to the resource type, the keys they ask for that a request can have, and the facts they ask for.
    """

    knowledge: Knowledge
    callers: Callers
    forms: Sequence[ActionForm]
    inventory: Inventory
    owners: Mapping[str, str]
    solver: Solver = field(init=False)
    cells: list[Outcome] = field(default_factory=list)
    _kinds: Kinds = field(init=False)
    _pairs: list[tuple[tuple[int, int], ...]] = field(init=False)
    _questions: dict[tuple[int, ...], _Question] = field(default_factory=dict)
    _traits: dict[tuple[frozenset[str], bool, bool], int] = field(default_factory=dict)
    _traits_forms: list[ActionForm] = field(default_factory=list)
    _identity: Reader = field(init=False)
    _limits: Reader = field(init=False)
    _sharing: Sharing = field(init=False)
    _namings: dict[Place, tuple[int, ...]] = field(default_factory=dict)
    _names: dict[tuple[Kind, ...], int] = field(default_factory=dict)
    _cell_ids: dict[tuple[int, ...], int] = field(default_factory=dict)
    _of_cases: dict[tuple[Case, tuple[int, ...]], tuple[int, ...]] = field(default_factory=dict)
    _decided: dict[_OwnKey, int] = field(default_factory=dict)
    _own_answers: dict[tuple[_OwnKey, tuple[int, Numbers, int] | None], Answer] = field(default_factory=dict)
    _limited: dict[tuple[Facing, int, int], tuple[Facing, int]] = field(default_factory=dict)
    _foreign_answers: dict[tuple[int, ...], Answer] = field(default_factory=dict)
    _outcome_ids: dict[Outcome, int] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.solver = Solver(self.knowledge.domain)
        self._kinds = Kinds((kind for form in self.forms for kind in form.types), self.knowledge)
        self._pairs = [self._pairs_of(form) for form in self.forms]
        self._identity = Reader(("identity",), self.callers, self.knowledge, self._kinds)
        self._limits = Reader(("boundary", "scp", "rcp"), self.callers, self.knowledge, self._kinds)
        self._sharing = Sharing(self.callers.entries)

    def _pairs_of(self, form: ActionForm) -> tuple[tuple[int, int], ...]:
        """Return the resource types of an action form, each with the number of the traits that count besides."""
        found = []
        for kind in form.types:
            traits = (form.outright, form.works_across_accounts, kind.needs_consent)
            traits_id = self._traits.setdefault(traits, len(self._traits))
            if traits_id == len(self._traits_forms):
                self._traits_forms.append(form)
            found.append((self._kinds.number_of[kind], traits_id))
        return tuple(found)

    def cells_of(self, case: Case, form_ids: tuple[int, ...]) -> tuple[int, ...]:
        """Return the cells that the case comes to on action forms: their places in ``cells``."""
        found = self._of_cases.get((case, form_ids))
        if found is None:
            found = self._of_cases[case, form_ids] = tuple(self._cells_of(case, form_ids))
        return found

    def _cells_of(self, case: Case, form_ids: tuple[int, ...]) -> Iterator[int]:
        subject, question = self._subject(case), self._question(form_ids)
        outcome_ids = [self._outcome_id(subject, kind_id, traits_id) for kind_id, traits_id in question.kinds]
        namings = self._namings_at(subject.own.place)
        for form_id, places in question.forms:
            cell = (namings[form_id], *[outcome_ids[place] for place in places])
            found = self._cell_ids.get(cell)
            if found is None:
                found = self._cell_ids[cell] = len(self.cells)
                outcomes = [self._outcomes[number] for number in cell[1:]]
                self.cells.append(combined(self._kinds_at(form_id, subject.own.place), outcomes, self.solver))
            yield found

    def _question(self, form_ids: tuple[int, ...]) -> _Question:
        """Return what there is to decide for action forms."""
        if form_ids not in self._questions:
            places: dict[tuple[int, int], int] = {}
            forms = tuple(
                (form_id, tuple([places.setdefault(pair, len(places)) for pair in self._pairs[form_id]]))
                for form_id in form_ids
            )
            self._questions[form_ids] = _Question(forms, tuple(places))
        return self._questions[form_ids]

    def _subject(self, case: Case) -> _Subject:
        caller = self.callers.listed[case.facts_id]
        own = self._sharing.own_resources(caller)
        identity = self._identity.side(((case.identity,),), case.facts_id)
        limits = self._limits.side(_limits_of(case, case.limits.rcps), case.facts_id)
        return _Subject(case, caller, own, self._identity.facing(identity, own), self._limits.facing(limits, own))

    def _namings_at(self, place: Place) -> tuple[int, ...]:
        """Return a number for each action form, the same for those whose resource types have the same names."""
        if place not in self._namings:
            named = [self._kinds_at(form_id, place) for form_id in range(len(self.forms))]
            self._namings[place] = tuple([self._names.setdefault(kinds, len(self._names)) for kinds in named])
        return self._namings[place]

    def _kinds_at(self, form_id: int, place: Place) -> tuple[Kind, ...]:
        types = self.forms[form_id].types
        return tuple(
            Kind(
                kind.resource_type,
                kind.is_required,
                universe_text(kind.arn_format, place),
                kind.universe(place),
                kind.universe(place._replace(own_account="*")),
            )
            for kind in types
        )

    def _outcome_id(self, subject: _Subject, kind_id: int, traits_id: int) -> int:
        """Return the number of what an action comes to on one resource type."""
        identity = self._identity.read(subject.identity, kind_id)
        limits = self._limits.read(subject.limits, kind_id)
        cut = None
        if identity.crossing or limits.crossing:
            cut = _cut_of(identity.crossing | limits.crossing, self._kinds.forms[kind_id], subject.own.place)
        if self.owners and is_of_s3(self._kinds.forms[kind_id]):
            cut = (self._kinds.forms[kind_id].arn_format, subject.own.place)
        key = (identity.number, limits.number, traits_id, cut)
        if subject.case.entries:
            shared = self._sharing.of(subject.case.entries, subject.caller, self._kinds.forms[kind_id])
            if shared.own or shared.neighbours:
                return self._shared_outcome_id(subject, kind_id, key, shared)
        found = self._decided.get(key)
        if found is None:
            answers = [self._own_answer(subject, kind_id, key, ())]
            found = self._decided[key] = self._numbered(answers)
        return found

    def _shared_outcome_id(self, subject: _Subject, kind_id: int, key: _OwnKey, shared: Shared) -> int:
        """Return the number of an outcome where resource-based policies speak."""
        answers = [self._own_answer(subject, kind_id, key, shared.own)]
        if self._traits_forms[key[2]].works_across_accounts and self._reaches_others(subject, kind_id):
            answers += [self._foreign_answer(subject, kind_id, neighbour) for neighbour in shared.neighbours]
        return self._numbered(answers)

    def _numbered(self, answers: Sequence[Answer]) -> int:
        """Return the number of the outcome that answers come to."""
        outcome = joined(answers, self.solver)
        number = self._outcome_ids.setdefault(outcome, len(self._outcomes))
        if number == len(self._outcomes):
            self._outcomes.append(outcome)
        return number

    def _own_answer(self, subject: _Subject, kind_id: int, key: _OwnKey, entries: Numbers) -> Answer:
        """Return the answer on the resources of the own account. ``key`` is what it depends on besides the entries."""
        spoken = (kind_id, entries, self.callers.alike(subject.case.facts_id, (), entries)) if entries else None
        found = self._own_answers.get((key, spoken))
        if found is None:
            kind, own = self._kinds.forms[kind_id], subject.own
            layers = _layers(self._identity.read(subject.identity, kind_id), self._limits.read(subject.limits, kind_id))
            speaking = [*self._entries(entries, subject, kind, own)]
            form, where = self._traits_forms[key[2]], self._territory(kind, own)
            where = where._replace(account=own.place.own_account, owners=self.owners if is_of_s3(kind) else {})
            found = own_answer(form, kind, where, layers, speaking, self.solver)
            self._own_answers[key, spoken] = found
        return found

    def _foreign_answer(self, subject: _Subject, kind_id: int, neighbour: Neighbour) -> Answer:
        """Return the answer on a resource of another account. What the case comes to there few cases tell apart."""
        there = neighbour.resources
        limited, facts_id = self._limits_there(subject, neighbour)
        identity = self._identity.read(self._identity.facing(subject.identity.side, there), kind_id)
        limits = self._limits.read(limited, kind_id)
        key = (neighbour.number, kind_id, identity.number, limits.number, facts_id)
        found = self._foreign_answers.get(key)
        if found is None:
            kind = self._kinds.forms[kind_id]
            spoken = [*self._entries(neighbour.entries, subject, kind, there)]
            layers = _layers(identity, limits)
            layers = layers._replace(denies=_named_by_owner(layers.denies, neighbour.owner_number))
            found = foreign_answer(self._territory(kind, there), layers, spoken, self.solver)
            self._foreign_answers[key] = found
        return found

    def _limits_there(self, subject: _Subject, neighbour: Neighbour) -> tuple[Facing, int]:
        """Return the limits before a neighbour, and a facts_id for all who agree in what its policy asks for."""
        facts_id = subject.case.facts_id
        key = (subject.limits, neighbour.number, facts_id)
        found = self._limited.get(key)
        if found is None:
            # The RCPs are those of the resource's owner.
            side = self._limits.side(_limits_of(subject.case, neighbour.rcps), facts_id)
            facing = self._limits.facing(side, neighbour.resources)
            found = self._limited[key] = facing, self.callers.alike(facts_id, (), neighbour.entries)
        return found

    def _reaches_others(self, subject: _Subject, kind_id: int) -> bool:
        """Whether identity policies can grant anything on resources of the type in other accounts."""
        anywhere = self._sharing.resources_anywhere(subject.caller)
        (granted,) = self._identity.read(self._identity.facing(subject.identity.side, anywhere), kind_id).layers
        return bool(granted and granted[0])

    def _territory(self, kind: TypeForm, resources: Resources) -> Territory:
        return Territory(kind.universe(resources.place), self.inventory)

    def _entries(
        self, numbers: Sequence[int], subject: _Subject, kind: TypeForm, resources: Resources
    ) -> Iterator[Entry]:
        """Yield entries as they speak of the subject; a NotPrincipal that leaves it out is none."""
        caller, excused = subject.caller, dict(subject.caller.excused)
        facts = {**caller.facts, **resources.facts, **kind.facts(resources.place.partition)}
        around = Surroundings(facts, kind.view, self.knowledge)
        for number in numbers:
            if number in excused and caller.is_user:
                continue
            entry = self.callers.entries[number]
            statement = self.callers.statements[entry["statement_number"]]
            patterns, formula = applies(statement, around, completes=False)
            named_as, arn = entry["named_as"], entry["resource_arn"]
            if named_as == "principal":
                named_as = "user" if caller.is_user else "role"
            sessions = (entry["session"],) if entry["session"] else excused.get(number, ())
            part = Part("resource", statement, formula, patterns, reason("resource", number))
            yield Entry(part, named_as, sessions, arn, governed_of(arn, kind))


def _limits_of(case: Case, rcps: Levels) -> LayerLevels:
    """Return the limits of a case where the resource's owner has these RCPs."""
    boundary, scps, _ = case.limits
    return (None if boundary is None else (boundary,), scps, rcps)


def _layers(identity: Read, limits: Read) -> Layers:
    (granted,), (boundary, scps, rcps) = identity.layers, limits.layers
    *controls, guarded = scps or ((),)
    ruled = rcps[-1] if rcps else ()
    return Layers(
        granted[0] if granted else (), None if boundary is None else boundary[0], tuple(controls), (*guarded, *ruled)
    )


def _named_by_owner(denies: Sequence[Part], owner: int) -> tuple[Part, ...]:
    """Return Denies with the RCPs among them named as those of an account, by its number."""
    return tuple(
        part._replace(reason=reason("rcp", part.statement.number, owner)) if part.layer == "rcp" else part
        for part in denies
    )


def _cut_of(crossing: frozenset[str], kind: TypeForm, place: Place) -> tuple[str | None, Place] | None:
    """Return what tells apart resource types that patterns cut; None where they cut the resources of every type alike:
    one alone parts them in two, but several may lie in each other or apart, and one with variables anywhere."""
    is_in_two = len(crossing) == 1 and not any("${" in pattern for pattern in crossing)
    return None if is_in_two else (kind.arn_format, place)
