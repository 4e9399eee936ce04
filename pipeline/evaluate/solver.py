"""Decides formulas: whether some request makes one true, and whether every request does.

Tests on one key act only on each other, so each key has a small number of ways (values.py) and a formula can be
true if and only if some choice of a way for each key makes it true. Where the search would be too long, or a key's
ways are more than there are, the answer errs towards "can be true".
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.normal import normal
from pipeline.evaluate.predicates import NEGATED, plain_values
from pipeline.evaluate.texts import escaped, literal
from pipeline.evaluate.ties import CHOSEN_WITH, ties
from pipeline.evaluate.values import KeyDomain, TooManyWaysError, Way, ways
from pipeline.evaluate.vocabulary import OPPOSITES
from pipeline.iam import grammar
from pipeline.iam.request_keys import CALLED_VIA, ends_of

#: Choices tried before a search gives up.
MOST_STEPS = 20_000

Domains = Callable[[str], KeyDomain]


class Answer(NamedTuple):
    """``is_possible`` and, where it is, a context: key to values, an absent key to (). ``is_proven``: it is exact."""

    is_possible: bool
    context: dict[str, tuple[str, ...]]
    is_proven: bool


class _TooLongError(Exception):
    """The search was given up."""


def satisfy(f: Formula, domains: Domains, *, to_shorten: bool = False) -> Answer:
    """Return whether some context makes the formula true, with one that does. Keys are tied as AWS ties them (ties.py).

    ``to_shorten``: only with the ties that may shorten a condition.
    """
    f = formulas.conjunction((f, ties(f, to_shorten=to_shorten)))
    if isinstance(f, bool):
        return Answer(f, {}, True)
    groups = _by_key(f)
    budget = [MOST_STEPS]
    try:
        choices = [ways(tests, domains(key)) for key, tests in groups]
        found = next(_search(f, groups, choices, (), {}, budget), None)
    except (_TooLongError, TooManyWaysError):
        return Answer(True, {}, False)
    if found is None:
        return Answer(False, {}, True)
    context = {key: way.values for (key, _), way in zip(groups, found, strict=True)}
    return Answer(True, _with_ends(context), all(way.is_exact for way in found))


def _with_ends(context: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return a context with the first and the last of the services that a call came through."""
    chain = context.get(CALLED_VIA)
    return context if chain is None else {**context, **ends_of(chain)}


def _by_key(f: Formula) -> list[tuple[str, tuple[Test, ...]]]:
    groups: dict[str, list[Test]] = {}
    for test in formulas.tests(f):
        groups.setdefault(CHOSEN_WITH.get(test.key, test.key), []).append(test)
    return [
        (key, tuple(sorted(groups[key], key=formulas.order)))
        for key in sorted(groups, key=lambda key: (len(groups[key]), key))
    ]


def _search(
    f: Formula,
    groups: Sequence[tuple[str, tuple[Test, ...]]],
    choices: Sequence[tuple[Way, ...]],
    chosen: tuple[Way, ...],
    known: dict[Test, bool],
    budget: list[int],
) -> Iterator[tuple[Way, ...]]:
    decided = formulas.value(f, known)
    if decided is False:
        return
    depth = len(chosen)
    if depth == len(groups):
        yield chosen
        return
    tests = groups[depth][1]
    for way in choices[depth]:
        budget[0] -= 1
        if budget[0] < 0:
            raise _TooLongError
        truths = dict(zip(tests, way.truths, strict=True))
        yield from _search(f, groups, choices, (*chosen, way), {**known, **truths}, budget)


def _merged(parts: Sequence[Formula], kind: str, domains: Domains) -> list[Formula]:
    """Return the parts of a junction, those that name values of one key under one operator as one that names them all;
    texts and patterns are then patterns.

    A disjunction of such tests, or a conjunction of their negations, is one test.
    """
    found: dict[object, Formula] = {}
    for part in parts:
        is_negated = formulas.is_junction(part, "not")
        test = formulas.parts_of(part)[0] if is_negated else part
        if not isinstance(test, Test) or not _can_list(test) or is_negated != (kind == "and"):
            found[part] = part
            continue
        place = (
            test._replace(operator=LISTED.get(test.operator, test.operator), values=(), has_variables=False),
            is_negated,
        )
        held = found.get(place)
        if held is None:
            found[place] = part
            continue
        merged = normal(_union(test, formulas.tests(held)[0]), domains(test.key))
        found[place] = formulas.negation(merged) if is_negated else merged
    return list(found.values())


def _is_waived_without_key(test: Test) -> bool:
    """Whether a test holds without its key by its suffix or set operator, not by its operator alone."""
    return (test.if_exists and test.set_qualifier != "ForAnyValue") or test.set_qualifier == "ForAllValues"


def _on_key(parts: Sequence[Formula], key: str) -> list[Formula]:
    """Return the parts that are about a key alone."""
    return [part for part in parts if {test.key for test in formulas.tests(part)} == {key}]


#: Operators whose values can stand in one test, as patterns.
LISTED = {"StringEquals": "StringLike"}


def _union(one: Test, other: Test) -> Test:
    """Return a test on the values of both."""
    tests = (one, other) if one.operator == other.operator else (_of_patterns(one), _of_patterns(other))
    values = tuple(sorted({value for test in tests for value in _values_with_variables(test)}))
    return tests[0]._replace(values=values, has_variables=any("${" in value for value in values))


