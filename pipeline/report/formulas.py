"""Data of ``formula.js``: formulas, every way of the keys that they ask for, and what scenarios leave of these.

A page can so decide a condition under a scenario or in a context without a solver for texts, numbers and addresses: it
only chooses among ways. Decides nothing itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline import reference
from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import RESOURCE, Formula, Test
from pipeline.evaluate.given import formula_of
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.scenario_files import OF_CALLER
from pipeline.evaluate.scenarios import Fact, Scenario, depends_on_account, said
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.tables import OWN_ACCOUNT
from pipeline.evaluate.ties import ties
from pipeline.evaluate.values import TooManyWaysError, Way, ways
from pipeline.iam.request_keys import SAME_FACT, TIES, one_spelling
from pipeline.lake import Lake
from pipeline.report.compact import Numbered
from pipeline.report.queries import rows

Demand = tuple[tuple[tuple[bool, tuple[int, ...]], ...], int]
Group = tuple[str, tuple[Test, ...]]


def own_text(text: str, own: str | None) -> str:
    """Return a text of the evaluation with the principal's own account in place; None is that of whoever it is of."""
    return text.replace(OWN_ACCOUNT, "‹own account›" if own is None else own or "*")


class Condition(NamedTuple):
    """A residual condition. ``witness`` and ``smallest_change`` are JSON texts as in residual_conditions."""

    condition_id: str
    words: str
    formula: Formula
    keys: tuple[str, ...]
    witness: str | None
    smallest_change: str | None

    @property
    def told(self) -> str:
        """Its words, whoever it is of."""
        return own_text(self.words, None)


class Conditions(NamedTuple):
    """The conditions by their numbers, then those that ask whether one call meets several (``joint``).

    ``demands`` are what conditional cells ask for: of each resource type whether every call needs it and the numbers of
    its rows' conditions (-1 for a row without one), and the joint condition (-1 where none is needed). ``of_cells``
    has the number of each conditional cell's demand. ``former`` are those of the snapshot before alone,
    by their ids.
    """

    listed: tuple[Condition, ...]
    joint: tuple[Formula, ...]
    demands: tuple[Demand, ...]
    of_cells: Mapping[int, int]
    former: Mapping[str, Formula] = {}

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """All formulas by number."""
        return (*(condition.formula for condition in self.listed), *self.joint, *self.former.values())

    @property
    def numbers(self) -> dict[str, int]:
        """The numbers of conditions by their ids."""
        places = {condition.condition_id: number for number, condition in enumerate(self.listed)}
        first = len(self.listed) + len(self.joint)
        return places | {condition_id: first + number for number, condition_id in enumerate(self.former)}


def read_conditions(lake: Lake) -> Conditions:
    """Read the conditions and what cells ask for."""
    listed = tuple(
        Condition(
            row["condition_id"], row["condition"], formula_of(row["formula"]), tuple(row["condition_keys"]),
            row["witness"], row["smallest_change"],
        )
        for row in rows(lake, "conditions")
    )  # fmt: skip
    numbers = {condition.condition_id: number for number, condition in enumerate(listed)} | {"": -1}
    types: dict[int, list[tuple[bool, tuple[int, ...]]]] = {}
    for row in rows(lake, "cell_demands"):
        asked = tuple(numbers[condition_id] for condition_id in row["condition_ids"])
        types.setdefault(row["cell_id"], []).append((row["is_required"], asked))
    joint, demands = Numbered[Formula](), Numbered[Demand]()
    of_cells = {}
    for cell_id, asked_for in types.items():
        together = _together(asked_for, listed)
        place = -1 if isinstance(together, bool) else len(listed) + joint(together)
        of_cells[cell_id] = demands((tuple(sorted(asked_for)), place))
    return Conditions(listed, tuple(joint.all()), tuple(demands.all()), of_cells)


def _together(types: Iterable[tuple[bool, tuple[int, ...]]], listed: Sequence[Condition]) -> Formula:
    """Return the formula that one call meets a condition of each type that it needs; True where that is no question."""
    needed = sorted(asked for is_required, asked in types if is_required and -1 not in asked)
    if len(needed) < 2:
        return True
    return formulas.conjunction(
        formulas.apart(formulas.disjunction(listed[number].formula for number in asked), place)
        for place, asked in enumerate(needed)
    )


