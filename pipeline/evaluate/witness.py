"""Finds witnesses: for a row of ``access`` one request that is allowed.

A witness is made of what the solver finds, so it is exact; where the solver is not, there is none.
"""

import itertools
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates, sample_values
from pipeline.evaluate.contexts import Context, realistic
from pipeline.evaluate.formula import KNOWN, RESOURCE, SESSION_IS, Formula, Test, bare
from pipeline.evaluate.globs import Glob
from pipeline.evaluate.instances import Place, given, is_asked_for, literal_values, on_resource, resources, said_by
from pipeline.evaluate.knowledge import EVERY_KEY, USER_ID, Knowledge
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import Surroundings, filled_text, key_of, resource_test
from pipeline.evaluate.texts import escaped
from pipeline.evaluate.ties import is_absent, ties
from pipeline.iam import grammar
from pipeline.iam.request_keys import ASSOCIATED

#: Values of unknown variables that are tried together.
MOST_FILLINGS = 60


class Witness(NamedTuple):
    """A request that is allowed. ``session`` is the session that must make it, None for the principal itself.

    ``context`` holds the keys that matter; those that AWS sends with them are added where it is written (contexts.py).
    """

    resource: str
    session: str | None
    context: Context


class Filling(NamedTuple):
    """A formula without unknown variables, and the values of the keys that they stand for; () is an absent key."""

    formula: Formula
    facts: Mapping[str, tuple[str, ...]]

    @property
    def given(self) -> Formula:
        """What holds of the keys."""
        return formulas.conjunction(given(key, values) for key, values in self.facts.items())


@lru_cache(maxsize=1 << 14)
def _text_of(universe: Glob) -> str:
    return "".join(token.text for token in universe.tokens)


class Witnesses:
    """Finds witnesses and remembers them. ``inventory`` are known resources: what is known of them may matter.

    ``common`` finds them where no known resource can be: those whose account is the text ``unknown``.
    """

    def __init__(
        self,
        solver: Solver,
        knowledge: Knowledge,
        inventory: Container[str],
        common: "Witnesses | None" = None,
        unknown: str = "",
    ) -> None:
        self.solver = solver
        self._common = common
        self._unknown = unknown
        self.knowledge = knowledge
        self.inventory = inventory
        self.of = lru_cache(maxsize=1 << 17)(self._of)
        self._first_resource = lru_cache(maxsize=1 << 17)(self._any_resource)
        self._context_of = lru_cache(maxsize=1 << 17)(self._context)

    def _of(self, place: Place, f: Formula) -> Witness | None:
        """Return a witness of a row: on a resource of the place, where the formula holds. None where none is found."""
        if self._common and self._unknown in _text_of(place.universe):
            return self._common.of(place, f)
        for session in (None, *sessions_in(f)):
            spoken = spoken_by(session, f)
            named = named_in_user_id(session, f)
            for filling in self.fillings(place, spoken, session):
                for text in self.resources(place, filling.formula):
                    here = on_resource(filling.formula, text)
                    context = self._context_of(formulas.conjunction((here, filling.given, said_by(text, here), named)))
                    if context is not None:
                        return Witness(text, session, _passed_at_home(text, context, here))
        return None

    def _context(self, f: Formula) -> Context | None:
        """Return a context in which a formula holds."""
        answer = self.solver.satisfy(f)
        if not answer.is_possible or not answer.is_proven:
            return None
        tied = formulas.conjunction((f, ties(f)))
        return tuple(sorted(realistic(tied, answer.context, self.solver.domains).items()))

    def resources(self, place: Place, f: Formula) -> Iterable[str]:
        """Return resources of a place on which a formula may differ."""
        return resources(place, f, self.inventory) if is_asked_for(f) else self._first_resource(place)

    def _any_resource(self, place: Place) -> tuple[str, ...]:
        return tuple(resources(place, True, self.inventory))

    def fillings(self, place: Place, f: Formula, session: str | None) -> Iterator[Filling]:
        """Yield the formula with values for the variables that are left in it, for calls by a session."""
        opaque = [test for test in formulas.tests(f) if test.is_opaque]
        names = sorted({name for test in opaque for name in self._variables(test)})
        if not names:
            yield Filling(f, {})
            return
        choices = [self._candidates(name, f, opaque, place, session) for name in names]
        for values in itertools.islice(itertools.product(*choices), MOST_FILLINGS):
            facts = dict(zip(names, values, strict=True))
            yield Filling(self.filled(f, facts), facts)

    def filled(self, f: Formula, facts: Mapping[str, tuple[str, ...]]) -> Formula:
        """Return a formula with its variables filled in; a key without a value is absent. The keys of ``facts`` may
        lack what is known of them."""
        opaque = [test for test in formulas.tests(f) if test.is_opaque]
        names = {name for test in opaque for name in self._variables(test)}
        values = {name: facts.get(name, facts.get(bare(name), ())) for name in names}
        around = Surroundings(values, EVERY_KEY, self.knowledge)
        return formulas.replaced(f, {test: _filled_test(test, around) for test in opaque})

    def _variables(self, test: Test) -> Iterator[str]:
        around = Surroundings({}, EVERY_KEY, self.knowledge)
        for value in test.values:
            for part in grammar.parts(value, True):
                if part.kind == "variable":
                    yield key_of(part, around)

    def _candidates(
        self, name: str, f: Formula, opaque: Sequence[Test], place: Place, session: str | None
    ) -> list[tuple[str, ...]]:
        domain = self.solver.domains(name)
        beside = {test.key for test in opaque if name in self._variables(test)}
        tests = [test for test in formulas.tests(f) if test.key == name or test.key in beside]
        literals = [value for test in tests for value in literal_values(test)]
        literals += [text for test in tests for text in self.solver.domains(test.key).only or ()]
        literals += _standing_in_for_variables(opaque, (*self._first_resource(place), place.pattern))
        usual = sample_values.begun(domain.start) or sample_values.values(bare(name), domain.value_type)
        if session is not None and bare(name) == USER_ID:
            usual = (_of_session(usual[0], session), *usual)
        texts = [*usual[:1], *literals, *usual[1:3]]
        told = (text for text in dict.fromkeys(texts) if text and text.startswith(domain.start))
        found: list[tuple[str, ...]] = [(text,) for text in told]
        return [*found, ()] if domain.can_be_absent else found


