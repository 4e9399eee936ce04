"""Lets an opened lake answer under a scenario: its cells and conditions are read again, and all else follows from them.

The relations access and access_matrix, and whatever reads them, are made of the relations replaced here. The lake
itself does not change.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline import assets
from pipeline.errors import PolicylakeError
from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates
from pipeline.evaluate.cells import AccessRow, Kind, Outcome, combined
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.given import formula_of
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.scenarios import Fact, Reading, Scenario, depends_on_account, said, verdict
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.verdicts import deciding, granting_layer, strongest
from pipeline.evaluate.words import keys_of, words
from pipeline.iam.request_keys import one_spelling
from pipeline.lake import Lake
from pipeline.lake.dictionary import relation
from pipeline.lake.duck import errors_explained
from pipeline.lake.queries import command_query
from pipeline.reference import Reference

#: Relations of the lake that a scenario replaces; the former ones are named stored_....
REPLACED = ("cell_access", "cell_verdicts", "residual_conditions")
CONDITIONS = pa.schema([("condition_id", pa.string()), ("verdict", pa.string()), ("remaining_id", pa.string())])
#: Stands for the resources of types that are told apart by number.
NO_RESOURCE = globs.literal("*")
CELLS = pa.schema([("cell_id", pa.int64())])
VERDICTS = pa.schema(
    [("verdict", pa.string()), ("layer", pa.string()), ("type_number", pa.int64()), ("row_number", pa.int64())]
)


def put_under(lake: Lake, scenario: Scenario, reference: Reference) -> None:
    """Let all further queries of the lake be answered under a scenario. Once for an opened lake."""
    reading = Reading(scenario, Solver(Knowledge(reference, {}).domain))
    stored = lake.query("from residual_conditions order by condition_id").to_pylist()
    left = {row["condition_id"]: reading.reread(formula_of(row["formula"])) for row in stored}
    reread, remaining = _reread(stored, left)
    with errors_explained(f"{lake.path}: the current snapshot cannot be read under a scenario; build it again"):
        for name in REPLACED:
            lake.connection.execute(f'alter view "{name}" rename to "stored_{name}"')
        lake.lend("scenario_conditions", pa.Table.from_pylist(reread, CONDITIONS))
        lake.lend("remaining_conditions", pa.Table.from_pylist(remaining, relation("residual_conditions").schema))
        for name in ("residual_conditions", "cell_access"):
            _create(lake, name)
        _create(lake, "reread_cells")
        lake.lend("reread_verdicts", _verdicts(lake))
        lake.lend("parted_cells", _parted(lake, reading, {row["condition_id"]: row["formula"] for row in remaining}))
        _create(lake, "cell_verdicts")


def assume(lake: Lake, scenario: Scenario) -> None:
    """Let the conditions of a lake that was put under a scenario say what it assumes, too.

    Two conditions that differ in other requests alone are then equal to whoever compares them.
    """
    facts = [fact for fact in scenario.facts if fact.fixed is None]
    listed = lake.query("from residual_conditions order by condition_id").to_pylist()
    for row in listed:
        f = formula_of(row["formula"])
        row["formula"] = json.dumps(formulas.as_json(_with_facts(f, facts)), ensure_ascii=False)
    lake.lend("assuming_conditions", pa.Table.from_pylist(listed, relation("residual_conditions").schema))
    lake.connection.execute('create or replace table "residual_conditions" as from assuming_conditions')


def _with_facts(f: Formula, facts: Iterable[Fact]) -> Formula:
    tests = [(one_spelling(test.key), test) for test in formulas.tests(f)]
    said_of = [
        fact.holds(one_spelling(fact.key))
        for fact in facts
        if not any(key == one_spelling(fact.key) and depends_on_account(test, fact) for key, test in tests)
    ]
    return formulas.conjunction((f, *said_of))


def _create(lake: Lake, name: str) -> None:
    """Make a relation as a table: queries of large lakes would be planned worse over a view."""
    lake.connection.execute(f'create table "{name}" as {assets.text("sql", f"scenario/{name}.sql")}')


Rows = list[dict[str, Any]]


def _reread(stored: Sequence[Mapping[str, Any]], left: Mapping[str, Formula]) -> tuple[Rows, Rows]:
    """Return what each condition comes to, and the conditions that are left. A witness is of no scenario."""
    spelling = {key.lower(): key for row in stored for key in row["condition_keys"]}
    reread: Rows = []
    remaining: dict[str, dict[str, Any]] = {}
    for row in stored:
        rest = left[row["condition_id"]]
        decided = {"condition_id": row["condition_id"], "verdict": verdict(rest), "remaining_id": None}
        if not isinstance(rest, bool):
            is_same = rest == formula_of(row["formula"])
            kept = {**row, "witness": None, "smallest_change": None} if is_same else _condition(rest, spelling)
            decided["remaining_id"] = kept["condition_id"]
            remaining.setdefault(kept["condition_id"], kept)
        reread.append(decided)
    return reread, list(remaining.values())


def _condition(f: Formula, spelling: Mapping[str, str]) -> dict[str, Any]:
    return {
        "condition_id": formulas.identity(f),
        "condition": words(f, spelling),
        "formula": json.dumps(formulas.as_json(f), ensure_ascii=False),
        "condition_keys": keys_of(f, spelling),
        "witness": None,
    }


def _verdicts(lake: Lake) -> pa.Table:
    """Return what cells come to of which a scenario changes a row, once for all that are alike in what decides it."""
    distinct = lake.query("select distinct types from reread_cells")
    decided = pa.Table.from_pylist([_verdict(types) for types in distinct["types"].to_pylist()], VERDICTS)
    return decided.append_column("types", distinct["types"])


def _verdict(types: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return verdict and layer of a cell, with the numbers, from 1, of the resource type and of its row that decide.

    A type is what ``reread_cells`` has of it: ``is_required`` and ``rows`` with their verdict and layers.
    """
    best = [strongest([row["verdict"] for row in kind["rows"]]) for kind in types]
    rows = [kind["rows"][place] for kind, place in zip(types, best, strict=True)]
    place = deciding([kind["is_required"] for kind in types], [row["verdict"] for row in rows])
    row = rows[place]
    layer = "scenario" if row["verdict"] == "denied" else granting_layer(row["layers"])
    return {"verdict": row["verdict"], "layer": layer, "type_number": place + 1, "row_number": best[place] + 1}


