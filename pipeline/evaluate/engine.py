"""Decides every case on every action form: what its statements come to on each resource type, and on all together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.evaluate.actions import ActionForm, Place, TypeForm, universe_text
from pipeline.evaluate.cases import Case, Entries, Levels
from pipeline.evaluate.cells import Entry, Kind, Layers, Outcome, combined, decide
from pipeline.evaluate.knowledge import EVERY_KEY, Knowledge
from pipeline.evaluate.profiles import Example, Profiles
from pipeline.evaluate.reading import Read, Reader
from pipeline.evaluate.relevance import governed_by, meets
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import NumberedStatement, Surroundings


class _Form(NamedTuple):
    """An action form, its resource types by number, and the number of what else of it tells decisions apart."""

    form: ActionForm
    kind_ids: tuple[int, ...]
    traits_id: int


class _Layer(NamedTuple):
    """A layer of a case: who reads it, and what has been read of it."""

    levels: Levels
    reader: Reader
    reads: dict[int, Read]


class _Subject(NamedTuple):
    """A case with what is the same for all action forms. ``whole_layers`` keep statements that apply elsewhere."""

    case: Case
    example: Example
    place: Place
    layers: tuple[_Layer, ...]
    whole_layers: tuple[_Layer, ...]


@dataclass
class Engine:
    """Decides cases and remembers. What tells two decisions apart is as little as can be: the statements that can
    apply to the resource type, the keys they ask for that a request can have, and the facts they ask for.
    """

    knowledge: Knowledge
    profiles: Profiles
    forms: Sequence[ActionForm]
    solver: Solver = field(init=False)
    cells: list[Outcome] = field(default_factory=list)
    _forms: list[_Form] = field(default_factory=list)
    _kinds: list[TypeForm] = field(default_factory=list)
    _readers: list[Reader] = field(default_factory=list)
    _whole_readers: list[Reader] = field(default_factory=list)
    _named: dict[tuple[int, Place], int] = field(default_factory=dict)
    _namings: dict[tuple[Kind, ...], int] = field(default_factory=dict)
    _cell_ids: dict[tuple[int, ...], int] = field(default_factory=dict)
    _decided: dict[tuple[object, ...], int] = field(default_factory=dict)
    _outcome_ids: dict[Outcome, int] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.solver = Solver(self.knowledge.domain)
        kinds: dict[TypeForm, int] = {}
        traits: dict[tuple[object, ...], int] = {}
        for form in self.forms:
            kind_ids = tuple(kinds.setdefault(kind, len(kinds)) for kind in form.types)
            traits_id = traits.setdefault((form.needs_consent, form.outright), len(traits))
            self._forms.append(_Form(form, kind_ids, traits_id))
        self._kinds = list(kinds)
        for layer in ("identity", "boundary", "scp", "rcp"):
            self._readers.append(Reader(layer, False, self.profiles.statements, self.knowledge))
            self._whole_readers.append(Reader(layer, True, self.profiles.statements, self.knowledge))

    def cells_of(self, case: Case, form_ids: Iterable[int]) -> list[int]:
        """Return the numbers of the cells that the case comes to on action forms."""
        subject = self._subject(case)
        known: dict[tuple[int, int], int] = {}
        return [self._cell(subject, form_id, known) for form_id in form_ids]

    def _subject(self, case: Case) -> _Subject:
        example = self.profiles.examples[case.facts_id]
        place = Place(example.own_account, example.partition)
        limits = case.limits
        levels = ((case.identity,), (limits.boundary or (),), limits.scps or (), limits.rcps)
        return _Subject(
            case,
            example,
            place,
            tuple(_Layer(o, r, r.reads(o, place)) for o, r in zip(levels, self._readers, strict=True)),
            tuple(_Layer(o, r, r.reads(o, place)) for o, r in zip(levels, self._whole_readers, strict=True)),
        )

    def _cell(self, subject: _Subject, form_id: int, known: dict[tuple[int, int], int]) -> int:
        form = self._forms[form_id]
        outcome_ids = []
        for kind_id in form.kind_ids:
            key = (kind_id, form.traits_id)
            if key not in known:
                known[key] = self._outcome_id(subject, kind_id, form)
            outcome_ids.append(known[key])
        cell = (self._naming(form_id, subject.place), *outcome_ids)
        if cell not in self._cell_ids:
            kinds = self._kinds_at(form_id, subject.place)
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
            Kind(kind.resource_type, kind.is_required, universe_text(kind.arn_format, place)) for kind in types
        )

    def _outcome_id(self, subject: _Subject, kind_id: int, form: _Form) -> int:
        """Return the number of what an action comes to on one resource type."""
        kind, case = self._kinds[kind_id], subject.case
        entries = self._entries_meeting(case.entries, kind)
        layers = subject.whole_layers if entries else subject.layers
        reads = [self._read(layer, subject.place, kind_id) for layer in layers]
        key = (
            *(read.number for read in reads),
            *(self.profiles.known(read.statements, case.facts_id) for read in reads),
            case.limits.boundary is None,
            case.limits.scps is None,
            form.traits_id,
            subject.place,
            (kind_id, entries, case.facts_id) if entries else _kind_asked(reads, kind),
        )
        if key not in self._decided:
            outcome = self._decide(subject, kind, form.form, [read.levels for read in reads], entries)
            self._decided[key] = self._outcome_ids.setdefault(outcome, len(self._outcomes))
            if self._decided[key] == len(self._outcomes):
                self._outcomes.append(outcome)
        return self._decided[key]

    def _read(self, layer: _Layer, place: Place, kind_id: int) -> Read:
        found = layer.reads.get(kind_id)
        if found is None:
            found = layer.reads[kind_id] = layer.reader.read(layer.levels, place, kind_id, self._kinds[kind_id])
        return found

    def _entries_meeting(self, entries: Entries, kind: TypeForm) -> Entries:
        """Return the entries of resource-based policies that can speak for resources of a type."""
        if not entries:
            return ()
        return tuple(e for e in entries if meets(governed_by(self.profiles.entries[e[0]]["resource_arn"]), kind))

    def _decide(
        self, subject: _Subject, kind: TypeForm, form: ActionForm, layers: Sequence[Levels], entries: Entries
    ) -> Outcome:
        identity, boundary, scps, rcps = (self._statements(levels) for levels in layers)
        limits, example = subject.case.limits, subject.example
        found = Layers(
            identity[0],
            None if limits.boundary is None else boundary[0],
            None if limits.scps is None else scps,
            rcps,
            tuple(self._entry(n, levels, example) for n, levels in entries if n not in example.exempt_entries),
        )
        around = Surroundings(example.facts, EVERY_KEY, self.knowledge)
        return decide(kind, form, found, around, subject.place, self.solver)

    def _statements(self, levels: Levels) -> tuple[tuple[NumberedStatement, ...], ...]:
        return tuple(tuple(self.profiles.statements[number] for number in level) for level in levels)

    def _entry(self, number: int, rcps: Levels, example: Example) -> Entry:
        entry = self.profiles.entries[number]
        named_as = ("user" if example.is_user else "role") if entry["named_as"] == "principal" else entry["named_as"]
        owner = entry["owner_account_id"]
        facts: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (owner,)}
        if entry["owner_organization_id"]:
            facts["aws:resourceorgid"] = (entry["owner_organization_id"],)
            facts["aws:resourceorgpaths"] = (entry["owner_ou_path"],) if entry["owner_ou_path"] else ()
        return Entry(
            self.profiles.statements[entry["statement_number"]],
            named_as,
            entry["session"],
            entry["resource_arn"],
            governed_by(entry["resource_arn"]),
            owner == example.own_account,
            facts,
            self._statements(rcps),
        )


def _kind_asked(reads: Sequence[Read], kind: TypeForm) -> str | None:
    """Return the ARN format where it matters: one pattern that cuts the resources of a type cuts those of any other
    in the same two, but several may lie in each other or apart, and one with variables may turn out anywhere."""
    crossing = frozenset(pattern for read in reads for pattern in read.crossing)
    if len(crossing) > 1 or any("${" in pattern for pattern in crossing):
        return kind.arn_format
    return None
