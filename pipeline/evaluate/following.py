"""Completes what a scenario takes for granted: from some facts follow others, as AWS ties them (request_keys.py)."""

from collections.abc import Mapping

from pipeline.evaluate.scenarios import Fact, said
from pipeline.iam import grammar
from pipeline.iam.request_keys import CALLED, TIES, State, Tie, ends_of, one_spelling
from pipeline.reference import Reference


class TieError(Exception):
    """Facts that no request has together; the message says which and why."""


def completed(facts: Mapping[str, Fact], reference: Reference) -> tuple[Fact, ...]:
    """Return the facts with those that follow, by key. Raises TieError where they contradict each other."""
    found = {one_spelling(key): fact for key, fact in facts.items()}
    queue = list(found)
    while queue:
        key = queue.pop()
        for tie in TIES:
            if tie.key == key and _is_in(found[key], tie.state):
                follows = _followed(found.get(tie.other), tie, found[key], reference)
                if found.get(tie.other) != follows:
                    found[tie.other] = follows
                    queue.append(tie.other)
    _complete_values(found)
    return tuple(found[key] for key in sorted(found))


def _is_in(fact: Fact, state: State) -> bool:
    if state == "absent":
        return not fact.can_be_present
    is_there = fact.can_be_present and not fact.can_be_absent
    return is_there and (state == "present" or fact.values == (state,))


def _followed(held: Fact | None, tie: Tie, cause: Fact, reference: Reference) -> Fact:
    """Return what is known of the other key: what is held of it, made narrower where it leaves that open."""
    follows = _fact(tie.other, tie.other_state, cause.key, reference)
    if held is None or (_is_open(held) and tie.other_state in ("true", "false")):
        return follows
    if _is_in(held, tie.other_state):
        return held
    raise TieError(f"{said(cause)} and {said(held)} exclude each other: {tie.why}; leave one of them out")


def _is_open(fact: Fact) -> bool:
    return _is_in(fact, "present") and not fact.values and not fact.excluded


def _fact(key: str, state: State, follows_from: str, reference: Reference) -> Fact:
    known = reference.key(key)
    fact = Fact(known.name, known.value_type, known.is_multivalued) if known else Fact(key, None, True)
    values = (state,) if state in ("true", "false") else ()
    return fact._replace(values=values, can_be_present=state != "absent", follows_from=follows_from)


def _complete_values(found: dict[str, Fact]) -> None:
    """Fill in values that are another key's: the ends of aws:CalledVia, and the time in seconds."""
    called = found.get("aws:calledvia")
    if called is not None and called.values:
        for key, end in ends_of(called.values).items():
            _give(found, key, end, called)
    for key, other in (("aws:currenttime", "aws:epochtime"), ("aws:epochtime", "aws:currenttime")):
        moment = found.get(key)
        if moment is not None and moment.fixed and other in found:
            _check_same_moment(moment, found[other])
        elif moment is not None and moment.fixed:
            seconds = format(grammar.instant(moment.fixed[0]) or 0, "f")
            name = "aws:EpochTime" if other == "aws:epochtime" else "aws:CurrentTime"
            found[other] = moment._replace(key=name, values=(seconds,), follows_from=moment.key)


def _check_same_moment(moment: Fact, other: Fact) -> None:
    if other.fixed and grammar.instant(other.fixed[0]) != grammar.instant((moment.fixed or ("",))[0]):
        raise TieError(f"{said(moment)} and {said(other)} are two moments; leave one of them out")


def _give(found: dict[str, Fact], key: str, values: tuple[str, ...], cause: Fact) -> None:
    held = found[key]
    if held.values and held.values != values:
        raise TieError(f"{said(cause)} and {said(held)} exclude each other: {CALLED}; leave one of them out")
    found[key] = held._replace(values=values, follows_from=held.follows_from or cause.key)
