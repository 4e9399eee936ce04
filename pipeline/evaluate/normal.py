"""One form for tests that mean the same, so that equal conditions become equal formulas. Source: OPS, MULTI, CHECKS."""

import ipaddress
from functools import lru_cache

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates
from pipeline.evaluate.formula import SESSION_IS, Formula, Test
from pipeline.evaluate.knowledge import ALWAYS_PRESENT, is_always_there
from pipeline.evaluate.ties import is_absent, is_present
from pipeline.iam import grammar

#: Operators that behave as another one.
SAME = {"ArnEquals": "ArnLike"}


@lru_cache(maxsize=1 << 16)
def normal(test: Test) -> Formula:
    """Return the formula of a test in the one form: operators that are not negated, no qualifier that does nothing.

    True or False where the test does not look at its key.
    """
    if test.operator == SESSION_IS:
        return test
    if test.operator == "Null":
        return _presence(test)
    if is_always_there(test.key):
        test = test._replace(if_exists=False)
    if test.operator not in predicates.NEGATED:
        if test.set_qualifier == "ForAllValues":
            test = test._replace(if_exists=False)  # it holds without the key anyway
        return _plain(test._replace(operator=SAME.get(test.operator, test.operator)))
    positive = test._replace(operator=predicates.POSITIVE[test.operator], if_exists=False)
    if test.set_qualifier is None:
        return formulas.negation(_plain(positive))
    if test.set_qualifier == "ForAllValues":
        return formulas.negation(_plain(positive._replace(set_qualifier="ForAnyValue")))
    some_other = formulas.negation(_plain(positive._replace(set_qualifier="ForAllValues")))
    return formulas.disjunction((is_absent(test.key), some_other)) if test.if_exists else some_other


def _presence(test: Test) -> Formula:
    without, with_key = predicates.when_absent(test), predicates.null_holds(test, is_present=True)
    if without == with_key:
        return without
    if test.key in ALWAYS_PRESENT:
        return with_key
    return is_absent(test.key) if without else is_present(test.key)


def _plain(test: Test) -> Formula:
    """Return a test of texts without the values that others cover, and without Like where nothing is a wildcard.

    Without any value only an absent key can meet it.
    """
    if not test.values:
        return is_absent(test.key) if predicates.when_absent(test) else False
    family = predicates.family(test.operator)
    if family == "boolean":
        return test._replace(values=tuple(sorted({value.strip().lower() for value in test.values})))
    if family == "address":
        return test._replace(values=_networks(test))
    if family in ("number", "instant") and len(test.values) > 1:
        return test._replace(values=_furthest(test))
    if family != "text" or test.is_opaque:
        return test
    if test.operator == "StringLike" and not any(_is_glob(value, test.has_variables) for value in test.values):
        return test._replace(operator="StringEquals")
    if test.operator in ("StringLike", "ArnLike") and len(test.values) > 1:
        return test._replace(values=_widest(test))
    return test


def _furthest(test: Test) -> tuple[str, ...]:
    """Return the value of a comparison that the others follow from: the least for greater, the greatest for less."""
    read = grammar.instant if predicates.family(test.operator) == "instant" else grammar.number
    known = {value: found for value in test.values if (found := read(value)) is not None}
    if not known or "Than" not in test.operator:
        return test.values
    choose = min if "Greater" in test.operator else max
    return (choose(sorted(known), key=lambda value: known[value]),)


def _networks(test: Test) -> tuple[str, ...]:
    """Return networks as few as can be: those within others go, and neighbours become one."""
    known = [found for value in test.values if (found := grammar.network(value)) is not None]
    fewest: list[grammar.Network] = []
    fewest += ipaddress.collapse_addresses([n for n in known if isinstance(n, ipaddress.IPv4Network)])
    fewest += ipaddress.collapse_addresses([n for n in known if isinstance(n, ipaddress.IPv6Network)])
    written = {str(n.network_address) if n.num_addresses == 1 else str(n) for n in fewest}
    return tuple(sorted(written)) or test.values


def _is_glob(value: str, has_variables: bool) -> bool:
    return any(part.kind != "literal" for part in grammar.parts(value, has_variables))


def _widest(test: Test) -> tuple[str, ...]:
    by_value = {value: predicates.patterns(test._replace(values=(value,))) for value in test.values}
    known = {value: found[0] for value, found in by_value.items() if found}
    return tuple(
        value
        for value in test.values
        if value not in known
        or not any(
            other != value and not globs.relation((known[value],), wide).outside
            and (globs.relation((wide,), known[value]).outside or other < value)
            for other, wide in known.items()
        )
    )  # fmt: skip
