"""Cuts a granted scope into pieces in which the same patterns match, so that each has one formula over the context.

A row of ``access`` is such a piece: a pattern, what is taken out of it, and the formula that holds in the rest.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs
from pipeline.evaluate.formula import RESOURCE, Formula, Test
from pipeline.evaluate.globs import Glob
from pipeline.evaluate.statements import pattern_glob, resource_test
from pipeline.iam.grammar import ARN_FIELDS
from pipeline.iam.request_keys import REGION

ACCOUNT_DIGITS = 12
#: Pieces of one scope after which it is no longer cut.
MOST_PIECES = 64


class Scope(NamedTuple):
    """Resources of a ``universe`` that match all of ``globs``; ``pattern`` is the one text that is shown for them.

    ``beyond`` are patterns that the resource must also match and that ``pattern`` does not imply. The texts of a scope
    that ``is_foreign`` name the account: a wildcard there is read as the principal's own.
    """

    universe: Glob
    pattern: str
    globs: tuple[Glob, ...]
    beyond: tuple[str, ...] = ()
    is_foreign: bool = False

    @property
    def only(self) -> str | None:
        """The one resource of the scope; None where there may be several."""
        return next((member.start for member in self.globs if member.literal is not None), None)


class Piece(NamedTuple):
    """A scope, the patterns taken out of it, and the formula over the context that holds in what is left."""

    scope: Scope
    exceptions: tuple[str, ...]
    formula: Formula


@lru_cache(maxsize=1 << 16)
def scope_of(universe: Glob, pattern: str) -> Scope | None:
    """Return the part of a universe that a pattern grants; None if they have nothing in common."""
    granted = pattern_glob(pattern)
    if is_nowhere(universe, granted):
        return None
    meeting = globs.relation((universe,), granted)
    if not meeting.inside:
        return None
    if not meeting.outside:
        return Scope(universe, pattern, (universe,))
    return Scope(universe, pattern, _reduced((universe,), granted))


@lru_cache(maxsize=1 << 16)
def is_nowhere(universe: Glob, granted: Glob) -> bool:
    """Whether a pattern names no account where a universe leaves it open: it is of twelve digits, or AWS itself.

    Such a pattern matches no ARN that a resource of the universe can have, though it matches texts like them.
    """
    resources, pattern = globs.fields(universe), globs.fields(granted)
    if resources is None or pattern is None or not any(token.kind == "run" for token in resources[4].tokens):
        return False
    # What stands for the principal's own account is no digit, and no character that a policy has.
    texts = [token.text for token in pattern[4].tokens if token.kind == "char"]
    length = sum(token.kind != "run" for token in pattern[4].tokens)
    is_open = length < len(pattern[4].tokens)
    is_id = all(text.isdigit() or not text.isascii() for text in texts) and (
        length == ACCOUNT_DIGITS or (is_open and length < ACCOUNT_DIGITS)
    )
    return not is_id and not globs.matches(pattern[4], "aws")


def _reduced(scope: tuple[Glob, ...], pattern: Glob) -> tuple[Glob, ...]:
    """Return globs for scope and pattern together: one where field by field the narrower of two is known."""
    if len(scope) == 1:
        joined = _field_by_field(scope[0], pattern)
        if joined:
            return (joined,)
        is_told = globs.is_bound(scope[0]) and globs.fields(scope[0]) and globs.fields(pattern)
        if not is_told and not globs.relation((pattern,), scope[0]).outside:
            return (pattern,)
    return (*scope, pattern)


def _field_by_field(left: Glob, right: Glob) -> Glob | None:
    """Return the glob of what matches both, where in each field one is narrower; ``left`` is bound to its fields."""
    is_bound = globs.is_bound(left)
    split = globs.fields if is_bound else globs.aligned
    one, other = split(left), split(right)
    if one is None or other is None:
        return None
    tokens: list[globs.Token] = []
    for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
        narrower = _narrower(mine, globs.bound(theirs) if is_bound else theirs)
        if narrower is None:
            return None
        tokens += [*([globs.Token("char", ":")] if number else []), *narrower.tokens]
    return Glob(tuple(tokens))


def _narrower(left: Glob, right: Glob) -> Glob | None:
    if left == right or not left.tokens or not right.tokens:
        return left if left == right or not left.tokens else right
    if not globs.relation((left,), right).outside:
        return left
    if not globs.relation((right,), left).outside:
        return right
    # Nothing but names that are not empty may be what keeps one from being within the other.
    filled = globs.filled(right)
    is_both = not globs.relation((filled,), left).outside and not globs.relation((left, right), filled).outside
    return filled if is_both else None


@lru_cache(maxsize=1 << 18)
def pieces(scope: Scope, f: Formula) -> tuple[Piece, ...]:
    """Return the pieces of a scope in which the formula is not plainly false.

    ``f`` speaks of the resource and the context. Where there are too many pieces, one is returned whose formula
    still speaks of the resource.
    """
    settled, mixed = _settled(scope, f)
    if not mixed:
        formula = _beyond(scope, settled)
        return () if formula is False else (Piece(scope, (), formula),)
    walk = _Walk(f, {}, [])
    try:
        walk.visit(scope, None)
    except _TooManyError:
        return (Piece(scope, (), settled),)
    return tuple(piece for piece in walk.found if piece.formula is not False)


def region_called(scope: Scope) -> Test | None:
    """Return the test that the region called is one that the scope names; None where its ARNs leave it open."""
    for member in scope.globs:
        split = globs.fields(member)
        if split is None:
            continue
        text = _text(split[3])
        if text and text != "*":
            operator = "StringLike" if "*" in text or "?" in text else "StringEquals"
            return Test(operator, None, False, REGION, (text,), True)
    return None


class _TooManyError(Exception):
    """There are more pieces than are worth telling apart."""


class _Walk(NamedTuple):
    f: Formula
    visited: dict[frozenset[Glob], tuple[Formula, bool]]
    found: list[Piece]

    def visit(self, scope: Scope, around: Formula | None) -> bool:
        """Visit a scope; return whether all of it has the formula of the piece around it."""
        place = frozenset(scope.globs)
        if place in self.visited:
            formula, is_uniform = self.visited[place]
            return is_uniform and formula == around
        if len(self.visited) >= MOST_PIECES:
            raise _TooManyError
        settled, mixed = _settled(scope, self.f)
        formula = _beyond(scope, formulas.replaced(settled, dict.fromkeys(mixed, False)))
        self.visited[place] = (formula, True)
        different = [test for test in mixed if not self.visit(_within(scope, test), formula)]
        self.visited[place] = (formula, not different)
        if formula == around and not different:
            return True
        self.found.append(Piece(scope, _widest([test.values[0] for test in different]), formula))
        return False


def _settled(scope: Scope, f: Formula) -> tuple[Formula, list[Test]]:
    """Return the formula with the tests on the resource decided that the scope decides, and those that it does not."""
    known: dict[Test, Formula] = {}
    mixed: list[Test] = []
    for test in formulas.tests(f):
        if test.key != RESOURCE:
            continue
        meeting = globs.relation(scope.globs, pattern_glob(test.values[0]))
        if meeting.inside and meeting.outside:
            mixed.append(test)
        else:
            known[test] = meeting.inside
    settled = formulas.replaced(f, known)
    if mixed and known:
        left = formulas.tests(settled)
        mixed = [test for test in mixed if test in left]
    return settled, mixed


def _beyond(scope: Scope, formula: Formula) -> Formula:
    """Return a formula of the context with the tests on the resource that a scope's pattern does not imply."""
    if not scope.beyond:
        return formula
    return formulas.conjunction((formula, *(resource_test(pattern) for pattern in scope.beyond)))


