"""Compares two answers to one question, scope by scope, on the formulas: what is allowed by one of them alone.

An answer is what a cell has of rows: scopes with what is taken out of them, and what must hold there. Reads no lake.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs
from pipeline.evaluate.actions import UNKNOWN_TYPE, Place, TypeForm
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.instances import Place as Resources
from pipeline.evaluate.knowledge import EVERY_KEY
from pipeline.evaluate.scopes import Scope, pieces, scope_of
from pipeline.evaluate.statements import pattern_glob, resource_test
from pipeline.evaluate.witness import Witness, Witnesses

Change = Literal["gained", "lost", "changed"]
Residual = Literal["wider", "narrower", "different"]
#: Partitions are told apart by patterns alone.
ANY_PARTITION = "*"


class Row(NamedTuple):
    """A scope that is granted: a pattern, the patterns taken out of it, and what must hold in the rest."""

    resource_type: str
    pattern: str
    exceptions: tuple[str, ...]
    formula: Formula


class Only(NamedTuple):
    """Access that one answer alone gives. ``witness`` is a request that it allows and the other does not, if any was
    found."""

    witness: Witness | None


class Difference(NamedTuple):
    """A scope whose access differs. ``old`` and ``new`` are the places of rows in their answers: first the one that is
    shown, then those that reach the same resources."""

    change: Change
    residual: Residual
    resource_type: str
    old: tuple[int, ...]
    new: tuple[int, ...]
    gained: Only | None
    lost: Only | None


class _Granted(NamedTuple):
    """A row with its place in the answer, its resources, and what it says of resource and context as one formula."""

    place: int
    row: Row
    scope: Scope
    formula: Formula
    is_foreign: bool

    def meets(self, other: "_Granted") -> bool:
        """Whether some resource is in the scopes of both."""
        if self.is_foreign != other.is_foreign:
            return False
        return globs.relation(self.scope.globs, pattern_glob(other.row.pattern)).inside


def differences(
    old: Sequence[Row], new: Sequence[Row], formats: Mapping[str, str | None], own: str, witnesses: Witnesses
) -> list[Difference]:
    """Return how two answers differ; nothing where both allow the same requests.

    ``formats`` has the form of each resource type's ARNs, None for requests on ``*``; ``own`` is the principal's
    account.
    """
    found: list[Difference] = []
    for kind in sorted({row.resource_type for row in (*old, *new)}):
        before = _granted(old, kind, formats.get(kind, ""), own)
        after = _granted(new, kind, formats.get(kind, ""), own)
        found += _of_type(kind, before, after, witnesses)
    return found


def _granted(rows: Sequence[Row], kind: str, arn_format: str | None, own: str) -> list[_Granted]:
    form = TypeForm(kind, "" if kind == UNKNOWN_TYPE else arn_format, False, EVERY_KEY, False, False)
    here, anywhere = form.universe(Place(own, ANY_PARTITION)), form.universe(Place("*", ANY_PARTITION))
    found = []
    for place, row in enumerate(rows):
        if row.resource_type != kind:
            continue
        own_scope = scope_of(here, row.pattern)
        scope = own_scope or scope_of(anywhere, row.pattern) or Scope(anywhere, row.pattern, (anywhere,))
        parts = (resource_test(row.pattern), *map(_outside, row.exceptions), row.formula)
        found.append(_Granted(place, row, scope, formulas.conjunction(parts), own_scope is None))
    return found


def _outside(pattern: str) -> Formula:
    return formulas.negation(resource_test(pattern))


def _of_type(kind: str, old: Sequence[_Granted], new: Sequence[_Granted], witnesses: Witnesses) -> Iterable[Difference]:
    same = {one.row for one in old} & {one.row for one in new}
    gained = {n.place: only for n in new if n.row not in same and (only := _only(n, old, witnesses))}
    lost = {o.place: only for o in old if o.row not in same and (only := _only(o, new, witnesses))}
    told: set[int] = set()
    for n in new:
        if n.place in gained:
            beside = _by_nearness(n, old)
            losing = [o for o in beside if o.place in lost]
            told |= {o.place for o in losing}
            change: Change = "changed" if beside else "gained"
            residual: Residual = "different" if losing else "wider"
            shown = tuple(o.place for o in (*losing[:1], *beside[:1], *beside))
            also = lost[losing[0].place] if losing else None
            yield Difference(change, residual, kind, tuple(dict.fromkeys(shown)), (n.place,), gained[n.place], also)
    for o in old:
        if o.place in lost and o.place not in told:
            left = tuple(n.place for n in _by_nearness(o, new))
            yield Difference("changed" if left else "lost", "narrower", kind, (o.place,), left, None, lost[o.place])


def _by_nearness(one: _Granted, others: Sequence[_Granted]) -> list[_Granted]:
    """Return the rows that reach resources of a row's scope: that of the same pattern first, then the widest."""
    meeting = [other for other in others if one.meets(other)]
    glob = pattern_glob(one.row.pattern)
    return sorted(
        meeting,
        key=lambda other: (
            other.row.pattern != one.row.pattern,
            not globs.covers(pattern_glob(other.row.pattern), glob),
            other.row.pattern,
        ),
    )


def _only(one: _Granted, others: Sequence[_Granted], witnesses: Witnesses) -> Only | None:
    """Return what a row allows and none of the other answer's rows does; None where there is nothing."""
    beside = [other.formula for other in others if one.meets(other)]
    alone = formulas.conjunction((one.formula, formulas.negation(formulas.disjunction(beside))))
    left = [piece for piece in pieces(one.scope, alone) if witnesses.solver.is_possible(piece.formula)]
    if not left:
        return None
    for piece in left:
        place = Resources(one.scope.universe, piece.scope.pattern, piece.exceptions)
        witness = witnesses.of(place, piece.formula)
        if witness is not None:
            return Only(witness)
    return Only(None)
