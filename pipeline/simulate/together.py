"""Holds a request's context to what AWS sends together (iam/request_keys.py), and adds what a line leaves out.

Decides no request. Source: AWS global condition context keys (KEYS); forward access sessions (FAS); tags (TAGS).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from pipeline.iam import grammar
from pipeline.iam.request_keys import (
    ALWAYS_PRESENT,
    ASSOCIATED,
    HOME_REGIONS,
    MFA_AGE,
    NOW,
    PASS_ROLE,
    PASSED_TO,
    REGION,
    REQUEST_TAG,
    SAGEMAKER,
    SAGEMAKER_ARNS,
    SAME_FACT,
    TAG_ALIAS,
    TAG_KEY,
    TAG_KEYS,
    TAGGED,
    TIES,
    TOKEN,
    State,
    Tie,
)
from pipeline.simulate.facts import Facts
from pipeline.simulate.forms import flaw, oddity

#: Callers of which all of this is known: principals of accounts, and loose documents.
HELD = frozenset({"user", "role", "session", "federated user", "root", "document"})
TEMPORARY = frozenset({"role", "session", "federated user"})
#: What stands for a value that a line leaves out where AWS sends one: ids that no resource has, an address that no
#: network has, the time of the call.
STAND_INS = {
    "aws:sourcevpc": "vpc-EXAMPLE", "aws:sourcevpce": "vpce-EXAMPLE", "aws:vpcsourceip": "240.0.0.1",
}  # fmt: skip
WITHIN_ACCOUNT = (
    "AWS passes a role to services of its own account only and does not say whether these can use it for a resource of "
    "another; here they can"
)


class Asked(NamedTuple):
    """A request as its line gives it. ``context`` has the keys in lower case; ``name`` tells how to write one, and
    ``carries`` whether requests for the action can have it."""

    action: str
    resource: str
    kind: str
    context: Mapping[str, tuple[str, ...]]
    name: Callable[[str], str]
    carries: Callable[[str], bool]


class Found(NamedTuple):
    """What no request of AWS has, what AWS hardly sends, and the keys that follow from those of the line with remarks
    on values that stand for others."""

    contradictions: tuple[str, ...]
    doubts: tuple[str, ...]
    facts: Facts
    stand_ins: tuple[str, ...]


def looked_at(asked: Asked, defaults: Facts) -> Found:
    """Return what there is to say of a request's keys beside each other. ``defaults`` are keys that it has besides."""
    if asked.kind not in HELD:
        return Found((), (), {}, ())
    looks = (_missing, _of_a_service, _negative_age, _two_tags, _other_service, _other_place, _other_partition)
    wrong = [*_two_moments(asked, defaults), *(text for look in looks for text in look(asked))]
    doubts = list(_other_account(asked))
    region = _other_region(asked)
    if region:
        (wrong if asked.action.lower().startswith("sagemaker:") else doubts).append(region)
    facts: Facts = {}
    taken: dict[str, list[str]] = {}
    broken: dict[str, Tie] = {}
    for tie, contradicts in _followed(asked, defaults, facts, taken):
        if contradicts:
            broken.setdefault(tie.why, tie)
    for tie in broken.values():
        text = f"context {asked.name(tie.key)} and {asked.name(tie.other)}: {tie.why}; mend one of them"
        (wrong if tie.reach == "always" else doubts).append(text)
    told = [f"{why}: {', '.join(values)}" for why, values in taken.items()]
    wrong += _wrong_tags(asked, facts, told)
    return Found(tuple(wrong), tuple(doubts), facts, tuple(told))


def _followed(asked: Asked, defaults: Facts, facts: Facts, taken: dict[str, list[str]]) -> Iterator[tuple[Tie, bool]]:
    """Yield the ties that the line's keys are in, with whether they contradict each other; add what follows, and to
    ``taken`` why values were taken for granted and which."""
    queue = list(asked.context)
    while queue:
        key = queue.pop(0)
        values = asked.context.get(key, facts.get(key, ()))
        for tie in TIES:
            if tie.key != key or tie.reach == "scenario" or not _is_in(values, tie.state):
                continue
            held = asked.context.get(tie.other, facts.get(tie.other))
            if held is not None:
                yield tie, not _is_in(held, tie.other_state)
            elif not _is_in(defaults.get(tie.other, ()), tie.other_state):
                if tie.reach != "always":
                    yield tie, True
                    continue
                facts[tie.other] = _value(tie, defaults)
                queue.append(tie.other)
                if tie.other in STAND_INS or tie.other_state == "true":
                    named = f"{asked.name(tie.other)} is taken as {', '.join(facts[tie.other])}"
                    taken.setdefault(tie.why, []).append(named)


