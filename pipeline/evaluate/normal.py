"""One form for tests that mean the same, so that equal conditions become equal formulas. Source: OPS, MULTI, CHECKS."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates, texts
from pipeline.evaluate.formula import SESSION_IS, Formula, Test
from pipeline.evaluate.knowledge import is_always_there
from pipeline.evaluate.ties import is_absent, is_present
from pipeline.evaluate.values import KeyDomain
from pipeline.iam import grammar
from pipeline.iam.request_keys import ALWAYS_PRESENT

#: The values that a key of which nothing is known can have.
ANYTHING = KeyDomain(None, True, True)

#: Operators that behave as another one.
SAME = {"ArnEquals": "ArnLike"}


@lru_cache(maxsize=1 << 16)
def normal(test: Test, domain: KeyDomain = ANYTHING) -> Formula:
    """Return the formula of a test in the one form: operators that are not negated, no qualifier that does nothing, one
    spelling of each value. ``domain`` are the values that the key can have.

    True or False where the test does not look at its key.
    """
    if test.operator == SESSION_IS:
        return test
    if test.operator == "Null":
        return _presence(test)
    if is_always_there(test.key) or test.set_qualifier == "ForAnyValue":
        test = test._replace(if_exists=False)  # ForAnyValue fails without the key anyway
    if test.operator not in predicates.NEGATED:
        if test.set_qualifier == "ForAllValues":
            test = test._replace(if_exists=False)  # it holds without the key anyway
        return _plain(test._replace(operator=SAME.get(test.operator, test.operator)), domain)
    positive = test._replace(operator=predicates.POSITIVE[test.operator], if_exists=False)
    if test.set_qualifier is None:
        return formulas.negation(_plain(positive, domain))
    if test.set_qualifier == "ForAllValues":
        return formulas.negation(_plain(positive._replace(set_qualifier="ForAnyValue"), domain))
    return formulas.negation(_plain(positive._replace(set_qualifier="ForAllValues"), domain))


def _presence(test: Test) -> Formula:
    without, with_key = predicates.when_absent(test), predicates.null_holds(test, is_present=True)
    if without == with_key:
        return without
    if test.key in ALWAYS_PRESENT:
        return with_key
    return is_absent(test.key) if without else is_present(test.key)


def _plain(test: Test, domain: KeyDomain) -> Formula:
    """Return a test that is not negated, with one spelling of its values and without those that others cover.

    Without any value only an absent key can meet it.
    """
    spelt = _without_qualifier(_spelt(test, domain), domain)
    if not spelt.values:
        return _without_any_value(spelt, domain) if predicates.when_absent(test) else False
    if spelt.values == ("*",) and spelt.operator == "StringLike" and not spelt.is_opaque:
        return _of_any_text(spelt, domain)
    return spelt


def _without_any_value(test: Test, domain: KeyDomain) -> Formula:
    """Return that a key is absent, as an operator sees it: to one without set operator an empty text is there."""
    is_there_when_empty = test.set_qualifier is None and domain.takes_texts and domain.can_be_empty
    if not is_there_when_empty:
        return is_absent(test.key)
    return formulas.negation(Test("StringLike", None, False, test.key, ("*",)))


def _spelt(test: Test, domain: KeyDomain) -> Test:
    """Return a test with one spelling of each of its values; those that nothing equals go."""
    family = predicates.family(test.operator)
    if family == "text":
        return test if test.is_opaque else _of_texts(test, domain)
    if family == "boolean":
        found = {grammar.boolean(value) for value in predicates.plain_values(test)}
        return _listed(test, (word for word, truth in (("false", False), ("true", True)) if truth in found))
    if family == "address":
        return _listed(test, _networks(test))
    if family in ("number", "instant"):
        return _listed(test, _read(test, family))
    return test


def _listed(test: Test, values: Iterable[str]) -> Test:
    return test._replace(values=tuple(sorted(set(values))), has_variables=False)


def _of_texts(test: Test, domain: KeyDomain) -> Test:
    """Return a test of texts without Like where nothing is a wildcard, and without regard to case only where a letter
    has one."""
    if test.operator == "StringLike":
        return _of_globs(test, domain)
    if test.operator == "ArnLike" and all(_reads_as_text(value, test.has_variables) for value in test.values):
        return _of_globs(test._replace(operator="StringLike"), domain)
    if test.operator == "ArnLike":
        return _widest(_written(test, (_arn(value, test.has_variables) for value in test.values)))
    if test.operator not in ("StringEquals", "StringEqualsIgnoreCase"):
        return test
    values = {text for text in predicates.plain_values(test) if text or _asks_for_empty(test, domain)}
    if test.operator == "StringEqualsIgnoreCase":
        values = {grammar.without_case(text) for text in values}
        if not any(text.lower() != text.upper() for text in values):
            test = test._replace(operator="StringEquals")
    return _written(test, map(texts.literal, values))


def _of_globs(test: Test, domain: KeyDomain) -> Test:
    split = [grammar.parts(value, test.has_variables) for value in test.values]
    split = [parts for parts in split if parts or _asks_for_empty(test, domain)]
    if all(part.kind == "literal" for parts in split for part in parts):
        plain = ("".join(part.text for part in parts) for parts in split)
        return _written(test._replace(operator="StringEquals"), map(texts.literal, plain))
    return _widest(_written(test, map(texts.pattern, split)))


def _asks_for_empty(test: Test, domain: KeyDomain) -> bool:
    """Whether an empty text among a test's values does something: to set operators an empty text is no value."""
    return test.set_qualifier is None and domain.can_be_empty