class Spelling:
    """Spells formulas as ``formula.js`` reads them."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self.scenarios = scenarios
        self.solver = Solver(Knowledge(reference.load(), {}).domain)
        self.ways = lru_cache(maxsize=None)(self._ways)
        self.limits = lru_cache(maxsize=None)(self._limits)

    def piece(self, listed: Sequence[Formula]) -> dict[str, Any]:
        """Return a run of formulas with all that is needed to decide them."""
        tests, groups = Numbered[Test](), Numbered[Group]()
        spelt = [self._formula(f, tests, groups) for f in listed]
        asked = [[key, [tests(test) for test in own], self.ways((key, own))] for key, own in groups.all()]
        limits = {
            scenario.name: {
                number: limit
                for number, group in enumerate(groups.all())
                if (limit := self.limits(scenario.name, group)) is not False
            }
            for scenario in self.scenarios
        }
        told = [spelt_test(test) for test in tests.all()]
        return {"tests": told, "groups": asked, "formulas": spelt, "limits": limits}

    def _formula(self, f: Formula, tests: Numbered[Test], groups: Numbered[Group]) -> list[Any]:
        tied = ties(f)
        clauses = formulas.parts_of(tied) if formulas.is_junction(tied, "and") else () if tied is True else (tied,)
        whole = formulas.conjunction((f, tied))
        by_key: dict[str, list[Test]] = {}
        for test in formulas.tests(whole):
            by_key.setdefault(SAME_FACT.get(test.key, test.key), []).append(test)
        numbers = [groups((key, tuple(sorted(own, key=formulas.order)))) for key, own in by_key.items()]
        return [spell(f, tests), [[*_two_keys(clause), spell(clause, tests)] for clause in clauses], numbers]

    def _ways(self, group: Group) -> list[str] | None:
        key, tests = group
        try:
            found = ways(tests, self.solver.domains(key))
        except TooManyWaysError:
            return None
        return list(dict.fromkeys(_state(way) + _bits(way.truths) for way in found))

    def _limits(self, name: str, group: Group) -> list[str] | bool | None:
        """Return the truths that a scenario leaves to tests, where it says something of their key that is no single
        state; None where they are too many, False where it says nothing."""
        key, tests = group
        by_key = next(scenario for scenario in self.scenarios if scenario.name == name).by_key
        said_of = {test.key: by_key.get(one_spelling(test.key.split(" #")[0])) for test in tests}
        facts = [
            fact.holds(own)
            for own, fact in said_of.items()
            if fact is not None
            and fact.fixed is None
            and not any(depends_on_account(test, fact) for test in tests if test.key == own)
        ]
        if not facts:
            return False
        fact = formulas.conjunction(facts)
        together = tuple(sorted({*tests, *formulas.tests(fact)}, key=formulas.order))
        try:
            found = ways(together, self.solver.domains(key))
        except TooManyWaysError:
            return None
        known = [dict(zip(together, way.truths, strict=True)) for way in found]
        return list(dict.fromkeys(_bits(truths[t] for t in tests) for truths in known if formulas.value(fact, truths)))


def _bits(truths: Iterable[bool]) -> str:
    return "".join("1" if truth else "0" for truth in truths)


def _state(way: Way) -> str:
    """Return a letter: absent, empty or present."""
    return "a" if not way.is_present else "e" if way.values == ("",) else "p"


def _two_keys(clause: Formula) -> tuple[str, str]:
    keys = sorted({test.key for test in formulas.tests(clause)})
    return keys[0], keys[-1]


def spell(f: Formula, tests: Numbered[Test]) -> Any:
    """Return a formula with numbers for tests."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return tests(f)
    sign = {"not": "!", "and": "&", "or": "|"}[f.kind]
    return [sign, *(spell(part, tests) for part in f.parts)]


def spelt_test(test: Test) -> list[Any]:
    """Return a test's members in order, flags that are not set left out at the end."""
    flags = (int(test.has_variables), int(test.is_opaque))
    told = [test.operator, test.set_qualifier, int(test.if_exists), test.key, list(test.values), *flags]
    while told[-1] == 0:
        told.pop()
    return told


def facts_data(scenarios: Sequence[Scenario], fixed: Scenario | None, conditions: Conditions) -> dict[str, Any]:
    """Return what the pages take for granted of requests: scenarios, ties of keys, and the keys with their data types.

    ``fixed`` is the scenario that the whole report is of, if any: it is the only one then.
    """
    described = reference.load()
    former = {test.key for f in conditions.former.values() for test in formulas.tests(f)}
    asked = {key: key for key in former if not key.startswith((RESOURCE, "session "))}
    tested = {formulas.bare(test.key) for condition in conditions.listed for test in formulas.tests(condition.formula)}
    spelt = {key.lower(): key for condition in conditions.listed for key in condition.keys}
    asked |= {key: name for key, name in spelt.items() if key in tested}
    tied = {key for tie in TIES for key in (tie.key, tie.other)}
    keys: dict[str, list[Any]] = {}
    for name in sorted(asked.keys() | tied):
        known = described.key(name)
        written = asked.get(name) or (known.name if known else name)
        is_asked = int(name in asked)
        keys[name] = [written, known.value_type if known else None, int(known.is_multivalued) if known else 1, is_asked]
    return {
        "fixed": fixed.name if fixed else None,
        "scenarios": [_scenario(scenario) for scenario in scenarios],
        "ties": [list(tie[:5]) for tie in TIES],
        "keys": keys,
        "ofCaller": sorted(OF_CALLER),
    }


def _scenario(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "title": scenario.title,
        "description": scenario.description,
        "placeholders": list(scenario.placeholders),
        "facts": [_fact(fact) for fact in scenario.facts],
    }


def _fact(fact: Fact) -> dict[str, Any]:
    tests = Numbered[Test]()
    f = spell(fact.holds(one_spelling(fact.key)), tests)
    state = "fixed" if fact.fixed else "absent" if fact.fixed == () else "open" if fact.can_be_absent else "present"
    values = list(fact.values) or [f"other than {' and '.join(fact.excluded)}"] if fact.excluded else list(fact.values)
    return {
        "key": one_spelling(fact.key),
        "state": state,
        "values": values,
        "said": said(fact),
        "follows": fact.follows_from is not None,
        "tests": [spelt_test(test) for test in tests.all()],
        "formula": f,
    }
