"""Keys that AWS ties together: what must hold among the keys of any one request. Says it as a formula.

Source: AWS global condition context keys (KEYS); forward access sessions (FAS); tags in requests (TAGS).
"""

from collections.abc import Iterable, Set
from functools import lru_cache

from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import Formula, Test

#: Keys that only requests through a VPC endpoint have: all of them or none; then aws:SourceIp is absent.
THROUGH_ENDPOINT = frozenset({"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"})
FROM_OUTSIDE = "aws:sourceip"
#: Keys of calls that a service makes for the caller: all or none, and then aws:ViaAWSService is true.
FOR_THE_CALLER = frozenset({"aws:calledvia", "aws:calledviafirst", "aws:calledvialast"})
VIA_SERVICE = "aws:viaawsservice"
#: Keys that are there only where another one is: both tell of temporary credentials.
ONLY_WITH = {"aws:multifactorauthage": "aws:multifactorauthpresent", "aws:multifactorauthpresent": "aws:tokenissuetime"}
#: A tag of the request has its key among the request's tag keys.
REQUEST_TAG, TAG_KEYS = "aws:requesttag/", "aws:tagkeys"
#: Keys that are one fact under two names: both are read as instants.
SAME_FACT = {"aws:epochtime": "aws:currenttime"}
#: Keys that are never an empty text.
NEVER_EMPTY = THROUGH_ENDPOINT | FOR_THE_CALLER


def is_absent(key: str) -> Test:
    """Return the test that a key is not there."""
    return Test("Null", None, False, key, ("true",))


def is_present(key: str) -> Formula:
    """Return the formula that a key is there."""
    return formulas.negation(is_absent(key))


def ties(f: Formula, *, of_tags: bool = True) -> Formula:
    """Return what holds of every request among the keys that a formula speaks of; True where none are tied.

    ``of_tags``: with the ties of tags to their keys, which AWS always sends together.
    """
    keys = frozenset(test.key for test in formulas.tests(f))
    return True if len(keys) < 2 else _among(keys, of_tags)


@lru_cache(maxsize=1 << 14)
def _among(keys: frozenset[str], of_tags: bool) -> Formula:
    return formulas.conjunction(
        (
            *_all_or_none(THROUGH_ENDPOINT & keys),
            *_all_or_none(FOR_THE_CALLER & keys),
            *_not_both(THROUGH_ENDPOINT & keys, FROM_OUTSIDE, keys),
            *(
                formulas.disjunction((is_absent(key), Test("Bool", None, False, VIA_SERVICE, ("true",))))
                for key in FOR_THE_CALLER & keys
                if VIA_SERVICE in keys
            ),
            *(
                formulas.disjunction((is_absent(key), is_present(other)))
                for key, other in ONLY_WITH.items()
                if key in keys and other in keys
            ),
            *(_is_among_tag_keys(key) for key in keys if of_tags and TAG_KEYS in keys and key.startswith(REQUEST_TAG)),
        )
    )


def _all_or_none(keys: Set[str]) -> Iterable[Formula]:
    if len(keys) > 1:
        yield formulas.disjunction(
            (formulas.conjunction(map(is_absent, keys)), formulas.conjunction(map(is_present, keys)))
        )


def _not_both(some: Set[str], other: str, keys: Set[str]) -> Iterable[Formula]:
    if other in keys:
        yield from (formulas.disjunction((is_absent(key), is_absent(other))) for key in some)


def _is_among_tag_keys(key: str) -> Formula:
    """Return that a tag is in a request whose tag keys hold its key. A tag may be empty, which Null does not see."""
    name = key.removeprefix(REQUEST_TAG)
    is_named = Test("StringEqualsIgnoreCase", "ForAnyValue", False, TAG_KEYS, (name,))
    has_value = formulas.disjunction((is_present(key), Test("StringEquals", None, False, key, ("",))))
    return formulas.disjunction(
        (
            formulas.conjunction((is_named, has_value)),
            formulas.conjunction((formulas.negation(is_named), formulas.negation(has_value))),
        )
    )
