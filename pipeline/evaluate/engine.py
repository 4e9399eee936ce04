"""Decides every distinct cell and makes tables of what they come to. SQL makes the cases, formulas decide them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs
from pipeline.evaluate.actions import ActionForm, Place, TypeForm, universe_text
from pipeline.evaluate.cells import Entry, Kind, Layers, Outcome, combined, decide
from pipeline.evaluate.formula import RESOURCE, Formula
from pipeline.evaluate.knowledge import EVERY_KEY, TAG_ALIAS, Knowledge, fact
from pipeline.evaluate.profiles import Example, numbers_in
from pipeline.evaluate.relevance import governed_by
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import NumberedStatement, Surroundings, shown, wide_glob
from pipeline.evaluate.words import spelt, words

Levels = tuple[tuple[int, ...], ...]

CELL_ACCESS = pa.schema(
    [
        ("cell_id", pa.int32()),
        ("resource_type", pa.string()),
        ("resource_pattern", pa.string()),
        ("verdict", pa.string()),
        ("condition_id", pa.string()),
        ("except_resources", pa.string()),
        ("granted_by_numbers", pa.list_(pa.int32())),
        ("limited_by_numbers", pa.list_(pa.int32())),
    ]
)
CELL_VERDICTS = pa.schema(
    [
        ("cell_id", pa.int32()),
        ("verdict", pa.string()),
        ("layer", pa.string()),
        ("decided_by_numbers", pa.list_(pa.int32())),
    ]
)
RESIDUAL_CONDITIONS = pa.schema(
    [
        ("condition_id", pa.string()),
        ("condition", pa.string()),
        ("formula", pa.string()),
        ("condition_keys", pa.list_(pa.string())),
        ("witness", pa.string()),
    ]
)


class _Meeting(NamedTuple):
    """How a statement meets the resources of a type. ``is_general``: each pattern covers all of them or none."""

    is_relevant: bool
    is_general: bool
    details: tuple[bool, ...]


class _Shortened(NamedTuple):
    """The statements of a layer that can apply to a resource type, and all that the type does to them."""

    levels: Levels
    numbers: tuple[int, ...]
    details: tuple[tuple[bool, ...], ...]
    is_general: bool


class Numbered(NamedTuple):
    """The statements of a case by number. ``scps`` is None where there is no such layer."""

    identity: tuple[int, ...]
    has_boundary: bool
    boundary: tuple[int, ...]
    scps: Levels | None
    rcps: Levels
    entries: tuple[int, ...]

    def levels(self) -> tuple[tuple[str, Levels], ...]:
        """Return the levels of each layer; identity and boundary have one."""
        return (
            ("identity", (self.identity,)),
            ("boundary", (self.boundary,)),
            ("scp", self.scps or ()),
            ("rcp", self.rcps),
        )


@lru_cache(maxsize=1 << 16)
def _numbers(text: str) -> tuple[int, ...]:
    return tuple(numbers_in(text))


@lru_cache(maxsize=1 << 14)
def _levels(text: str) -> Levels:
    return tuple(_numbers(level) for level in text.split("/"))


@lru_cache(maxsize=1 << 16)
def _parsed(
    identity: str, boundary: str | None, scps: str | None, rcps: str | None, shared_environment: str, environment: str
) -> Numbered:
    return Numbered(
        _numbers(identity),
        boundary is not None,
        _numbers(boundary or ""),
        None if scps is None else _levels(scps),
        () if rcps is None else _levels(rcps),
        tuple(dict.fromkeys(_numbers(shared_environment) + _numbers(environment))),
    )


@dataclass
class Engine:
    """Decides cases and remembers. What tells two decisions apart is as little as can be: the statements that can
    apply to the resource type, the keys they ask for that a request can have, and the facts they ask for.

    ``spelling`` maps condition keys in lower case to AWS's spelling.
    """

    knowledge: Knowledge
    statements: Mapping[int, NumberedStatement]
    entries: Mapping[int, dict[str, Any]]
    forms: Sequence[ActionForm]
    examples: Sequence[Example]
    spelling: dict[str, str]
    solver: Solver = field(init=False)
    cells: list[Outcome] = field(default_factory=list)
    _cell_ids: dict[tuple[object, ...], int] = field(default_factory=dict)
    _decided: dict[tuple[object, ...], int] = field(default_factory=dict)
    _outcomes: dict[Outcome, int] = field(default_factory=dict)
    _by_number: list[Outcome] = field(default_factory=list)
    _kinds_of: dict[tuple[int, Place], tuple[Kind, ...]] = field(default_factory=dict)
    _shortened: dict[tuple[str, Levels, int, Place, bool], _Shortened] = field(default_factory=dict)
    _facts: dict[tuple[tuple[int, ...], int], tuple[object, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.solver = Solver(self.knowledge.domain)

    def cell_of(
        self,
        form_id: int,
        facts_id: int,
        identity: str,
        boundary: str | None,
        scps: str | None,
        rcps: str | None,
        shared_environment: str,
        environment: str,
    ) -> int:
        """Return the number of the cell that the layers' cases come to. None: there is no such layer."""
        form, example = self.forms[form_id], self.examples[facts_id]
        layers = _parsed(
            identity, boundary, scps, rcps if form.is_rcp_supported else None, shared_environment, environment
        )
        place = Place(example.own_account, example.partition)
        kinds = self._kinds(form_id, place)
        found = (kinds, tuple(self._outcome(kind, form, layers, facts_id, place) for kind in form.types))
        if found not in self._cell_ids:
            self.cells.append(combined(kinds, [self._by_number[number] for number in found[1]], self.solver))
            self._cell_ids[found] = len(self.cells)
        return self._cell_ids[found]

    def _kinds(self, form_id: int, place: Place) -> tuple[Kind, ...]:
        if (form_id, place) not in self._kinds_of:
            types = self.forms[form_id].types
            kinds = tuple(
                Kind(kind.resource_type, kind.is_required, universe_text(kind.arn_format, place)) for kind in types
            )
            self._kinds_of[form_id, place] = kinds
        return self._kinds_of[form_id, place]

    def _outcome(self, kind: TypeForm, form: ActionForm, layers: Numbered, facts_id: int, place: Place) -> int:
        """Return the number of what an action comes to on one resource type."""
        layers_here = [
            self._shorten(name, levels, kind, place, bool(layers.entries)) for name, levels in layers.levels()
        ]
        is_general = not layers.entries and all(layer.is_general for layer in layers_here)
        entries = tuple(
            (n, self._facts_asked((self.entries[n]["statement_number"],), facts_id)) for n in layers.entries
        )
        example = self.examples[facts_id]
        key = (
            tuple((layer.levels, layer.details, self._facts_asked(layer.numbers, facts_id)) for layer in layers_here),
            layers.has_boundary,
            layers.scps is None,
            form.needs_consent,
            form.outright,
            place,
            None if is_general else kind.arn_format,
            entries,
            (example.is_user, example.exempt_entries) if entries else None,
        )
        if key not in self._decided:
            outcome = self._decide(kind, form, [layer.levels for layer in layers_here], layers, example, place)
            self._decided[key] = self._outcomes.setdefault(outcome, len(self._outcomes))
            if len(self._outcomes) > len(self._by_number):
                self._by_number.append(outcome)
        return self._decided[key]

    def _shorten(self, name: str, levels: Levels, kind: TypeForm, place: Place, keeps_all: bool) -> _Shortened:
        """Leave out statements that cannot apply to the type; a resource of another account may meet any of them."""
        key = (name, levels, id(kind), place, keeps_all)
        if key not in self._shortened:
            completes = name in ("identity", "boundary")
            meetings = {n: self._meet(self.statements[n], kind, place, completes) for level in levels for n in level}
            kept = tuple(tuple(n for n in level if keeps_all or meetings[n].is_relevant) for level in levels)
            kept = self._levels_that_limit(kept) if name == "scp" else kept
            numbers = tuple(dict.fromkeys(n for level in kept for n in level))
            is_general = all(meetings[n].is_general for n in numbers)
            self._shortened[key] = _Shortened(kept, numbers, tuple(meetings[n].details for n in numbers), is_general)
        return self._shortened[key]

    def _levels_that_limit(self, levels: Levels) -> Levels:
        """Return the levels that do not allow everything, each once, with all Denies in the last."""
        denies = sorted({n for level in levels for n in level if not self.statements[n].is_allow})
        allows = [tuple(n for n in level if self.statements[n].is_allow) for level in levels]
        everything = [level for level in allows if any(self.statements[n].is_all for n in level)]
        limiting = sorted({level for level in allows if level not in everything})
        kept = [*limiting, *everything[:1]]
        return (*kept[:-1], (*kept[-1], *denies)) if kept else ()

    def _meet(self, statement: NumberedStatement, kind: TypeForm, place: Place, completes: bool) -> _Meeting:
        knowledge = self.knowledge
        keys = tuple(
            knowledge.is_absent(knowledge.canonical(key, kind.view), kind.view) for key in statement.asked_keys
        )
        keys += tuple(kind.view.has(key) for key in statement.asked_keys if key.startswith(TAG_ALIAS))
        if statement.resource_element is None or not statement.resources:
            return _Meeting(True, statement.resource_element is None, keys)
        universe = (kind.universe(place),)
        patterns = (wide_glob(pattern, statement.has_variables, completes) for pattern in statement.resources)
        meetings = [globs.relation(universe, pattern) for pattern in patterns]
        hits = tuple(meeting.inside for meeting in meetings)
        is_general = not any(all(meeting) for meeting in meetings)
        if statement.resource_element == "NotResource":
            is_whole = not any("${" in pattern for pattern in statement.resources)
            return _Meeting(
                not is_whole or all(meeting.outside for meeting in meetings), is_whole and is_general, keys + hits
            )
        return _Meeting(any(hits), is_general, keys + hits)

    def _facts_asked(self, numbers: tuple[int, ...], facts_id: int) -> tuple[object, ...]:
        """Return the facts that statements ask for."""
        key = (numbers, facts_id)
        if key not in self._facts:
            facts = self.examples[facts_id].facts
            self._facts[key] = tuple(fact(facts, asked) for n in numbers for asked in self.statements[n].asked_keys)
        return self._facts[key]

    def _decide(
        self,
        kind: TypeForm,
        form: ActionForm,
        levels: Sequence[Levels],
        layers: Numbered,
        example: Example,
        place: Place,
    ) -> Outcome:
        read = [tuple(tuple(self.statements[n] for n in level) for level in numbers) for numbers in levels]
        identity, boundary, scps, rcps = read
        entries = tuple(self._entry(n, form, example) for n in layers.entries if n not in example.exempt_entries)
        found = Layers(
            identity[0],
            boundary[0] if layers.has_boundary else None,
            scps if layers.scps is not None else None,
            rcps,
            entries,
        )
        return decide(kind, form, found, Surroundings(example.facts, EVERY_KEY, self.knowledge), place, self.solver)

    def _entry(self, number: int, form: ActionForm, example: Example) -> Entry:
        entry = self.entries[number]
        named_as = ("user" if example.is_user else "role") if entry["named_as"] == "principal" else entry["named_as"]
        owner = entry["owner_account_id"]
        facts: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (owner,)}
        if entry["owner_organization_id"]:
            facts["aws:resourceorgid"] = (entry["owner_organization_id"],)
            facts["aws:resourceorgpaths"] = (entry["owner_ou_path"],) if entry["owner_ou_path"] else ()
        rcps = (entry["rcps"] or "").split("/")[1:] if form.is_rcp_supported else []
        return Entry(
            self.statements[entry["statement_number"]],
            named_as,
            entry["session"],
            entry["resource_arn"],
            governed_by(entry["resource_arn"]),
            owner == example.own_account,
            facts,
            tuple(tuple(self.statements[n] for n in numbers_in(level)) for level in rcps),
        )

    def tables(self) -> dict[str, pa.Table]:
        """Return cell_access, cell_verdicts and residual_conditions."""
        conditions: dict[str, Formula] = {}
        access, verdicts = [], []
        for cell_id, outcome in enumerate(self.cells, start=1):
            verdicts.append((cell_id, outcome.verdict, outcome.layer, list(outcome.decided_by)))
            for row in outcome.rows:
                condition_id = None
                if row.verdict == "conditional":
                    condition_id = formulas.identity(row.formula)
                    conditions[condition_id] = row.formula
                exceptions = (
                    json.dumps([shown(p) for p in row.exceptions], ensure_ascii=False) if row.exceptions else None
                )
                reasons = (list(row.granted_by), list(row.limited_by))
                access.append(
                    (cell_id, row.resource_type, shown(row.pattern), row.verdict, condition_id, exceptions, *reasons)
                )
        residual = [self._condition(condition_id, conditions[condition_id]) for condition_id in sorted(conditions)]
        return {
            "cell_access": _table(access, CELL_ACCESS),
            "cell_verdicts": _table(verdicts, CELL_VERDICTS),
            "residual_conditions": _table(residual, RESIDUAL_CONDITIONS),
        }

    def _condition(self, condition_id: str, f: Formula) -> tuple[object, ...]:
        asked = {test.key for test in formulas.tests(f) if not test.key.startswith((RESOURCE, "session "))}
        keys = sorted({spelt(key, self.spelling) for key in asked})
        return (condition_id, words(f, self.spelling), json.dumps(formulas.as_json(f), ensure_ascii=False), keys, None)


def _table(rows: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(list(c), type=f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