def _within(scope: Scope, test: Test) -> Scope:
    """Return the part of a scope that matches a test's pattern."""
    pattern = test.values[0]
    inner = pattern_glob(pattern)
    joined = _reduced(scope.globs, inner)
    named = _with_account(pattern, scope.universe) if scope.is_foreign else pattern
    if named and not any(globs.relation((scope.universe, inner), member).outside for member in scope.globs):
        return scope._replace(pattern=named, globs=joined, beyond=())
    if len(joined) == 1 and not any(
        token.no_colon and token.kind == "any" and not token.is_implied for token in joined[0].tokens
    ):
        return scope._replace(pattern=_text(joined[0]), globs=joined, beyond=())
    if named:
        return scope._replace(pattern=named, globs=joined, beyond=tuple(sorted({*scope.beyond, scope.pattern})))
    return scope._replace(globs=joined, beyond=tuple(sorted({*scope.beyond, pattern})))


def _with_account(pattern: str, universe: Glob) -> str | None:
    """Return a pattern with the account of a universe in its field; None where a wildcard may cross the field."""
    mine, theirs = pattern.split(":", ARN_FIELDS - 1), globs.fields(universe)
    if len(mine) < ARN_FIELDS or theirs is None:
        return None
    mine[4] = _text(theirs[4])
    return ":".join(mine)


def _text(pattern: Glob) -> str:
    """Write a glob as a filled pattern."""
    written = {"run": "*", "any": "?"}
    return "".join(
        written.get(t.kind) or (f"${{{t.text}}}" if t.text in ("*", "?", "$") else t.text)
        for t in pattern.tokens
        if not t.is_implied
    )


def _widest(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the patterns that no other one covers, sorted."""
    return globs.uncovered(
        sorted(set(patterns)), lambda wide, narrow: globs.covers(pattern_glob(wide), pattern_glob(narrow))
    )