def _passed_at_home(role: str, context: Context, f: Formula) -> Context:
    """Return a context in which a role is passed for a resource of its own account, where a formula allows that: a role
    is passed within its account (PASS)."""
    given = dict(context)
    values = given.get(ASSOCIATED, ())
    fields, owner = grammar.arn_fields(values[0]) if values else None, grammar.account_in(role)
    if fields is None or not fields[4] or not owner:
        return context
    moved = ":".join((*fields[:4], owner, fields[5]))
    tests = [test for test in formulas.tests(f) if bare(test.key) == ASSOCIATED and test.operator != "Null"]
    is_alike = all(predicates.holds(test, (moved,)) == predicates.holds(test, values) for test in tests)
    return tuple(sorted({**given, ASSOCIATED: (moved,)}.items())) if is_alike else context


def spoken_by(session: str | None, f: Formula) -> Formula:
    """Return a formula for calls by one session, or by none of those that it speaks of."""
    asked = [test for test in formulas.tests(f) if test.operator == SESSION_IS]
    return formulas.replaced(f, {test: test.values[0] == session for test in asked})


def sessions_in(f: Formula) -> list[str]:
    """Return the names of the sessions that a formula tells apart."""
    return sorted({test.values[0] for test in formulas.tests(f) if test.operator == SESSION_IS})


def named_in_user_id(session: str | None, f: Formula) -> Formula:
    """Return what aws:userid, which ends in the session's name, must be where a formula asks for it (VARS): of calls by
    one session, or by none of those that it speaks of."""
    keys = {key for test in formulas.tests(f) for key in _user_ids(test)}
    names = sessions_in(f) if session is None else [session]
    ends = [
        Test("StringLike", None, False, key, (f"*:{escaped(_name_of(name))}",), True) for key in keys for name in names
    ]
    return formulas.conjunction(ends if session is not None else map(formulas.negation, ends))


def _user_ids(test: Test) -> Iterator[str]:
    """Yield the keys of aws:userid that a test looks at, in its values too."""
    if bare(test.key) == USER_ID:
        yield test.key
    for value in test.values if test.is_opaque and test.operator != SESSION_IS else ():
        for part in grammar.parts(value, True):
            name, known, start = part.text.partition(KNOWN)
            if part.kind == "variable" and name.lower() == USER_ID:
                yield USER_ID + known + start


def _of_session(user_id: str, session: str) -> str:
    return f"{user_id.partition(':')[0]}:{_name_of(session)}"


def _name_of(session_arn: str) -> str:
    return session_arn.rsplit("/", 1)[-1]


def _standing_in_for_variables(tests: Iterable[Test], arns: Sequence[str]) -> Iterator[str]:
    """Yield what variables in the patterns of tests on the resource would have to be for ARNs to match."""
    for test in tests:
        for value in test.values if test.key.startswith(RESOURCE) else ():
            parts = grammar.parts(value, True)
            kinds = {"star": ".*", "mark": ".", "variable": "(.+)"}
            written = "".join(kinds.get(part.kind) or re.escape(part.text) for part in parts)
            for arn in arns:
                match = re.fullmatch(written, arn, re.DOTALL)
                yield from match.groups() if match else ()


def _filled_test(test: Test, around: Surroundings) -> Formula:
    """Return a test with the variables in its values filled in."""
    texts = [text for text, _ in (filled_text(value, around) for value in test.values) if text is not None]
    if test.key.startswith(RESOURCE):
        return formulas.disjunction(resource_test(text) for text in texts)
    if not texts:
        return predicates.when_absent(test) and is_absent(test.key)
    return test._replace(values=tuple(sorted(set(texts))), is_opaque=False)
