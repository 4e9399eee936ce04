"""Finds the smallest change that turns a witness into a request that is denied."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.contexts import Context, completed, difference, realistic
from pipeline.evaluate.formula import Formula, Test, bare
from pipeline.evaluate.instances import Place, on_resource, said_by, said_of
from pipeline.evaluate.knowledge import USER_ID
from pipeline.evaluate.ties import CHOSEN_WITH, is_present, ties
from pipeline.evaluate.witness import Witness, Witnesses, named_in_user_id, sessions_in, spoken_by
from pipeline.iam.request_keys import SAME_FACT

#: Keys of which every choice is tried; after these, all keys at once.
MOST_KEYS = 3

Values = Mapping[str, tuple[str, ...]]


class Change(NamedTuple):
    """What must change for a request to be denied: values of keys, () for a key to leave out, and the resource where
    no change of the context does it. ``caller`` is the session that must call, an empty text for the principal itself,
    None where that may stay."""

    context: Context
    resource: str | None
    caller: str | None = None


class Scope(NamedTuple):
    """A row of access as far as it matters here: where it is, and what must hold."""

    place: Place
    formula: Formula


def smallest_change(witness: Witness, scope: Scope, beside: Sequence[Scope], witnesses: Witnesses) -> Change | None:
    """Return the smallest change with which a witness of a row is denied; None where none is found.

    ``beside`` are all rows of the principal for the action and the resource type: none of them may allow it then.
    """
    search = _Search(witness, scope, witnesses)
    return next((change for change in search.changes() if search.is_denied(change, beside)), None)


def _fact(key: str) -> str:
    return CHOSEN_WITH.get(bare(key), bare(key))


class _Search(NamedTuple):
    witness: Witness
    scope: Scope
    witnesses: Witnesses

    def changes(self) -> Iterator[Change]:
        """Yield changes with which the row itself does not allow: of the context, of what variables stand for, of the
        resource, of the session."""
        place, witness = self.scope.place, self.witness
        held = dict(witness.context)
        f = spoken_by(witness.session, self.scope.formula)
        fillings = list(self.witnesses.fillings(place, f, witness.session))
        fillings.sort(
            key=lambda filling: any(held.get(bare(key), ()) != values for key, values in filling.facts.items())
        )
        named = named_in_user_id(witness.session, self.scope.formula)
        for filling in fillings:
            for text in (witness.resource, *self.witnesses.resources(place, filling.formula)):
                here = on_resource(filling.formula, text)
                told = {bare(key): values for key, values in filling.facts.items()}
                start = {**held, **told, **dict(said_of(text, here))}
                fixed = formulas.conjunction((filling.given, said_by(text, here)))
                for values in self._contexts(here, fixed, named, start):
                    yield Change(
                        difference(completed(held), completed(values)), None if text == witness.resource else text
                    )
        for session in ("", *sessions_in(self.scope.formula)):
            if session != (witness.session or "") and USER_ID not in held:
                yield Change((), None, session)

    def _contexts(self, f: Formula, fixed: Formula, named: Formula, start: Values) -> Iterator[Values]:
        """Yield contexts in which a formula does not hold, those first that differ in fewer keys."""
        denied = formulas.conjunction((formulas.negation(f), fixed, named))
        names = {_fact(test.key): test.key for test in formulas.tests(f)}
        free = sorted({_fact(t.key) for t in formulas.tests(f)} - {_fact(t.key) for t in formulas.tests(fixed)})
        for count in dict.fromkeys((*range(min(MOST_KEYS, len(free)) + 1), len(free))):
            for keys in itertools.combinations(free, count):
                there = [is_present(names[key]) for key in keys if key in start and key not in SAME_FACT.values()]
                for wanted in (formulas.conjunction((denied, *there)), denied) if there else (denied,):
                    found = self._with_others_kept(wanted, keys, start)
                    if found is not None:
                        yield found

    def _with_others_kept(self, wanted: Formula, keys: tuple[str, ...], start: Values) -> Values | None:
        solver = self.witnesses.solver
        wanted = formulas.conjunction((wanted, ties(wanted)))
        kept = (test for test in formulas.tests(wanted) if _fact(test.key) not in keys)
        rest = formulas.replaced(wanted, self._truths(kept, start))
        answer = solver.satisfy(rest)
        if not answer.is_possible or not answer.is_proven:
            return None
        real = realistic(rest, answer.context, solver.domains)
        for key, other in SAME_FACT.items():  # the same moment under both names
            for one, same in ((key, other), (other, key)):
                if one in real and same in start:
                    real.setdefault(same, real[one])
        return {**{key: values for key, values in start.items() if _fact(key) not in keys}, **real}

    def _truths(self, tests: Iterable[Test], context: Values) -> dict[Test, Formula]:
        """Return what a context makes of tests; those on keys that are always there stay where it leaves them out."""
        return {
            test: predicates.holds(test, context.get(bare(test.key), ()))
            for test in tests
            if bare(test.key) in context or self.witnesses.solver.domains(test.key).can_be_absent
        }

    def is_denied(self, change: Change, beside: Sequence[Scope]) -> bool:
        """Whether no row allows the request with the change made."""
        text = change.resource or self.witness.resource
        context = {**completed(dict(self.witness.context)), **dict(change.context)}
        session = self.witness.session if change.caller is None else change.caller or None
        for scope in beside:
            if scope.place.has(text):
                here = on_resource(self.witnesses.filled(spoken_by(session, scope.formula), context), text)
                known = self._truths(formulas.tests(here), {**context, **dict(said_of(text, here))})
                if formulas.replaced(here, known) is not False:
                    return False
        return True