def _is_in(values: tuple[str, ...], state: State) -> bool:
    if state in ("present", "absent"):
        return any(values) == (state == "present")
    return tuple(value.strip().lower() for value in values) == (state,)


def _value(tie: Tie, defaults: Facts) -> tuple[str, ...]:
    """Return the values of a key that follows: of the time when credentials were issued, the time of the call."""
    if tie.other_state in ("true", "false"):
        return (tie.other_state,)
    if tie.other_state == "absent":
        return ()
    return defaults.get("aws:currenttime", ()) if tie.other == TOKEN else (STAND_INS[tie.other],)


def _missing(asked: Asked) -> Iterator[str]:
    """Yield which keys a line leaves empty that each request has; a role's has temporary credentials."""
    always = ALWAYS_PRESENT if asked.kind != "document" else ALWAYS_PRESENT - {"aws:principalarn"}
    for key in sorted({*always, *([TOKEN] if asked.kind in TEMPORARY else [])}):
        if asked.context.get(key) == ():
            yield f"context {asked.name(key)} is empty, but every request of the principal has it; give it a value"


def _of_a_service(asked: Asked) -> Iterator[str]:
    """Yield that a line takes its principal for a service that calls by itself (KEYS)."""
    key = "aws:principalisawsservice"
    if asked.context.get(key) and not _is_in(asked.context[key], "false"):
        told = f"context {asked.name(key)} is {', '.join(asked.context[key])}, but the caller is a principal"
        yield f"{told} of an account, for whom it is false; leave it out"


def _two_moments(asked: Asked, defaults: Facts) -> Iterator[str]:
    """Yield that a line names two times of the call, or credentials that were issued after it."""
    moments = [_moment(asked.context, key) for key in (NOW, *SAME_FACT)]
    seconds = {int(moment) for moment in moments if moment is not None}
    if len(seconds) > 1:
        yield "context aws:CurrentTime and aws:EpochTime are two moments; leave one of them out"
    issued, now = _moment(asked.context, TOKEN), _moment(defaults, NOW)
    if issued is not None and now is not None and issued > now:
        told = f"context {asked.name(TOKEN)} is {asked.context[TOKEN][0]}, which is after the time of the call"
        yield f"{told}, aws:CurrentTime; mend one of them"


def _moment(context: Mapping[str, tuple[str, ...]], key: str) -> Decimal | None:
    values = context.get(key, ())
    return grammar.instant(values[0]) if values else None


def _negative_age(asked: Asked) -> Iterator[str]:
    """Yield that seconds since a sign-in are negative."""
    ages = [grammar.number(value) for value in asked.context.get(MFA_AGE, ())]
    if any(age is not None and age < 0 for age in ages):
        yield f"context {asked.name(MFA_AGE)} is {asked.context[MFA_AGE][0]}, but seconds since then are not negative"


def _two_tags(asked: Asked) -> Iterator[str]:
    """Yield which tags of a resource have two values under the two spellings of their key (TAGS)."""
    for key, values in asked.context.items():
        other = TAG_ALIAS + key.removeprefix(TAG_KEY)
        if key.startswith(TAG_KEY) and asked.context.get(other, values) != values and asked.carries(other):
            told = f"context {asked.name(key)} and {asked.name(other)} are two values of one tag"
            yield f"{told}; leave one of them out"


def _other_region(asked: Asked) -> str | None:
    """Return that the region called is not that of the resource. Only services that reach into other regions, which
    SageMaker does not, can be called so."""
    region = grammar.region_in(asked.resource)
    given = asked.context.get(REGION, ())
    if not region or "*" in region or not given or given == (region,):
        return None
    told = f"context {asked.name(REGION)} is {', '.join(given)}, but {asked.resource} is in {region}"
    return f"{told}, which is the region called; leave it out"


