"""Decides formulas where the values of some keys are given. Reads formulas back from JSON; asks no lake."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import PolicylakeError
from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import SESSION_IS, Formula, Test
from pipeline.evaluate.normal import normal
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.values import TooManyWaysError, ways
from pipeline.evaluate.verdicts import Known
from pipeline.iam import grammar
from pipeline.iam.request_keys import ASSOCIATED, PASSED_TO, one_spelling

VARIABLE = "${"


def formula_of(text: str) -> Formula:
    """Return the formula that :func:`formula.as_json` wrote. Raises PolicylakeError for any other text."""
    try:
        return _read(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise PolicylakeError(f"a formula of residual_conditions is expected, not {text[:80]}") from error


def _read(value: Any) -> Formula:
    if isinstance(value, bool):
        return value
    if "and" in value:
        return formulas.conjunction(_read(part) for part in value["and"])
    if "or" in value:
        return formulas.disjunction(_read(part) for part in value["or"])
    if "not" in value:
        return formulas.negation(_read(value["not"]))
    members = (value["operator"], value["set_qualifier"], value["if_exists"], value["key"])
    return normal(test_of(*members, tuple(value["values"]), has_variables=True))


def test_of(
    operator: str,
    set_qualifier: Any,
    if_exists: bool,
    key: str,
    values: tuple[str, ...],
    *,
    has_variables: bool,
) -> Test:
    """Return a test. One whose values hold a variable, or that asks for a session, may come out either way."""
    if operator == SESSION_IS:
        return Test(operator, set_qualifier, if_exists, key, values, is_opaque=True)
    is_text = predicates.family(operator) == "text"
    fills_in = has_variables and is_text and any(VARIABLE in value for value in values)
    is_opaque = fills_in and any(part.kind == "variable" for value in values for part in grammar.parts(value, True))
    return Test(operator, set_qualifier, if_exists, key, values, fills_in, is_opaque)


def decision(f: Formula, given: Mapping[str, Sequence[str]], solver: Solver) -> Known:
    """Return what a formula comes to where keys have the given values; () is a key that is absent.

    Keys may be in any case, and a service's own key for resource tags is the global one.
    """
    values = {one_spelling(key): tuple(listed) for key, listed in given.items()}
    rest = remaining(f, values)
    if solver.is_certain(rest):
        return "allowed"
    return "conditional" if solver.is_possible(formulas.conjunction((rest, _passing(rest, values)))) else "denied"


def remaining(f: Formula, values: Mapping[str, Sequence[str]]) -> Formula:
    """Return what is left of a formula where keys, in their one spelling, have the given values; () is one that is
    absent, which decides tests with variables, too."""
    return formulas.replaced(f, predicates.truths(f, lambda key: values.get(one_spelling(key))))


def _passing(rest: Formula, values: Mapping[str, Sequence[str]]) -> Formula:
    """Return to which service a role is passed, where what is left asks for which resource: the two are tied."""
    service = values.get(PASSED_TO)
    is_asked = service and any(test.key == ASSOCIATED for test in formulas.tests(rest))
    return Test("StringEquals", None, False, PASSED_TO, (service[0],)) if service and is_asked else True


def depends_on(f: Formula, key: str, solver: Solver) -> bool:
    """Whether it matters which value a key has, once it has one."""
    tests = tuple(test for test in formulas.tests(f) if test.key == key.lower())
    try:
        found = ways(tests, solver.domains(key.lower())._replace(can_be_absent=False)) if tests else ()
    except TooManyWaysError:
        return True
    known = [dict(zip(tests, way.truths, strict=True)) for way in found if way.values != ("",)]
    return len({formulas.replaced(f, truths) for truths in known}) > 1
