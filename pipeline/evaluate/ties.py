"""Keys that AWS ties together: from the state of one condition key follows that of others.

Source: AWS global condition context keys (KEYS); forward access sessions (FAS); tags in requests (TAGS).
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import Formula, Test

State = Literal["present", "absent", "true", "false"]


class Tie(NamedTuple):
    """Where ``key`` is in ``state``, ``other`` is in ``other_state``; ``why`` says it in words."""

    key: str
    state: State
    other: str
    other_state: State
    why: str
    is_certain: bool = True


#: Keys that only requests through a VPC endpoint have: all of them or none; then aws:SourceIp is absent.
THROUGH_ENDPOINT = frozenset({"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"})
FROM_OUTSIDE = "aws:sourceip"
#: Keys that requests through an endpoint have for some services only.
OF_ENDPOINT = ("aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths")
#: Keys of calls that a service makes with a principal's rights: all or none, and then aws:ViaAWSService is true.
CALLED_VIA, CALLED_FIRST, CALLED_LAST = "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"
FOR_THE_CALLER = frozenset({CALLED_VIA, CALLED_FIRST, CALLED_LAST})
VIA_SERVICE = "aws:viaawsservice"
#: Keys of what a service works for.
OF_SOURCE = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
#: Keys of temporary credentials.
TOKEN, MFA, MFA_AGE = "aws:tokenissuetime", "aws:multifactorauthpresent", "aws:multifactorauthage"
#: A tag of the request has its key among the request's tag keys.
REQUEST_TAG, TAG_KEYS = "aws:requesttag/", "aws:tagkeys"
#: Keys that are one fact under two names: both are read as instants.
SAME_FACT = {"aws:epochtime": "aws:currenttime"}
#: Keys that are chosen with another: what is a name of it, and the ends of a list.
CHOSEN_WITH = {**SAME_FACT, CALLED_FIRST: CALLED_VIA, CALLED_LAST: CALLED_VIA}
#: Keys that are never an empty text.
NEVER_EMPTY = THROUGH_ENDPOINT | FOR_THE_CALLER

_TOGETHER = "a request through a VPC endpoint has aws:SourceVpc, aws:SourceVpce and aws:VpcSourceIp, any other none"
_NO_ADDRESS = "a request through a VPC endpoint has no aws:SourceIp"
_NOT_KEPT = "a call that an AWS service makes for a principal does not keep the keys of a VPC endpoint"
CALLED = "aws:CalledVia, its First and its Last come together, and only where aws:ViaAWSService is true"
_SOURCE = "only a call by an AWS service has aws:SourceArn, aws:SourceAccount, aws:SourceOrgID and aws:SourceOrgPaths"
_SESSION = "only temporary credentials tell of MFA, and they have aws:TokenIssueTime"
_AGE = "aws:MultiFactorAuthAge is only where aws:MultiFactorAuthPresent is"

_PRESENT: State = "present"
_ABSENT: State = "absent"
#: Where a key is in a state, another is; every two tied keys directly, for formulas speak of some of the keys only.
#: Those that are not ``is_certain`` hold for the facts of scenarios only.
TIES: tuple[Tie, ...] = (
    *(Tie(k, s, other, s, _TOGETHER) for s in (_PRESENT, _ABSENT)
      for k in sorted(THROUGH_ENDPOINT) for other in sorted(THROUGH_ENDPOINT) if k != other),
    *(Tie(key, "present", FROM_OUTSIDE, "absent", _NO_ADDRESS) for key in (*sorted(THROUGH_ENDPOINT), *OF_ENDPOINT)),
    *(Tie(FROM_OUTSIDE, "present", key, "absent", _NO_ADDRESS) for key in (*sorted(THROUGH_ENDPOINT), *OF_ENDPOINT)),
    *(Tie(key, "present", VIA_SERVICE, "false", _NOT_KEPT, False) for key in sorted(THROUGH_ENDPOINT)),
    *(Tie(VIA_SERVICE, "true", key, "absent", _NOT_KEPT, False) for key in sorted(THROUGH_ENDPOINT)),
    *(Tie(k, "present", other, "present", _TOGETHER) for k in OF_ENDPOINT for other in sorted(THROUGH_ENDPOINT)),
    *(Tie(other, "absent", k, "absent", _TOGETHER) for k in OF_ENDPOINT for other in sorted(THROUGH_ENDPOINT)),
    *(Tie(k, s, other, s, CALLED) for s in (_PRESENT, _ABSENT)
      for k in sorted(FOR_THE_CALLER) for other in sorted(FOR_THE_CALLER) if k != other),
    *(Tie(key, "present", VIA_SERVICE, "true", CALLED) for key in sorted(FOR_THE_CALLER)),
    *(Tie(VIA_SERVICE, "false", key, "absent", CALLED) for key in sorted(FOR_THE_CALLER)),
    *(Tie(key, "present", VIA_SERVICE, "true", _SOURCE, False) for key in OF_SOURCE),
    *(Tie(VIA_SERVICE, "false", key, "absent", _SOURCE, False) for key in OF_SOURCE),
    Tie(MFA, "present", TOKEN, "present", _SESSION),
    Tie(TOKEN, "absent", MFA, "absent", _SESSION),
    Tie(MFA_AGE, "present", MFA, "present", _AGE),
    Tie(MFA_AGE, "present", TOKEN, "present", _SESSION),
    Tie(MFA, "absent", MFA_AGE, "absent", _AGE),
)  # fmt: skip


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
    return formulas.conjunction((*_tied(keys), *(_tags_among(keys) if of_tags and TAG_KEYS in keys else ())))


def _tied(keys: frozenset[str]) -> Iterator[Formula]:
    """Yield the ties of keys that are there; those of absent keys follow from them. What is chosen together is tied."""
    for tie in TIES:
        is_asked = tie.is_certain and tie.state == "present" and tie.key in keys and tie.other in keys
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
