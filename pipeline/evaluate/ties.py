"""Keys that AWS ties together (iam/request_keys.py), as formulas: from the state of one condition key follows that of
others.
"""

from collections.abc import Iterator
from functools import lru_cache

from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import Formula, Test
from pipeline.iam.request_keys import (
    ASSOCIATED,
    CALLED_FIRST,
    CALLED_LAST,
    CALLED_VIA,
    FOR_THE_CALLER,
    PASSED_TO,
    REQUEST_TAG,
    SAGEMAKER,
    SAGEMAKER_ARNS,
    SAME_FACT,
    TAG_KEYS,
    THROUGH_ENDPOINT,
    TIES,
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
_FOR_SAGEMAKER = Test("ArnLike", None, False, ASSOCIATED, (f"arn:*:{SAGEMAKER_ARNS}:*:*:*",))
#: A role that is passed to SageMaker is for a resource of SageMaker's, and none of its resources is another service's.
PASSING = (
    formulas.disjunction((is_absent(ASSOCIATED), formulas.negation(_TO_SAGEMAKER), _FOR_SAGEMAKER)),
    formulas.disjunction((is_absent(PASSED_TO), formulas.negation(_FOR_SAGEMAKER), _TO_SAGEMAKER)),
)


def ties(f: Formula, *, to_shorten: bool = False) -> Formula:
    """Return what holds of every request among the keys that a formula speaks of; True where none are tied.

    ``to_shorten``: only what may shorten a condition, none of the ties that requests as people write them break: of
    tags to their keys, and those of the reach "as written".
    """
    keys = frozenset(test.key for test in formulas.tests(f))
    return True if len(keys) < 2 else _among(keys, to_shorten)


@lru_cache(maxsize=1 << 14)
def _among(keys: frozenset[str], to_shorten: bool) -> Formula:
    of_tags = _tags_among(keys) if TAG_KEYS in keys and not to_shorten else ()
    of_passing = PASSING if {PASSED_TO, ASSOCIATED} <= keys and not to_shorten else ()
    return formulas.conjunction((*_tied(keys, to_shorten), *of_tags, *of_passing))


def _tied(keys: frozenset[str], to_shorten: bool) -> Iterator[Formula]:
    """Yield the ties of keys that are there; those of absent keys follow from them. What is chosen together is tied."""
    for tie in TIES:
        counts = tie.reach == "always" or (tie.reach == "as written" and not to_shorten)
        is_asked = counts and tie.state == "present" and tie.key in keys and tie.other in keys
        if is_asked and not {tie.key, tie.other} <= FOR_THE_CALLER:
            yield formulas.disjunction((is_absent(tie.key), _is_in(tie.other, tie.other_state)))


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
