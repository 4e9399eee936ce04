"""Brings formulas into the form in which they are said: claims on keys, joined by and and or. Words are words.py's.

A claim is a test or its negation, with what it says of the key's values apart from what it says of an absent key.
Claims on one key that say one thing together become one, so what a reader sees side by side is what belongs together.
Nothing here changes what a formula means.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import RESOURCE, SESSION_IS, Formula, Test, bare
from pipeline.evaluate.statements import RESOURCE_LIKE
from pipeline.evaluate.vocabulary import OPPOSITES, SESSION, Kind, Speech, speech_of
from pipeline.iam import grammar
from pipeline.iam.grammar import Part
from pipeline.iam.request_keys import ALWAYS_PRESENT

#: ``one``: the key's value, or any of its values. The others are of set qualifiers, to which an empty text is no value.
Quantity = Literal["one", "some", "every"]
Joint = Literal["and", "or"]
#: Keys whose absence need not be spoken of: every request has them.
ALWAYS_THERE = ALWAYS_PRESENT | {RESOURCE, SESSION}


class Value(NamedTuple):
    """What a key's value is compared with. ``comparison`` is Equals, IgnoreCase, Like, Arn or Resource (which match by
    wildcards) for a text, what an operator's name ends in for a number or an instant, empty for the rest."""

    kind: Kind
    comparison: str
    parts: tuple[Part, ...]


class Claim(NamedTuple):
    """What is said of one key. ``values`` are empty where the claim is on presence alone: ``is_negated``, that there is
    none.

    ``is_negated``: the value is none of the values; of ``some``, that one value is none of them. ``holds_when_absent``
    is what it comes to without the key; in a claim on presence it is ``is_negated``.
    """

    key: str
    quantity: Quantity
    is_negated: bool
    holds_when_absent: bool
    values: tuple[Value, ...] = ()

    @property
    def is_presence(self) -> bool:
        """Whether it says only that the key is there or not. Of the quantity ``some``, that it has a value or none."""
        return not self.values


class Group(NamedTuple):
    """Claims and groups of the other kind, joined."""

    kind: Joint
    members: tuple["Claim | Group", ...]


Said: TypeAlias = bool | Claim | Group


def said(f: Formula) -> Said:
    """Return a formula in the form in which it is said."""
    if isinstance(f, bool):
        return f
    if isinstance(f, Test):
        return _claim(f, is_negated=False)
    if f.kind == "not":
        inner = f.parts[0]
        return _claim(inner, is_negated=True) if isinstance(inner, Test) else said(formulas.negation(inner))
    return _grouped(f.kind, map(said, f.parts))


def _grouped(kind: Joint, parts: Iterable[Said]) -> Said:
    """Return parts joined: flattened, each once, what belongs together as one, what all have in common once."""
    members: dict[Claim | Group, None] = {}
    for part in parts:
        if isinstance(part, bool):
            if part is (kind == "or"):
                return part
            continue
        members.update(dict.fromkeys(_members(part, kind)))
    claims = list(_merged([member for member in members if isinstance(member, Claim)], kind))
    if any(_opposite_claim(claim) in claims for claim in claims):
        return kind == "or"
    joined: list[Claim | Group] = [*claims, *(member for member in members if isinstance(member, Group))]
    if len(joined) < 2:
        return joined[0] if joined else kind == "and"
    return _factored(Group(kind, tuple(sorted(joined, key=repr))))


def _members(node: Claim | Group, kind: Joint) -> Sequence[Claim | Group]:
    return node.members if isinstance(node, Group) and node.kind == kind else (node,)


def _factored(group: Group) -> Said:
    """Return a group with what all its members have in common said once: (a and b) or (a and c) is a and (b or c)."""
    inner: Joint = "or" if group.kind == "and" else "and"
    inside = [_members(member, inner) for member in group.members]
    common = [node for node in inside[0] if all(node in others for others in inside[1:])]
    if not common:
        return group
    rests = [_grouped(inner, [node for node in nodes if node not in common]) for nodes in inside]
    return _grouped(inner, [*common, _grouped(group.kind, rests)])


def _claim(test: Test, *, is_negated: bool) -> bool | Claim:
    """Return what a test or its negation says."""
    if test.operator == "Null":
        return _null(test, is_negated)
    key = RESOURCE if test.operator == RESOURCE_LIKE else SESSION if test.operator == SESSION_IS else bare(test.key)
    says_no = (test.operator in predicates.NEGATED) != is_negated
    quantity: Quantity = "one"
    if test.set_qualifier:
        quantity = "every" if (test.set_qualifier == "ForAllValues") != is_negated else "some"
    claim = Claim(key, quantity, says_no, predicates.when_absent(test) != is_negated, _values(test))
    return _settled(_plain(claim, speech_of(key)))


