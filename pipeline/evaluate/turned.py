"""Turns round what compares a known text with policy variables: what must they stand for, for the text to match?"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.texts import escaped
from pipeline.evaluate.ties import is_absent
from pipeline.evaluate.values import KeyDomain
from pipeline.iam import grammar
from pipeline.iam.grammar import Part

#: Ways to fill a value in beyond which it is not turned round, and steps after which the search for them is given up.
MOST_FILLINGS = 64
MOST_STEPS = 20_000

#: What variables stand for: keys with texts, None where a key has no value and the variable stands for its default.
Filling = tuple[tuple[str, str | None], ...]
Read = Callable[[str], str]


class Keys(NamedTuple):
    """The keys of variables: ``named`` is that of one, ``domain`` what values it can have, ``reads`` what a test on it
    comes to."""

    named: Callable[[Part], str]
    domain: Callable[[str], KeyDomain]
    reads: Callable[[Test], Formula]


def turned_round(test: Test, known: Sequence[str], keys: Keys) -> Formula | None:
    """Return a test on a key with known values, at least one, as tests on the keys of the variables in its own values.

    None where that would be too much, and where no test says of a key that may have many values that it has one: that
    which a default or any case of letters asks for.
    """
    present = [text for text in known if text or not predicates.ignores_empty(test)]
    if not present:
        return predicates.when_absent(test)
    found = [_hit(test, text, keys) for text in present]
    hits = [hit for hit in found if hit is not None]
    if len(hits) < len(found):
        return None
    is_negated = test.operator in predicates.NEGATED
    wants_all = test.set_qualifier == ("ForAnyValue" if is_negated else "ForAllValues")
    matched = formulas.conjunction(hits) if wants_all else formulas.disjunction(hits)
    return formulas.negation(matched) if is_negated else matched


def _hit(test: Test, text: str, keys: Keys) -> Formula | None:
    """Return when a text matches one of a test's values; a negated operator is not yet negated."""
    found: list[Filling] = []
    is_known = True
    for value in test.values:
        parts = [
            part._replace(text=keys.named(part)) if part.kind == "variable" else part
            for part in grammar.parts(value, True)
        ]
        ways = fillings(test, parts, text)
        if ways is None:
            is_known = False
        elif () in ways:
            return True
        else:
            found += [way for way in ways if all(_can_be(text, keys.domain(key)) for key, text in way)]
    return _filled_as(test, found, keys) if is_known else None


def _can_be(text: str | None, domain: KeyDomain) -> bool:
    """Whether a text can be the value of a key. Where a service's key of ARNs may have a name or an id, any can."""
    kind = domain.value_type or ""
    return text is None or (kind == "ARN" and domain.start != "arn:") or grammar.is_value(text, kind)


def _filled_as(test: Test, found: Iterable[Filling], keys: Keys) -> Formula | None:
    """Return that variables stand for one of some fillings."""
    ignores_case = test.operator.endswith("IgnoreCase")
    is_equal = "StringEqualsIgnoreCase" if ignores_case else "StringEquals"
    alone: dict[str, set[str]] = {}
    alternatives: list[Formula] = []
    for filling in found:
        if any((text is None or ignores_case) and keys.domain(key).is_multivalued for key, text in filling):
            return None
        (key, text), *others = filling
        if text is not None and not others and not keys.domain(key).is_multivalued:
            alone.setdefault(key, set()).add(text)
        else:
            alternatives.append(formulas.conjunction(_stands_for(is_equal, *one, keys) for one in filling))
    for key, texts in alone.items():
        alternatives.append(keys.reads(_equals(is_equal, key, texts)))
    return formulas.disjunction(alternatives)


