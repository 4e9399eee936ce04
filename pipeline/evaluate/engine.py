"""Decides every distinct cell, and writes what they come to as tables. The way: SQL makes cases, formulas decide them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipeline.evaluate import formula as formulas
from pipeline.evaluate.actions import ActionForm, Place
from pipeline.evaluate.cells import Entry, Layers, Outcome, decide
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.knowledge import EVERY_KEY, Knowledge, fact
from pipeline.evaluate.profiles import Example, numbers_in
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import NumberedStatement, Surroundings, shown
from pipeline.evaluate.words import words

Case = tuple[int, int, str, str | None, str | None, str | None, str]

CELL_ACCESS = pa.schema(
    [
        ("cell_id", pa.int32()), ("resource_type", pa.string()), ("resource_pattern", pa.string()), ("verdict", pa.string()),
        ("condition_id", pa.string()), ("except_resources", pa.string()),
        ("granted_by_numbers", pa.list_(pa.int32())), ("limited_by_numbers", pa.list_(pa.int32())),
    ]
)  # fmt: skip
CELL_VERDICTS = pa.schema(
    [("cell_id", pa.int32()), ("verdict", pa.string()), ("layer", pa.string()), ("decided_by_numbers", pa.list_(pa.int32()))]
)
RESIDUAL_CONDITIONS = pa.schema(
    [
        ("condition_id", pa.string()), ("condition", pa.string()), ("formula", pa.string()),
        ("condition_keys", pa.list_(pa.string())), ("witness", pa.string()),
    ]
)  # fmt: skip


@dataclass
class Engine:
    """Decides cases and remembers: equal statements, facts and action forms are decided once.

    ``spelling`` maps condition keys in lower case to AWS's spelling.
    """

    knowledge: Knowledge
    statements: Mapping[int, NumberedStatement]
    entries: Mapping[int, dict[str, Any]]
    forms: Sequence[ActionForm]
    examples: Sequence[Example]
    spelling: dict[str, str]
    solver: Solver = field(init=False)
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    _decided: dict[tuple[object, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.solver = Solver(self.knowledge.domain)

    def cell_of(self, case: Case) -> int:
        """Return the number of the cell that a case comes to."""
        form_id, facts_id, *texts = case
        example = self.examples[facts_id]
        key = (form_id, *texts, example.own_account, example.partition, self._facts_asked(texts, example))
        if key not in self._decided:
            outcome = self._decide(self.forms[form_id], texts, example)
            self._decided[key] = self.outcomes.setdefault(outcome, len(self.outcomes) + 1)
        return self._decided[key]

    def _facts_asked(self, texts: Sequence[str | None], example: Example) -> tuple[object, ...]:
        """Return the facts that the case's statements ask for."""
        numbers = [number for text in texts[:4] if text for number in numbers_in(text)]
        numbers += [self.entries[number]["statement_number"] for number in numbers_in(texts[4] or "")]
        keys: set[str] = set()
        for number in numbers:
            statement = self.statements[number]
            keys.update(test.key for test in statement.principal_tests)
            keys.update(statement.fact_keys)
        values = tuple((key, fact(example.facts, key)) for key in sorted(keys))
        return (values, example.is_user, example.exempt_entries) if texts[4] else (values,)

    def _decide(self, form: ActionForm, texts: Sequence[str | None], example: Example) -> Outcome:
        identity, boundary, scps, rcps, environment = texts
        layers = Layers(
            self._level(identity or ""),
            None if boundary is None else self._level(boundary),
            None if scps is None else tuple(self._level(level) for level in scps.split("/")),
            tuple(self._level(level) for level in rcps.split("/")) if rcps and form.is_rcp_supported else (),
            tuple(self._entry(number, form, example) for number in numbers_in(environment or "") if number not in example.exempt_entries),
        )
        around = Surroundings(example.facts, EVERY_KEY, self.knowledge)
        return decide(form, layers, around, Place(example.own_account, example.partition), self.solver)

    def _level(self, text: str) -> tuple[NumberedStatement, ...]:
        return tuple(self.statements[number] for number in numbers_in(text))

    def _entry(self, number: int, form: ActionForm, example: Example) -> Entry:
        entry = self.entries[number]
        named_as = ("user" if example.is_user else "role") if entry["named_as"] == "principal" else entry["named_as"]
        owner = entry["owner_account_id"]
        facts: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (owner,)}
        if entry["owner_organization_id"]:
            facts["aws:resourceorgid"] = (entry["owner_organization_id"],)
            facts["aws:resourceorgpaths"] = (entry["owner_ou_path"],) if entry["owner_ou_path"] else ()
        rcps = [level for level in (entry["rcps"] or "").split("/")[1:]] if form.is_rcp_supported else []
        return Entry(
            self.statements[entry["statement_number"]], named_as, entry["session"], entry["resource_arn"],
            governed_by(entry["resource_arn"]), owner == example.own_account, facts, tuple(self._level(level) for level in rcps),
        )  # fmt: skip

    def tables(self) -> dict[str, pa.Table]:
        """Return cell_access, cell_verdicts and residual_conditions."""
        conditions: dict[str, Formula] = {}
        access, verdicts = [], []
        for outcome, cell_id in self.outcomes.items():
            verdicts.append((cell_id, outcome.verdict, outcome.layer, list(outcome.decided_by)))
            for row in outcome.rows:
                condition_id = None
                if row.verdict == "conditional":
                    condition_id = formulas.identity(row.formula)
                    conditions[condition_id] = row.formula
                exceptions = json.dumps([shown(p) for p in row.exceptions], ensure_ascii=False) if row.exceptions else None
                reasons = (list(row.granted_by), list(row.limited_by))
                access.append((cell_id, row.resource_type, shown(row.pattern), row.verdict, condition_id, exceptions, *reasons))
        residual = [self._condition(condition_id, conditions[condition_id]) for condition_id in sorted(conditions)]
        return {
            "cell_access": _table(access, CELL_ACCESS),
            "cell_verdicts": _table(verdicts, CELL_VERDICTS),
            "residual_conditions": _table(residual, RESIDUAL_CONDITIONS),
        }

    def _condition(self, condition_id: str, f: Formula) -> tuple[object, ...]:
        keys = sorted({self.spelling.get(test.key, test.key) for test in formulas.tests(f)})
        return (condition_id, words(f, self.spelling), json.dumps(formulas.as_json(f), ensure_ascii=False), keys, None)


def governed_by(resource_arn: str) -> tuple[str, ...]:
    """Return patterns of the resources that a resource-based policy speaks for: the resource, and what lies in it.

    The policy of a model package group is also that of its packages.
    """
    patterns = [resource_arn, f"{resource_arn}/*"]
    if ":model-package-group/" in resource_arn:
        patterns.append(resource_arn.replace(":model-package-group/", ":model-package/") + "/*")
    return tuple(patterns)


def _table(rows: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(list(c), type=f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


Progress = Callable[[str], None]
