"""Finds conditions that every request meets, or none after a time. Looks at one test alone, and asks no lake."""

from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.solver import satisfy
from pipeline.evaluate.values import KeyDomain
from pipeline.iam import grammar
from pipeline.iam.request_keys import SAME_FACT

#: Keys of the time of the call.
MOMENTS = frozenset({*SAME_FACT, *SAME_FACT.values()})


#: Operators that hold up to a time only: whether at that very moment too.
UP_TO = {"LessThan": False, "LessThanEquals": True, "Equals": True}


class Judgement(NamedTuple):
    """``is_certain``: it holds for every value of the key. ``is_certain_without_key``: it holds where there is none.
    ``ends_at``: it holds for no call at or after this time, in seconds since 1970; None where it has no such end."""

    is_certain: bool
    is_certain_without_key: bool
    ends_at: float | None = None


def judged(test: Test, knowledge: Knowledge, *, is_key_there: bool) -> Judgement:
    """Return what a test does by itself. ``is_key_there``: another condition of the statement asks for the key."""
    domain = knowledge.domain(test.key)
    if not test.values or not predicates.fits(test.operator, test.key, domain.value_type):
        return Judgement(False, False)
    if is_key_there:
        domain = domain._replace(can_be_absent=False)
    whatever = formulas.disjunction((test, formulas.negation(_fit_values(test.key, domain))))
    is_certain = not satisfy(formulas.negation(whatever), lambda key: domain).is_possible
    return Judgement(is_certain, domain.can_be_absent and predicates.when_absent(test), _end(test))


def _end(test: Test) -> float | None:
    """Return the time from which on a test on the time of the call holds no more; None for any other test."""
    holds_then = UP_TO.get(test.operator.removeprefix("Date").removeprefix("Numeric"))
    if test.key not in MOMENTS or holds_then is None:
        return None
    moments = [moment for moment in map(grammar.instant, test.values) if moment is not None]
    return float(max(moments)) + (1 if holds_then else 0) if moments else None


def _fit_values(key: str, domain: KeyDomain) -> Formula:
    """Return what holds of a key's values by their type alone: ARNs are ARNs. An absent key meets it."""
    if (domain.value_type or "").removeprefix("ArrayOf") == "ARN":
        return Test("ArnLike", "ForAllValues", False, key, ("*",))
    return True