def _stands_for(operator: str, key: str, text: str | None, keys: Keys) -> Formula:
    """Return that a variable stands for a text, or for its default: only a key with one value is a variable (VARS)."""
    if text is None:
        return keys.reads(is_absent(key))
    equals = _equals(operator, key, (text,))
    if not keys.domain(key).is_multivalued:
        return keys.reads(equals)
    has_value = formulas.negation(keys.reads(is_absent(key)))
    return formulas.conjunction((has_value, keys.reads(equals._replace(set_qualifier="ForAllValues"))))


def _equals(operator: str, key: str, texts: Iterable[str]) -> Test:
    return Test(operator, None, False, key, tuple(sorted(map(escaped, texts))), has_variables=True)


def fillings(test: Test, parts: Sequence[Part], text: str) -> list[Filling] | None:
    """Return all that the variables of one value of a test can stand for so that it matches a text; of a value without
    variables the empty filling if it matches. None where they are too many.

    ``parts`` are the value's, the text of a variable being its key.
    """
    read: Read = grammar.without_case if test.operator.endswith("IgnoreCase") else str
    has_wildcards = "Like" in test.operator or test.operator.startswith("Arn")
    kinds = ("variable", "star", "mark") if has_wildcards else ("variable",)
    steps = [part if part.kind in kinds else Part("literal", read(part.text)) for part in parts]
    found = _read_through(steps, read(text), read)
    if found is None:
        return None
    kept = [filling for filling in found if predicates.matches(_filled(test, parts, dict(filling)), text)]
    return kept if len(kept) <= MOST_FILLINGS else None


def _filled(test: Test, parts: Iterable[Part], known: dict[str, str | None]) -> Test:
    """Return a test with one value, filled in."""
    written = []
    for part in parts:
        if part.kind == "variable":
            text = known[part.text]
            written.append(escaped(part.default or "" if text is None else text))
        else:
            written.append(escaped(part.text) if part.kind == "literal" else part.text)
    return test._replace(values=("".join(written),), is_opaque=False)


def _read_through(steps: Sequence[Part], text: str, read: Read) -> list[Filling] | None:
    """Return the fillings with which a text is read to its end. Wildcards run past the colons of an ARN here."""
    reached: dict[tuple[int, Filling], None] = {(0, ()): None}
    taken = 0
    for number, step in enumerate(steps, 1):
        following: dict[tuple[int, Filling], None] = {}
        ends = _ends(steps[number:], text)
        for start, held in reached:
            for one in _read_one(step, text, (start, held), ends, read):
                taken += 1
                following[one] = None
            if taken > MOST_STEPS:
                return None
        reached = following
    return list(dict.fromkeys(held for end, held in reached if end == len(text)))


def _ends(rest: Sequence[Part], text: str) -> Sequence[int]:
    """Return where what stands before the rest may end: plain text alone leaves one place."""
    if any(step.kind != "literal" for step in rest):
        return range(len(text) + 1)
    last = "".join(step.text for step in rest)
    return (len(text) - len(last),) if text.endswith(last) else ()


def _read_one(
    step: Part, text: str, so_far: tuple[int, Filling], ends: Sequence[int], read: Read
) -> Iterator[tuple[int, Filling]]:
    """Yield where a step may end, and what variables stand for then. A variable stands for a text that is not empty, or
    for its default."""
    start, held = so_far
    if step.kind == "literal":
        if text.startswith(step.text, start):
            yield start + len(step.text), held
    elif step.kind in ("star", "mark"):
        is_one = step.kind == "mark"
        yield from ((end, held) for end in ends if end >= start and (not is_one or end == start + 1))
    else:
        known = dict(held)
        for end in ends:
            one = text[start:end]
            if one and known.get(step.text, one) == one:
                yield end, _with(known, step.text, one)
        default = None if step.default is None else read(step.default)
        if default is not None and known.get(step.text) is None and text.startswith(default, start):
            yield start + len(default), _with(known, step.text, None)


def _with(known: dict[str, str | None], key: str, text: str | None) -> Filling:
    return tuple(sorted({**known, key: text}.items(), key=lambda one: one[0]))
