"""Decides every case on every action form: what its statements come to on each resource type, and on all together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.evaluate.actions import ActionForm, Place, TypeForm, universe_text
from pipeline.evaluate.cases import Case, Entries, Levels
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
from pipeline.evaluate.profiles import Example, Profiles
from pipeline.evaluate.reading import Kinds, Part, Read, Reader, Resources, Side
from pipeline.evaluate.relevance import governed_by, meets
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import Surroundings, applies


class _Form(NamedTuple):
    """An action form, its resource types by number, and the number of what else of it tells decisions apart."""

    form: ActionForm
    kind_ids: tuple[int, ...]
    traits_id: int


class _Subject(NamedTuple):
    """A case with what is the same for all action forms: its two sides, and the resources of the own account."""

    case: Case
    example: Example
    identity: Side
    limits: Side
    own: Resources


@dataclass
class Engine:
    """Decides cases and remembers. What tells two decisions apart is as little as can be: the statements that can
    apply to the resource type, the keys they ask for that a request can have, and the facts they ask for.
    """

    knowledge: Knowledge
    profiles: Profiles
    forms: Sequence[ActionForm]
    inventory: Inventory
    solver: Solver = field(init=False)
    cells: list[Outcome] = field(default_factory=list)
    _forms: list[_Form] = field(default_factory=list)
    _kinds: Kinds = field(init=False)
    _identity: Reader = field(init=False)
    _limits: Reader = field(init=False)
    _named: dict[tuple[int, Place], int] = field(default_factory=dict)
    _namings: dict[tuple[Kind, ...], int] = field(default_factory=dict)
    _cell_ids: dict[tuple[int, ...], int] = field(default_factory=dict)
    _decided: dict[tuple[object, ...], int] = field(default_factory=dict)
    _answered: dict[tuple[object, ...], Answer] = field(default_factory=dict)
    _resources: dict[tuple[object, ...], Resources] = field(default_factory=dict)
    _outcome_ids: dict[Outcome, int] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.solver = Solver(self.knowledge.domain)
        self._kinds = Kinds((kind for form in self.forms for kind in form.types), self.knowledge)
        traits: dict[tuple[object, ...], int] = {}
        for form in self.forms:
            traits_id = traits.setdefault((form.outright, form.works_across_accounts), len(traits))
            self._forms.append(_Form(form, tuple(self._kinds.number_of[kind] for kind in form.types), traits_id))
        self._identity = Reader(("identity",), self.profiles, self.knowledge, self._kinds)
        self._limits = Reader(("boundary", "scp", "rcp"), self.profiles, self.knowledge, self._kinds)

    def cells_of(self, case: Case, form_ids: Iterable[int]) -> list[int]:
        """Return the numbers of the cells that the case comes to on action forms."""
        subject = self._subject(case)
        known: dict[tuple[int, int], int] = {}
        return [self._cell(subject, form_id, known) for form_id in form_ids]

    def _subject(self, case: Case) -> _Subject:
        example = self.profiles.examples[case.facts_id]
        limits = (None if case.limits.boundary is None else (case.limits.boundary,), case.limits.scps, case.limits.rcps)
        return _Subject(
            case,
            example,
            self._identity.side(((case.identity,),), case.facts_id),
            self._limits.side(limits, case.facts_id),
            self._own_resources(example),
        )

    def _own_resources(self, example: Example) -> Resources:
        """Return the resources of the principal's own account; of a loose document no account is known."""
        account, facts = example.own_account, example.facts
        organization = (
            (facts["aws:principalorgid"], facts["aws:principalorgpaths"]) if "aws:principalorgid" in facts else None
        )
        return self._resources_at(example, account, organization)

    def _resources_at(
        self, example: Example, account: str, organization: tuple[tuple[str, ...], tuple[str, ...]] | None
    ) -> Resources:
        key = (example.partition, account, organization)
        if key not in self._resources:
            facts: dict[str, tuple[str, ...]] = {} if account == "*" else {"aws:resourceaccount": (account,)}
            if organization and facts:
                facts["aws:resourceorgid"], facts["aws:resourceorgpaths"] = organization
            self._resources[key] = Resources(len(self._resources), Place(account, example.partition), facts)
        return self._resources[key]

    def _cell(self, subject: _Subject, form_id: int, known: dict[tuple[int, int], int]) -> int:
        form = self._forms[form_id]
        outcome_ids = []
        for kind_id in form.kind_ids:
            key = (kind_id, form.traits_id)
            if key not in known:
                known[key] = self._outcome_id(subject, kind_id, form)
            outcome_ids.append(known[key])
        cell = (self._naming(form_id, subject.own.place), *outcome_ids)
        if cell not in self._cell_ids:
            kinds = self._kinds_at(form_id, subject.own.place)
            self.cells.append(combined(kinds, [self._outcomes[n] for n in outcome_ids], self.solver))
            self._cell_ids[cell] = len(self.cells)
        return self._cell_ids[cell]

    def _naming(self, form_id: int, place: Place) -> int:
        """Return a number that action forms share whose resource types have the same names."""
        if (form_id, place) not in self._named:
            kinds = self._kinds_at(form_id, place)
            self._named[form_id, place] = self._namings.setdefault(kinds, len(self._namings))
        return self._named[form_id, place]

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

    def _outcome_id(self, subject: _Subject, kind_id: int, form: _Form) -> int:
        """Return the number of what an action comes to on one resource type."""
        kind, case = self._kinds.forms[kind_id], subject.case
        identity = self._identity.read(subject.identity, kind_id, subject.own)
        limits = self._limits.read(subject.limits, kind_id, subject.own)
        entries = self._entries_meeting(case.entries, kind) if case.entries else ()
        crossing = identity.crossing | limits.crossing
        cut = kind.arn_format if crossing and not _is_cut_in_two(crossing) else None
        spoken = (kind_id, entries, case) if entries else None
        key = (identity.number, limits.number, form.traits_id, kind.needs_consent, cut, spoken)
        found = self._decided.get(key)
        if found is None:
            layers = _layers(identity, limits)
            found = self._decided[key] = self._numbered(self._decide(subject, kind_id, form.form, layers, entries))
        return found

    def _numbered(self, outcome: Outcome) -> int:
        number = self._outcome_ids.setdefault(outcome, len(self._outcomes))
        if number == len(self._outcomes):
            self._outcomes.append(outcome)
        return number

    def _entries_meeting(self, entries: Entries, kind: TypeForm) -> Entries:
        """Return the entries of resource-based policies that can speak for resources of a type."""
        return tuple(e for e in entries if meets(governed_by(self.profiles.entries[e[0]]["resource_arn"]), kind))

    def _decide(self, subject: _Subject, kind_id: int, form: ActionForm, layers: Layers, entries: Entries) -> Outcome:
        kind, own = self._kinds.forms[kind_id], subject.own
        spoken: list[Entry] = []
        foreign: dict[str, list[tuple[int, Levels]]] = {}
        for number, rcps in entries:
            entry = self.profiles.entries[number]
            if entry["owner_account_id"] == own.place.own_account:
                spoken += self._entries([number], subject, kind, own)
            elif form.works_across_accounts:
                foreign.setdefault(entry["resource_arn"], []).append((number, rcps))
        answers = [own_answer(form, kind, self._territory(kind, own), layers, spoken, self.solver)]
        answers += [self._foreign_answer(subject, kind_id, tuple(shared)) for _, shared in sorted(foreign.items())]
        return joined(answers, {*subject.case.identity}, self.solver)

    def _foreign_answer(self, subject: _Subject, kind_id: int, entries: Entries) -> Answer:
        """Return the answer on a resource of another account. What the case comes to there few cases tell apart."""
        kind, numbers = self._kinds.forms[kind_id], tuple(number for number, _ in entries)
        entry = self.profiles.entries[numbers[0]]
        organization = None
        if entry["owner_organization_id"]:
            organization = (
                (entry["owner_organization_id"],),
                (entry["owner_ou_path"],) if entry["owner_ou_path"] else (),
            )
        there = self._resources_at(subject.example, entry["owner_account_id"], organization)
        identity = self._identity.read(subject.identity, kind_id, there)
        # The RCPs are those of the resource's owner.
        limits = self._limits.side((*subject.limits.layers[:2], entries[0][1]), subject.case.facts_id)
        limited = self._limits.read(limits, kind_id, there)
        facts_id = self.profiles.alike(subject.case.facts_id, (), numbers)
        key = (kind_id, identity.number, limited.number, entries, facts_id)
        if key not in self._answered:
            spoken = [*self._entries(numbers, subject, kind, there)]
            where, layers = self._territory(kind, there), _layers(identity, limited)
            self._answered[key] = foreign_answer(where, layers, spoken, self.solver)
        return self._answered[key]

    def _territory(self, kind: TypeForm, resources: Resources) -> Territory:
        return Territory(kind.universe(resources.place), self.inventory)

    def _entries(
        self, numbers: Sequence[int], subject: _Subject, kind: TypeForm, resources: Resources
    ) -> Iterator[Entry]:
        """Yield entries as they speak of the subject; a NotPrincipal that leaves it out is none."""
        example, excused = subject.example, dict(subject.example.excused)
        around = Surroundings({**example.facts, **resources.facts, **kind.facts}, kind.view, self.knowledge)
        for number in numbers:
            if number in excused and example.is_user:
                continue
            entry = self.profiles.entries[number]
            statement = self.profiles.statements[entry["statement_number"]]
            patterns, formula = applies(statement, around, completes=False)
            named_as, arn = entry["named_as"], entry["resource_arn"]
            if named_as == "principal":
                named_as = "user" if example.is_user else "role"
            sessions = (entry["session"],) if entry["session"] else excused.get(number, ())
            yield Entry(Part("resource", statement, formula, patterns), named_as, sessions, arn, governed_by(arn))


def _layers(identity: Read, limits: Read) -> Layers:
    (granted,), (boundary, scps, rcps) = identity.layers, limits.layers
    *controls, guarded = scps or ((),)
    ruled = rcps[-1] if rcps else ()
    return Layers(
        granted[0] if granted else (), None if boundary is None else boundary[0], tuple(controls), (*guarded, *ruled)
    )


def _is_cut_in_two(crossing: frozenset[str]) -> bool:
    """Whether patterns cut the resources of every type alike: one alone parts them in two, but several may lie in each
    other or apart, and one with variables may turn out anywhere."""
    return len(crossing) == 1 and not any("${" in pattern for pattern in crossing)