def _other_service(asked: Asked) -> Iterator[str]:
    """Yield that a role is passed to one service and associated with a resource of another (KEYS, iam:PassRole)."""
    services, arns = asked.context.get(PASSED_TO, ()), asked.context.get(ASSOCIATED, ())
    if asked.action.lower() != PASS_ROLE or len(services) != 1 or len(arns) != 1:
        return
    of = f"{arns[0]}::".split(":")[2]
    if of and (services[0] == SAGEMAKER) != (of == SAGEMAKER_ARNS):
        told = f"context {asked.name(ASSOCIATED)} is {arns[0]}, which is none of {services[0]}"
        yield f"{told}, the service of {asked.name(PASSED_TO)}; mend one of them"


def _other_place(asked: Asked) -> Iterator[str]:
    """Yield that a role is passed in another region than that of the resource that it is for. IAM itself counts as in
    one region of the partition (KEYS)."""
    region, given, home = _associated(asked, 3), asked.context.get(REGION, ()), HOME_REGIONS.get(_associated(asked, 1))
    if region and home and given and given[0] not in (region, home):
        told = f"context {asked.name(REGION)} is {given[0]}, but {asked.name(ASSOCIATED)} is in {region}"
        yield f"{told}; mend one of them"


def _other_partition(asked: Asked) -> Iterator[str]:
    """Yield that a role is passed for what is no resource of its partition: nothing crosses partitions (XRES)."""
    partition, own = _associated(asked, 1), grammar.partition_in(asked.resource)
    if partition and own and partition != own:
        told = f"context {asked.name(ASSOCIATED)} is of the partition {partition}, but the role is of {own}"
        yield f"{told}, and nothing crosses partitions; mend one of them"
    is_whole = partition == own and bool(_associated(asked, grammar.ARN_FIELDS - 1))
    wrong = flaw(asked.context[ASSOCIATED][0], None) if is_whole else None
    if wrong:
        yield f"context {asked.name(ASSOCIATED)} {wrong}; write the ARN of one resource"


def _other_account(asked: Asked) -> Iterator[str]:
    """Yield that a role is passed for a resource of another account. A service of that account cannot be passed it
    (PASS), but AWS's pages leave open whether one of the role's account can use it for a resource of another."""
    account, own = _associated(asked, 4), grammar.account_in(asked.resource)
    if re.fullmatch("[0-9]{12}", account) and own and account != own:
        told = f"context {asked.name(ASSOCIATED)} is of the account {account}, but the role is of {own}"
        yield f"{told}: {WITHIN_ACCOUNT}"
    strange = oddity(asked.context[ASSOCIATED][0], None) if _associated(asked, grammar.ARN_FIELDS - 1) else None
    if strange:
        yield f"context {asked.name(ASSOCIATED)} {strange}"


def _associated(asked: Asked, field: int) -> str:
    """Return a field of the ARN that a role is passed for; an empty text where there is none."""
    arns = asked.context.get(ASSOCIATED, ())
    if asked.action.lower() != PASS_ROLE or len(arns) != 1:
        return ""
    return f"{arns[0]}:::::".split(":")[field]


def _wrong_tags(asked: Asked, facts: Facts, told: list[str]) -> Iterator[str]:
    """Yield which tags of the request and which of its tag keys do not go together; add those that a line leaves out.

    An empty value stands for that of a tag of which only the key is given (TAGS).
    """
    tags = {key.removeprefix(REQUEST_TAG): values for key, values in asked.context.items() if _is_tag(key)}
    there = [name for name, values in tags.items() if values]
    named = asked.context.get(TAG_KEYS)
    if named is None:
        if there and asked.carries(TAG_KEYS):
            facts[TAG_KEYS] = tuple(asked.name(REQUEST_TAG + name)[len(REQUEST_TAG) :] for name in there)
        return
    lowered = {name.lower() for name in named}
    for name in there:
        if name not in lowered:
            key = asked.name(REQUEST_TAG + name)
            yield f"context {key} is not among {asked.name(TAG_KEYS)} ({', '.join(named) or 'empty'}): {TAGGED}"
    for name in sorted(lowered):
        if tags.get(name) == ():
            key = asked.name(REQUEST_TAG + name)
            yield f"context {asked.name(TAG_KEYS)} holds {name}, but {key} is empty: {TAGGED}"
        elif name and name not in tags and asked.carries(REQUEST_TAG + name):
            facts[REQUEST_TAG + name] = ("",)
            told.append(f"aws:TagKeys holds {name}, whose value is not given: it is taken as empty")


def _is_tag(key: str) -> bool:
    return key.startswith(REQUEST_TAG) and key != REQUEST_TAG