def _reads_as_text(value: str, has_variables: bool) -> bool:
    """Whether comparing with an ARN field by field is comparing texts: no wildcard stands before the last one."""
    parts = grammar.parts(value, has_variables)
    return predicates.is_arn(parts) and not predicates.has_early_wildcards(parts)


def _arn(value: str, has_variables: bool) -> str:
    parts = grammar.parts(value, has_variables)
    return texts.pattern(parts) if any(part.kind == "literal" for part in parts) else value


def _written(test: Test, values: Iterable[str]) -> Test:
    found = tuple(sorted(set(values)))
    return test._replace(values=found, has_variables=any("${" in value for value in found))


def _without_qualifier(test: Test, domain: KeyDomain) -> Test:
    """Return a test without the set operator that does nothing to a key with one value: unless that may be an empty
    text, which is no value to set operators, and the plain test says something else of it. Of a key with many values
    that are never empty the plain test is one of any of them."""
    is_empty_possible = domain.can_be_empty and domain.takes_texts
    if domain.is_multivalued:
        is_of_any = test.set_qualifier is None and not test.if_exists and not is_empty_possible
        return test._replace(set_qualifier="ForAnyValue") if is_of_any else test
    if test.set_qualifier is None:
        return test
    holds_when_empty = test.if_exists or test.set_qualifier == "ForAllValues"
    if is_empty_possible and (test.is_opaque or predicates.matches(test, "") != holds_when_empty):
        return test
    return test._replace(set_qualifier=None, if_exists=holds_when_empty and not is_always_there(test.key))


def _of_any_text(test: Test, domain: KeyDomain) -> Formula:
    """Return what a test comes to that every text meets: at most that the key is there."""
    if predicates.when_absent(test) or (test.set_qualifier is None and is_always_there(test.key)):
        return True
    return test if test.set_qualifier is None and domain.can_be_empty else _presence(_has_value(test.key))


def _has_value(key: str) -> Test:
    return Test("Null", None, False, key, ("false",))


def _read(test: Test, family: str) -> Iterable[str]:
    """Return numbers and instants in one spelling; of a comparison the one that the others follow from: the least for
    greater, the greatest for less."""
    read, spelling = (grammar.instant, texts.instant) if family == "instant" else (grammar.number, texts.number)
    known = {found for value in predicates.plain_values(test) if (found := read(value)) is not None}
    if known and "Than" in test.operator:
        known = {min(known) if "Greater" in test.operator else max(known)}
    return map(spelling, known)


def _networks(test: Test) -> Iterable[str]:
    """Return networks as few as can be: those within others go, and neighbours become one."""
    known = [found for value in test.values if (found := grammar.network(value)) is not None]
    fewest: list[grammar.Network] = []
    fewest += ipaddress.collapse_addresses([n for n in known if isinstance(n, ipaddress.IPv4Network)])
    fewest += ipaddress.collapse_addresses([n for n in known if isinstance(n, ipaddress.IPv6Network)])
    return {str(n.network_address) if n.num_addresses == 1 else str(n) for n in fewest}


def _widest(test: Test) -> Test:
    """Return a test of patterns without those that others cover."""
    if len(test.values) < 2:
        return test
    by_value = {value: predicates.patterns(test._replace(values=(value,))) for value in test.values}
    known = {value: found[0] for value, found in by_value.items() if found}
    kept = globs.uncovered(tuple(known), lambda wide, narrow: not globs.relation((known[narrow],), known[wide]).outside)
    return test._replace(values=tuple(value for value in test.values if value not in known or value in kept))