def _null(test: Test, is_negated: bool) -> bool | Claim:
    when_absent, when_present = (
        predicates.null_holds(test, is_present=is_present) != is_negated for is_present in (False, True)
    )
    return when_absent if when_absent is when_present else _presence(bare(test.key), "some", is_absent=when_absent)


def _presence(key: str, quantity: Quantity, *, is_absent: bool) -> Claim:
    speech = speech_of(key)
    if speech and not speech.is_empty_possible and key not in ALWAYS_THERE:
        quantity = "one"
    return Claim(key, quantity, is_absent, is_absent)


def _settled(claim: Claim) -> bool | Claim:
    """Return what a claim comes to without values, which nothing equals, or with one that every text is like: at most
    that the key is there, or that it is not."""
    matches_all = any(value.comparison == "Like" and _matches_empty(value) for value in claim.values)
    if claim.values and not matches_all:
        return claim
    holds_when_present = claim.is_negated != matches_all
    is_certain = claim.key in ALWAYS_THERE and claim.quantity == "one"
    if claim.holds_when_absent is holds_when_present or is_certain:
        return holds_when_present
    return _presence(claim.key, "one" if claim.quantity == "one" else "some", is_absent=claim.holds_when_absent)


def _plain(claim: Claim, speech: Speech | None) -> Claim:
    """Return a claim without what makes no difference for its key: how many values are meant where there is one, the
    answer without a key that is always there, the negation of what has an opposite."""
    if speech is None and claim.key not in ALWAYS_THERE:
        return claim
    can_be_empty = speech is None or speech.is_empty_possible
    is_natural = claim.holds_when_absent == claim.is_negated
    is_alike = not can_be_empty or (is_natural and not any(map(_matches_empty, claim.values)))
    if speech and is_alike and speech.is_list and claim.quantity == "one":
        claim = claim._replace(quantity="every" if claim.is_negated else "some")
    elif speech and is_alike and not speech.is_list:
        claim = claim._replace(quantity="one")
    if claim.key in ALWAYS_THERE and claim.quantity == "one":
        claim = claim._replace(holds_when_absent=claim.is_negated)
    return _without_negation(claim, speech) if speech else claim


def _opposite_claim(claim: Claim) -> bool | Claim:
    """Return what a claim's negation says."""
    if claim.is_presence:
        return claim._replace(is_negated=not claim.is_negated, holds_when_absent=not claim.holds_when_absent)
    quantity: dict[Quantity, Quantity] = {"one": "one", "some": "every", "every": "some"}
    opposite = Claim(
        claim.key, quantity[claim.quantity], not claim.is_negated, not claim.holds_when_absent, claim.values
    )
    return _settled(_plain(opposite, speech_of(claim.key)))


def _matches_empty(value: Value) -> bool:
    """Whether an empty text matches a value."""
    return value.kind == "text" and value.comparison != "Arn" and all(part.kind == "star" for part in value.parts)


def _without_negation(claim: Claim, speech: Speech) -> Claim:
    """Return a claim on a truth, a number or an instant as a positive one where AWS gives nothing else as a value."""
    if not claim.is_negated or claim.quantity != "one" or {value.kind for value in claim.values} != {speech.kind}:
        return claim
    opposite = _opposite(claim.values)
    if opposite is None:
        return claim
    absent = claim.holds_when_absent and claim.key not in ALWAYS_THERE
    return claim._replace(values=opposite, is_negated=False, holds_when_absent=absent)


def _opposite(values: tuple[Value, ...]) -> tuple[Value, ...] | None:
    """Return the values of which one matches where none of these does; None if there are no such."""
    if values[0].kind == "truth":
        truths = (truth_value(is_true=False), truth_value(is_true=True))
        return tuple(truth for truth in truths if truth not in values)
    value, *others = values
    if others or value.comparison not in OPPOSITES or not _is_readable(value):
        return None
    return (value._replace(comparison=OPPOSITES[value.comparison]),)


def _is_readable(value: Value) -> bool:
    text = "".join(part.text for part in value.parts)
    return (grammar.number(text) if value.kind == "number" else grammar.instant(text)) is not None


_KINDS: dict[str, Kind] = {
    "text": "text", "number": "number", "instant": "instant", "boolean": "truth", "octets": "octets",
    "address": "address",
}  # fmt: skip


def _values(test: Test) -> tuple[Value, ...]:
    kind: Kind = "text" if test.operator == SESSION_IS else _KINDS[predicates.family(test.operator)]
    read = _texts if kind == "text" else _truths if kind == "truth" else _others
    return tuple(sorted(set(read(test, kind))))


