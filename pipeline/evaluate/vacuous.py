"""Finds conditions that every request meets. Looks at one test alone, and asks no lake."""

from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.solver import satisfy
from pipeline.evaluate.values import KeyDomain


class Judgement(NamedTuple):
    """``is_certain``: it holds for every value of the key. ``is_certain_without_key``: it holds where there is none."""

    is_certain: bool
    is_certain_without_key: bool


def judged(test: Test, knowledge: Knowledge, *, is_key_there: bool) -> Judgement:
    """Return what a test does by itself. ``is_key_there``: another condition of the statement asks for the key."""
    domain = knowledge.domain(test.key)
    if not test.values or not predicates.fits(test.operator, test.key, domain.value_type):
        return Judgement(False, False)
    if is_key_there:
        domain = domain._replace(can_be_absent=False)
    whatever = formulas.disjunction((test, formulas.negation(_fit_values(test.key, domain))))
    is_certain = not satisfy(formulas.negation(whatever), lambda key: domain).is_possible
    return Judgement(is_certain, domain.can_be_absent and predicates.when_absent(test))


def _fit_values(key: str, domain: KeyDomain) -> Formula:
    """Return what holds of a key's values by their type alone: ARNs are ARNs. An absent key meets it."""
    if (domain.value_type or "").removeprefix("ArrayOf") == "ARN":
        return Test("ArnLike", "ForAllValues", False, key, ("*",))
    return True
