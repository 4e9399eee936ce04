"""The pages evaluate formulas as the lake does: under scenarios, in contexts, of conditions and of cells."""

import json
import random
from collections.abc import Iterator, Sequence

import pytest
from random_formulas import FAMILIES, KEYS, made
from random_organization import write_organization

from pipeline import assets, reference
from pipeline.build import build_lake
from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.following import TieError, completed
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.scenario_files import FILE, OF_CALLER, read_scenarios
from pipeline.evaluate.scenarios import Fact, Reading, Scenario, verdict
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.under import put_under
from pipeline.iam.request_keys import ALWAYS_PRESENT, FOR_THE_CALLER, one_spelling
from pipeline.lake import open_lake
from pipeline.report.formulas import Condition, Conditions, Spelling, facts_data, read_conditions, spelt_test
from tests.report_formulas import evaluated, holding

KNOWN = reference.load()
SHIPPED = read_scenarios(assets.file(FILE), KNOWN)
SOLVER = Solver(Knowledge(KNOWN, {}).domain)
SEEDS = range(4)
CONTEXTS = 60
LETTERS = {"allowed": "a", "conditional": "c", "denied": "d"}
#: Values that are none of a test's, by data type.
OTHERS = {
    "Bool": ("true", "false", "TRUE"), "Numeric": ("0", "17.50", "1e3"), "IPAddress": ("198.51.100.7", "2001:db8::5"),
    "Date": ("2026-06-01", "2031-01-01T00:00:00+02:00", "1900000001.5", "2026-01-01T00:00:00Z"),
    "ARN": ("arn:aws:sagemaker:us-east-1:111111111111:model/a", "arn:aws:iam::222222222222:role/r1"),
}  # fmt: skip


@pytest.fixture(scope="module", params=["sample", *SEEDS])
def lake_folder(request, sample_lake, tmp_path_factory):
    if request.param == "sample":
        return sample_lake
    folder = tmp_path_factory.mktemp("random")
    write_organization(folder / "in", request.param)
    build_lake([folder / "in"], folder / "lake")
    return folder / "lake"


def case(scenario: str | None, values: dict[str, tuple[str, ...]]) -> list:
    return [scenario, [[key, list(listed)] for key, listed in values.items()]]


def asked(conditions: Conditions, cases: Sequence[object]) -> dict:
    piece = json.loads(json.dumps(Spelling(SHIPPED).piece(conditions.formulas)))
    facts = facts_data(SHIPPED, None, conditions)
    return {"facts": facts, "pieces": [piece], "demands": conditions.demands, "cases": cases}


def fact_of(key: str, values: tuple[str, ...]) -> Fact:
    known = KNOWN.key(key)
    fact = Fact(key, known.value_type if known else None, known.is_multivalued if known else True)
    return fact._replace(values=values) if values else fact._replace(can_be_present=False)


def texts(test: formulas.Test, kind: str, pick: random.Random) -> Iterator[str]:
    """Values of a key of that data type that are a test's, or close to it."""
    for value in test.values:
        plain = value.replace("*", pick.choice(("", "x1"))).replace("?", "q")
        if kind == "IPAddress":
            network = predicates.grammar.network(value)
            yield from (str(network.network_address), str(network.broadcast_address + 1)) if network else ()
        elif kind != "ARN" or plain.count(":") >= 5:
            yield plain


def context(conditions: Conditions, pick: random.Random) -> dict[str, tuple[str, ...]]:
    """One to three keys with values, some of them left out."""
    tests = [
        test
        for f in conditions.formulas
        for test in formulas.tests(f)
        if not test.key.startswith(("resource", "session ")) and "#" not in test.key
    ]
    found = {}
    for test in pick.sample(tests, min(len(tests), pick.randint(1, 3))):
        known = KNOWN.key(test.key)
        kind = ((known.value_type if known else None) or "String").removeprefix("ArrayOf")
        candidates = [*texts(test, kind, pick), *OTHERS.get(kind, ("other", "a", "1900000000"))]
        some = pick.sample(
            candidates, min(len(candidates), pick.randint(1, 2) if not known or known.is_multivalued else 1)
        )
        values = tuple(dict.fromkeys(value for value in some if value))
        if one_spelling(test.key) not in OF_CALLER:
            is_left_out = pick.random() < 0.15 and fact_of(test.key, ()).key.lower() not in ALWAYS_PRESENT
            found[one_spelling(test.key)] = () if is_left_out else values
    return found