def _texts(test: Test, kind: Kind) -> Iterable[Value]:
    for text in test.values:
        parts = grammar.parts(bare(text), test.has_variables)
        if test.operator.startswith("Arn"):
            comparison = "Arn"
        elif test.operator == RESOURCE_LIKE:
            comparison = "Resource"
        else:
            comparison = next((name for name in ("Like", "IgnoreCase") if name in test.operator), "Equals")
        if comparison in ("Equals", "IgnoreCase"):
            parts = tuple(part if part.kind == "variable" else Part("literal", part.text) for part in parts)
        yield _text(kind, comparison, _joined(parts))


def _text(kind: Kind, comparison: str, parts: tuple[Part, ...]) -> Value:
    """Return a text under the plainest of the comparisons that are one for it."""
    has_wildcards = any(part.kind in ("star", "mark") for part in parts)
    if comparison == "Arn" and predicates.is_arn(parts) and not predicates.has_early_wildcards(parts):
        comparison = "Like"
    if comparison in ("Like", "Resource") and not has_wildcards:
        comparison = "Equals"
    if comparison == "IgnoreCase" and not any(map(_has_case, parts)):
        comparison = "Equals"
    return Value(kind, comparison, parts)


def _has_case(part: Part) -> bool:
    return part.kind == "variable" or part.text.lower() != part.text.upper()


def _joined(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return parts with the literal ones that follow each other as one."""
    found: list[Part] = []
    for is_literal, run in groupby(parts, key=lambda part: part.kind == "literal"):
        pieces = list(run)
        found += [Part("literal", "".join(part.text for part in pieces))] if is_literal else pieces
    return tuple(found)


def _truths(test: Test, kind: Kind) -> Iterable[Value]:
    for text in predicates.plain_values(test):
        truth = grammar.boolean(text)
        if truth is not None:
            yield truth_value(is_true=truth)


def truth_value(*, is_true: bool) -> Value:
    """Return what a key is compared with that is to be true or false."""
    return Value("truth", "", (Part("literal", "true" if is_true else "false"),))


def _others(test: Test, kind: Kind) -> Iterable[Value]:
    comparison = test.operator.removeprefix("Numeric").removeprefix("Date") if kind in ("number", "instant") else ""
    comparison = "Equals" if comparison == "NotEquals" else comparison
    for text in predicates.plain_values(test):
        yield Value(kind, comparison, (Part("literal", text),))


def _merged(claims: Sequence[Claim], kind: Joint) -> Iterable[Claim]:
    """Return claims with those on one key together as far as they say one thing."""
    by_key: dict[str, list[Claim]] = {}
    for claim in claims:
        by_key.setdefault(claim.key, []).append(claim)
    for on_key in by_key.values():
        yield from _with_presence(_united(on_key, kind), kind)


def _united(claims: Sequence[Claim], kind: Joint) -> list[Claim]:
    """Return the claims of one key with the values of several in one: any of all values, or none of them."""
    found: dict[object, Claim] = {}
    for claim in claims:
        place: object = claim
        if claim.values and claim.is_negated == (kind == "and") and claim.quantity in ("one", _UNITING[kind]):
            place = (claim.quantity, claim.values[0].kind)
        held = found.get(place)
        found[place] = claim if held is None else _union(held, claim, kind)
    return list(found.values())


_UNITING = {"and": "every", "or": "some"}


def _union(one: Claim, other: Claim, kind: Joint) -> Claim:
    values = tuple(sorted({*one.values, *other.values}))
    both = (one.holds_when_absent, other.holds_when_absent)
    return one._replace(values=values, holds_when_absent=all(both) if kind == "and" else any(both))


def _with_presence(claims: list[Claim], kind: Joint) -> Iterable[Claim]:
    """Return the claims of one key with what they say of its absence said once.

    Given, and each in a list, is "given and each is in the list"; some in a list, or none given, is "at least one is in
    the list (or none is given)". Where one of several that must hold needs the key, the others need not speak of it.
    """
    is_absent = kind == "or"
    deciding = {_level(claim) for claim in claims if _is_deciding(claim, is_absent)}
    spoken_of = {_level(claim) for claim in claims if claim.values}
    for claim in claims:
        if claim.values:
            yield claim._replace(holds_when_absent=is_absent) if _level(claim) in deciding else claim
        elif not (_is_deciding(claim, is_absent) and _level(claim) in spoken_of):
            yield claim


def _is_deciding(claim: Claim, is_absent: bool) -> bool:
    """Whether a claim decides what all come to without the key: where one of them is enough, one on presence alone."""
    is_said = claim.is_presence or not is_absent
    return is_said and claim.holds_when_absent is is_absent and claim.key not in ALWAYS_THERE


def _level(claim: Claim) -> bool:
    """Whether what a claim takes for absent is the absent key alone; if not, an empty text is as good as none."""
    speech = speech_of(claim.key)
    return claim.quantity == "one" or (speech is not None and not speech.is_empty_possible)