def _values_with_variables(test: Test) -> Iterable[str]:
    """Return a test's values in the language that has variables: what would open one is escaped."""
    return test.values if test.has_variables else map(literal, test.values)


def _of_patterns(test: Test) -> Test:
    if test.operator != "StringEquals":
        return test
    return test._replace(operator="StringLike", values=tuple(map(escaped, plain_values(test))), has_variables=True)


#: The truth that is left.
OTHER_TRUTH = {("true",): ("false",), ("false",): ("true",)}


def _positive(f: Formula, domain: KeyDomain) -> Formula:
    """Return the negation of a test as a test, where every request has the key with one value of the test's type."""
    test = formulas.parts_of(f)[0]
    if not isinstance(test, Test) or domain.can_be_absent or domain.is_multivalued or test.set_qualifier:
        return f
    if test.operator == "Bool" and domain.value_type == "Bool" and test.values in OTHER_TRUTH:
        return test._replace(values=OTHER_TRUTH[test.values])
    for kind, read in (("Numeric", grammar.number), ("Date", grammar.instant)):
        opposite = OPPOSITES.get(test.operator.removeprefix(kind))
        is_read = domain.value_type == kind and len(test.values) == 1 and read(test.values[0]) is not None
        if opposite and test.operator.startswith(kind) and is_read:
            return test._replace(operator=kind + opposite)
    return f


def _can_list(test: Test) -> bool:
    """Whether a test on several values is that some one of them is met."""
    return (
        test.set_qualifier != "ForAllValues"
        and test.operator not in NEGATED
        and test.operator != "Null"
        and not test.is_opaque
        and not test.key.startswith(formulas.RESOURCE)
    )


class Solver:
    """Remembers answers: the same formulas come again and again."""

    def __init__(self, domains: Domains) -> None:
        self.domains = domains
        self.satisfy = lru_cache(maxsize=1 << 18)(self._satisfy)
        self._implies_untied = lru_cache(maxsize=1 << 16)(self._is_implied)
        self.simplified = lru_cache(maxsize=1 << 16)(self._simplified)

    def _satisfy(self, f: Formula) -> Answer:
        return satisfy(f, self.domains)

    def is_possible(self, f: Formula) -> bool:
        """Whether some context makes it true."""
        return self.satisfy(f).is_possible

    def is_certain(self, f: Formula) -> bool:
        """Whether every context makes it true."""
        return not self.satisfy(formulas.negation(f)).is_possible

    def _simplified(self, f: Formula) -> Formula:
        """Return an equivalent formula without the parts that do nothing.

        A part that follows only from a tie that requests break as people write them stays (ties.py).
        """
        if isinstance(f, bool | Test):
            return f
        if f.kind == "not":
            return _positive(f, self.domains(f.tests[0].key))
        kind, join = f.kind, formulas.conjunction if f.kind == "and" else formulas.disjunction
        kept = [self.simplified(part) for part in f.parts]
        kept = [self._shortened(part, [other for other in kept if other is not part], kind) for part in kept]
        for part in list(kept):
            rest = join(other for other in kept if other is not part)
            implied = (rest, part) if kind == "and" else (part, rest)
            if len(kept) > 1 and self._implies_untied(*implied):
                kept.remove(part)
        return join(_merged(kept, kind, self.domains))

    def _shortened(self, part: Formula, others: list[Formula], kind: str) -> Formula:
        """Return a part without what the other parts make idle: values that a conjunction excludes, what it says of an
        absent key, and members of an alternative that hold wherever no other alternative does."""
        if kind == "and" and isinstance(part, Test) and _is_waived_without_key(part):
            part = self._needing_its_key(part, others)
        if kind == "and" and isinstance(part, Test) and len(part.values) > 1 and self._names_one_value(part):
            rest = formulas.conjunction(_on_key(others, part.key))
            excluded = formulas.negation(rest)
            left = tuple(v for v in part.values if not self._implies_untied(part._replace(values=(v,)), excluded))
            return normal(part._replace(values=left), self.domains(part.key)) if left and rest is not True else part
        if kind == "or" and formulas.is_junction(part, "and"):
            members = list(formulas.parts_of(part))
            none_else = formulas.negation(formulas.disjunction(others))
            for member in list(members):
                rest = formulas.conjunction((none_else, *(other for other in members if other is not member)))
                if len(members) > 1 and self._implies_untied(rest, member):
                    members.remove(member)
            return formulas.conjunction(members)
        return part

    def _needing_its_key(self, part: Test, others: list[Formula]) -> Formula:
        """Return a test that holds without its key as one that does not, where others ask for the key anyway."""
        is_single = not self.domains(part.key).is_multivalued
        plain = part._replace(if_exists=False, set_qualifier=None if is_single else part.set_qualifier)
        together = formulas.conjunction((part, *_on_key(others, part.key)))
        return (
            normal(plain, self.domains(part.key)) if plain != part and self._implies_untied(together, plain) else part
        )

    def _names_one_value(self, test: Test) -> bool:
        return _can_list(test) and test.set_qualifier is None and not self.domains(test.key).is_multivalued

    def _is_implied(self, left: Formula, right: Formula) -> bool:
        f = formulas.conjunction((left, formulas.negation(right)))
        return not satisfy(f, self.domains, to_shorten=True).is_possible

    def implies(self, left: Formula, right: Formula) -> bool:
        """Whether every context that makes ``left`` true makes ``right`` true."""
        return not self.is_possible(formulas.conjunction((left, formulas.negation(right))))