def told(conditions: Conditions, facts: tuple[Fact, ...]) -> str:
    reading = Reading(Scenario("context", "", "", facts, (), ""), SOLVER)
    return "".join(LETTERS[verdict(reading.reread(condition.formula))] for condition in conditions.listed)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_reads_values_as_the_engine_does(family):
    pick = random.Random(family)
    operators, pool = FAMILIES[family]
    values = (
        *pool,
        "",
        "other",
        "2020-01-01T00",
        "2020-02-30",
        "1577836800.25",
        "fe80::1",
        "::ffff:10.0.0.1",
        "010.0.0.1",
    )
    asked = []
    for _ in range(1500):
        listed = tuple(sorted(set(pick.sample(pool, pick.choice((1, 1, 2, 3))))))
        qualifier = pick.choice((None, None, "ForAllValues", "ForAnyValue"))
        test = formulas.Test(pick.choice(operators), qualifier, pick.random() < 0.2, "k", listed, pick.random() < 0.7)
        asked.append((test, pick.sample(values, pick.choice((0, 1, 1, 1, 2, 3)))))
    told = holding([(spelt_test(test), given) for test, given in asked])
    wrong = [
        (test, given, one)
        for (test, given), one in zip(asked, told, strict=True)
        if one is not None and one != predicates.holds(test, given)
    ]
    assert wrong == []
    assert told.count(None) < len(told) / 10


def test_the_page_reads_formulas_over_every_operator_and_tie_as_the_engine_does():
    # Lakes hold formulas that are neither certain nor impossible: these are decided already.
    drawn = [made(seed).formula for seed in range(500)]
    unsettled = [f for f in drawn if SOLVER.is_possible(f) and not SOLVER.is_certain(f)]
    listed = tuple(Condition(str(place), "", f, (), None, None) for place, f in enumerate(unsettled))
    conditions = Conditions(listed, (), (), {})
    pick = random.Random(5)
    contexts = [context_of_keys(pick.sample(sorted(KEYS), 2), pick) for _ in range(60)]
    answers = evaluated(asked(conditions, [case(None, one) for one in contexts]))
    decided = ""
    for one, answer in zip(contexts, answers, strict=True):
        try:
            facts = completed({key: fact_of(key, values) for key, values in one.items()}, KNOWN)
        except TieError:
            assert "error" in answer, one
            continue
        wanted = told(conditions, facts)
        wrong = [
            (condition.formula, expected, found)
            for condition, expected, found in zip(listed, wanted, answer["verdicts"], strict=True)
            if expected != found and not ("c" in (expected, found) and is_open(condition.formula))
        ]
        assert wrong == [], one
        decided += wanted
    assert min(decided.count(letter) for letter in "acd") > 100


def is_open(f: formulas.Formula) -> bool:
    """Whether one of the two may leave open what the other decides: where a test has a variable that nobody knows, and
    where tests are of several keys of a chain of calls, whose ends the page reads apart."""
    tests = formulas.tests(f)
    return any(test.is_opaque for test in tests) or len({test.key for test in tests} & FOR_THE_CALLER) > 1


def context_of_keys(keys: Sequence[str], pick: random.Random) -> dict[str, tuple[str, ...]]:
    found = {}
    for key in keys:
        pool = [value for family in KEYS[key][1] for value in FAMILIES[family][1] if is_plain(value, family)]
        many = fact_of(key, ("a",)).is_multivalued
        found[key] = tuple(pick.sample(pool, pick.choice((1, 2)) if many else 1))
        if pick.random() < 0.15 and key not in ALWAYS_PRESENT and key != "resource":
            found[key] = ()
    return found


