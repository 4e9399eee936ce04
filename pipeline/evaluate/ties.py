"""Keys that AWS ties together (iam/request_keys.py), as formulas: from the state of one condition key follows that of
others.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates, texts
from pipeline.evaluate.formula import KNOWN, Formula, Test
from pipeline.iam import grammar
from pipeline.iam.grammar import ARN_FIELDS
from pipeline.iam.request_keys import (
    ASSOCIATED,
    CALLED_FIRST,
    CALLED_LAST,
    CALLED_VIA,
    FOR_THE_CALLER,
    HOME_REGIONS,
    NOW,
    PASSED_TO,
    REGION,
    REQUEST_TAG,
    SAGEMAKER,
    SAGEMAKER_ARNS,
    SAME_FACT,
    TAG_KEYS,
    THROUGH_ENDPOINT,
    TIES,
    TOKEN,
    State,
)

#: Keys that are chosen with another: what is a name of it, and the ends of a list.
CHOSEN_WITH = {**SAME_FACT, CALLED_FIRST: CALLED_VIA, CALLED_LAST: CALLED_VIA}
#: Keys that are never an empty text.
NEVER_EMPTY = THROUGH_ENDPOINT | FOR_THE_CALLER


def is_absent(key: str) -> Test:
    """Return the test that a key is not there."""
    return Test("Null", None, False, key, ("true",))


def is_present(key: str) -> Formula:
    """Return the formula that a key is there."""
    return formulas.negation(is_absent(key))


_TO_SAGEMAKER = Test("StringEquals", None, False, PASSED_TO, (SAGEMAKER,))


def ties(f: Formula, *, to_shorten: bool = False) -> Formula:
    """Return what holds of every request among the keys that a formula speaks of; True where none are tied.

    ``to_shorten``: only what may shorten a condition, none of the ties that requests as people write them break: of
    tags to their keys, and those of the reach "as written".
    """
    keys = frozenset(test.key for test in formulas.tests(f))
    if len(keys) < 2:
        return True
    among = _among(keys, to_shorten)
    return among if to_shorten else formulas.conjunction((among, *_in_order(f), *_in_region(f)))


def _in_order(f: Formula) -> Iterator[Formula]:
    """Yield that credentials are issued no later than the call is made, at each instant that tests on the two name."""
    issued = [test for test in formulas.tests(f) if _is_of(test.key, TOKEN)]
    made = [test for test in formulas.tests(f) if test.key == NOW or SAME_FACT.get(test.key) == NOW]
    if not issued or not made:
        return
    read = [_instant(test, value) for test in (*issued, *made) for value in predicates.plain_values(test)]
    for instant in sorted({value for value in read if value is not None}):
        text = (format(instant, "f"),)
        for operator in ("DateGreaterThanEquals", "DateGreaterThan"):
            is_issued = Test(operator, None, False, issued[0].key, text)
            yield formulas.disjunction((formulas.negation(is_issued), Test(operator, None, False, NOW, text)))


def _instant(test: Test, value: str) -> Decimal | None:
    family = predicates.family(test.operator)
    return grammar.instant(value) if family == "instant" else grammar.number(value) if family == "number" else None


def _in_region(f: Formula) -> Iterator[Formula]:
    """Yield that a role is passed in the region of the resource that it is for, if that has one, or in that in which
    IAM is called, as far as tests on the two tell regions apart."""
    called = [test for test in formulas.tests(f) if test.key == REGION]
    passed = [test for test in formulas.tests(f) if _is_of(test.key, ASSOCIATED)]
    if not called or not passed:
        return
    key = passed[0].key
    named = {text for test in called for text in _patterns(test)}
    named |= {text.split(":")[3] for test in passed for text in _patterns(test) if text.count(":") >= ARN_FIELDS - 1}
    is_same = [_both_or_neither(*_in_a_region(region, key)) for region in sorted(named - {""})]
    yield formulas.disjunction((is_absent(key), _is_for(key, region=""), *_at_home(key), formulas.conjunction(is_same)))


def _in_a_region(region: str, key: str) -> tuple[Test, Test]:
    return Test("StringLike", None, False, REGION, (region,), True), _is_for(key, region=region)


def _at_home(key: str) -> Iterator[Formula]:
    """Yield that IAM is called where it is in the partition of the resource that a role is passed for; of partitions
    of which that is not known, anywhere."""
    for partition, region in HOME_REGIONS.items():
        is_called = Test("StringEquals", None, False, REGION, (region,))
        yield formulas.conjunction((_is_for(key, partition=partition), is_called))
    yield formulas.negation(formulas.disjunction(_is_for(key, partition=partition) for partition in HOME_REGIONS))


def _is_for(key: str, *, partition: str = "*", service: str = "*", region: str = "*") -> Test:
    """Return the test that a role is passed for a resource of a partition, a service and a region."""
    return Test("ArnLike", None, False, key, (f"arn:{partition}:{service}:{region}:*:*",), True)


def _is_of(key: str, name: str) -> bool:
    return key.partition(KNOWN)[0] == name


def _both_or_neither(one: Test, other: Test) -> Formula:
    neither = formulas.negation(formulas.disjunction((one, other)))
    return formulas.disjunction((formulas.conjunction((one, other)), neither))


def _patterns(test: Test) -> Iterator[str]:
    """Yield the values of a test as patterns."""
    has_wildcards = "Like" in test.operator or test.operator.startswith("Arn")
    for value in () if test.is_opaque or test.operator == "Null" else test.values:
        parts = grammar.parts(value, test.has_variables)
        yield texts.pattern(parts) if has_wildcards else texts.escaped("".join(part.text for part in parts))


@lru_cache(maxsize=1 << 14)
def _among(keys: frozenset[str], to_shorten: bool) -> Formula:
    of_tags = _tags_among(keys) if TAG_KEYS in keys and not to_shorten else ()
    of_passing = () if PASSED_TO not in keys or to_shorten else _passing_among(keys)
    return formulas.conjunction((*_tied(keys, to_shorten), *of_tags, *of_passing))


def _tied(keys: frozenset[str], to_shorten: bool) -> Iterator[Formula]:
    """Yield the ties of keys that are there; those of absent keys follow from them. What is chosen together is tied."""
    for tie in TIES:
        counts = tie.reach == "always" or (tie.reach == "as written" and not to_shorten)
        is_asked = counts and tie.state == "present" and tie.key in keys and tie.other in keys
        if is_asked and not {tie.key, tie.other} <= FOR_THE_CALLER:
            yield formulas.disjunction((is_absent(tie.key), _is_in(tie.other, tie.other_state)))


def _passing_among(keys: frozenset[str]) -> Iterator[Formula]:
    """Yield that a role that is passed to SageMaker is for a resource of SageMaker's, and that none of its resources is
    another service's."""
    for key in keys:
        if _is_of(key, ASSOCIATED):
            is_for_sagemaker = _is_for(key, service=SAGEMAKER_ARNS)
            yield formulas.disjunction((is_absent(key), formulas.negation(_TO_SAGEMAKER), is_for_sagemaker))
            yield formulas.disjunction((is_absent(PASSED_TO), formulas.negation(is_for_sagemaker), _TO_SAGEMAKER))


def _is_in(key: str, state: State) -> Formula:
    if state in ("present", "absent"):
        return is_present(key) if state == "present" else is_absent(key)
    return Test("Bool", None, False, key, (state,))


def _tags_among(keys: frozenset[str]) -> Iterator[Formula]:
    """Yield that each tag is in a request whose tag keys hold its key. A tag may be empty, which Null does not see."""
    for key in keys:
        if key.startswith(REQUEST_TAG):
            is_named = Test("StringEqualsIgnoreCase", "ForAnyValue", False, TAG_KEYS, (key.removeprefix(REQUEST_TAG),))
            is_there = formulas.disjunction((is_present(key), Test("StringEquals", None, False, key, ("",))))
            yield formulas.disjunction((formulas.negation(is_named), is_there))
            yield formulas.disjunction((formulas.negation(is_there), is_named))