def _parted(lake: Lake, reading: Reading, remaining: Mapping[str, str]) -> pa.Table:
    """Return the cells whose required types are each possible in the scenario, but never all in one request."""
    demands = lake.query(assets.text("sql", "scenario/joint_demands.sql")).to_pylist()
    parted = [row["cell_ids"] for row in demands if not _is_possible_together(row["demand"], reading, remaining)]
    return pa.Table.from_pylist([{"cell_id": cell_id} for cell_ids in parted for cell_id in cell_ids], CELLS)


def _is_possible_together(demand: Iterable[Iterable[str]], reading: Reading, remaining: Mapping[str, str]) -> bool:
    """Whether one request in the scenario meets a condition of each type, by the rule by which cells are decided."""
    kinds, outcomes = [], []
    for number, condition_ids in enumerate(demand):
        rows = tuple(_row(formula_of(remaining[condition_id]), condition_id, reading) for condition_id in condition_ids)
        kinds.append(Kind(str(number), True, "", NO_RESOURCE, NO_RESOURCE))
        outcomes.append(Outcome(rows, "conditional", "", ()))
    return combined(kinds, outcomes, reading.solver).verdict != "denied"


def _row(f: Formula, condition_id: str, reading: Reading) -> AccessRow:
    """Return a row that stands for a condition, together with what the scenario says of its keys."""
    return AccessRow(None, condition_id, (), "conditional", formulas.conjunction((f, reading.assumed(f))), (), ())


def context_of(scenario: Scenario, given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the context of a request in a scenario: what is given, with the facts that have one value.

    Raises PolicylakeError where the two contradict each other, and for a key whose value the scenario leaves open.
    """
    values = {one_spelling(key): listed for key, listed in given.items()}
    context = {key: list(listed) for key, listed in given.items()}
    for key, fact in scenario.by_key.items():
        if key in values:
            _check(fact, values[key], scenario)
        elif fact.fixed is None and not fact.can_be_absent:
            wanted = f"one request is decided with --context, so give --context {fact.key}=VALUE"
            raise PolicylakeError(f"--scenario {scenario.name}: {said(fact)}, which is no single value; {wanted}")
        elif fact.fixed:
            context[fact.key] = list(fact.fixed)
    return context


def _check(fact: Fact, values: Sequence[str], scenario: Scenario) -> None:
    f = fact.holds(fact.key.lower())
    is_same = set(values) == set(fact.values) if fact.is_multivalued and fact.values else True
    if not is_same or not formulas.value(f, {test: predicates.holds(test, values) for test in formulas.tests(f)}):
        told = f"in the scenario {scenario.name} {said(fact)}; leave one of the two out"
        raise PolicylakeError(f"--context {fact.key}={','.join(values)}: {told}")


def endpoints_with_policies(lake: Lake, scenario: Scenario) -> list[str]:
    """Return the VPC endpoints that a scenario names and whose policies, which verdicts leave out, the lake has."""
    fact = scenario.by_key.get("aws:sourcevpce")
    if fact is None or not fact.values:
        return []
    known = lake.query(command_query("endpoints_with_policies"))["endpoint_id"].to_pylist()
    return [endpoint for endpoint in known if endpoint in fact.values]