def is_plain(value: str, family: str) -> bool:
    """Whether a value is one that a request can have: no pattern, no network, and of its type."""
    reads = {"Numeric": predicates.grammar.number, "Date": predicates.grammar.instant,
             "Bool": predicates.grammar.boolean, "IPAddress": predicates.grammar.address}  # fmt: skip
    is_read = family not in reads or reads[family](value) is not None
    return bool(value) and is_read and not set(value) & set("*?$") and value.isascii()


def test_the_page_reads_every_condition_under_every_scenario_as_the_lake_does(lake_folder):
    conditions = read_conditions(open_lake(lake_folder))
    answers = evaluated(asked(conditions, [[scenario.name, []] for scenario in SHIPPED]))
    for scenario, answer in zip(SHIPPED, answers, strict=True):
        reading = Reading(scenario, SOLVER)
        wanted = [LETTERS[verdict(reading.reread(condition.formula))] for condition in conditions.listed]
        wrong = [
            (condition.words, wanted[place], answer["verdicts"][place])
            for place, condition in enumerate(conditions.listed)
            if answer["verdicts"][place] != wanted[place]
        ]
        assert wrong == [], scenario.name


def test_the_page_reads_every_condition_in_any_context_as_the_lake_does(lake_folder):
    conditions = read_conditions(open_lake(lake_folder))
    pick = random.Random(len(conditions.listed))
    contexts = [context(conditions, pick) for _ in range(CONTEXTS)]
    answers = evaluated(asked(conditions, [case(None, one) for one in contexts]))
    decided = set()
    for one, answer in zip(contexts, answers, strict=True):
        try:
            facts = completed({key: fact_of(key, values) for key, values in one.items()}, KNOWN)
        except TieError:
            assert "error" in answer, one
            continue
        assert "error" not in answer, (one, answer)
        wanted = told(conditions, facts)
        wrong = [
            (condition.words, wanted[place], answer["verdicts"][place])
            for place, condition in enumerate(conditions.listed)
            if answer["verdicts"][place] != wanted[place]
        ]
        assert wrong == [], one
        decided |= set(wanted)
    assert len(decided) > 1


def test_a_context_within_a_scenario_never_contradicts_the_lake(lake_folder):
    conditions = read_conditions(open_lake(lake_folder))
    pick = random.Random(7 * len(conditions.listed))
    cases = [(scenario, context(conditions, pick)) for scenario in SHIPPED for _ in range(12)]
    answers = evaluated(asked(conditions, [case(scenario.name, one) for scenario, one in cases]))
    compared = 0
    for (scenario, one), answer in zip(cases, answers, strict=True):
        if "error" in answer:
            continue
        held = {one_spelling(fact.key): fact for fact in scenario.facts}
        held |= {key: fact_of(key, values) for key, values in one.items()}
        wanted = told(conditions, completed(held, KNOWN))
        compared += 1
        wrong = [
            (condition.words, wanted[place], answer["verdicts"][place])
            for place, condition in enumerate(conditions.listed)
            if answer["verdicts"][place] != wanted[place]
        ]
        assert wrong == [], (scenario.name, one)
    assert compared > 10


def test_the_page_reads_every_cell_under_every_scenario_as_the_lake_does(lake_folder):
    conditions = read_conditions(open_lake(lake_folder))
    answers = evaluated(asked(conditions, [[scenario.name, []] for scenario in SHIPPED]))
    for scenario, answer in zip(SHIPPED, answers, strict=True):
        lake = open_lake(lake_folder)
        put_under(lake, scenario, KNOWN)
        rows = lake.query("select cell_id, verdict from cell_verdicts").to_pylist()
        wanted = {row["cell_id"]: LETTERS.get(row["verdict"], "other") for row in rows}
        wrong = [
            (cell_id, wanted[cell_id], answer["cells"][demand], conditions.demands[demand])
            for cell_id, demand in conditions.of_cells.items()
            if answer["cells"][demand] != wanted[cell_id]
        ]
        assert wrong == [], scenario.name
