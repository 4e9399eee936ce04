"""Exact algebra of globs: which patterns can match together, and an example for each way.

Every set of globs is walked as one automaton over all texts at once. Independent of the concrete evaluator's
matcher, on purpose: the two are held against each other.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, takewhile
from typing import ClassVar, NamedTuple

from pipeline.iam.grammar import ARN_FIELDS, Part, without_case

#: Product states after which a walk gives up.
MOST_STATES = 4000
#: Runs of a glob beyond which it is walked: backtracking takes steps with their number as a power.
MOST_RUNS = 6
_FRESH = "xyzqwvkjXYZQWVKJ0123456789~"
#: Characters that no text of AWS has, for globs that name all of the fresh ones.
_PRIVATE = range(0xE000, 0x110000)
#: No character behind this one has another case.
_LAST_CASED = 0x1FFFF
#: Stands between pieces for text that nobody names.
_BETWEEN = "\ufffd"


#: Text of a token for one character that stands before a run, so that the two stand for no empty text. Patterns of
#: policies have none of these: they tell what every ARN of a type has.
FILLED = "+"


class Token(NamedTuple):
    """One position of a glob. ``kind`` is char, any (one character) or run; ``no_colon`` keeps it within a field."""

    kind: str
    text: str = ""
    no_colon: bool = False

    @property
    def is_implied(self) -> bool:
        """Whether it only says that the run behind it is not empty."""
        return self.kind == "any" and self.text == FILLED


class Glob:
    """A glob. ``ignores_case`` compares letters without regard to case; ``start`` is the text before any wildcard.

    Globs of equal tokens are one object: to compare them costs nothing.
    """

    __slots__ = ("ignores_case", "start", "tokens")
    tokens: tuple[Token, ...]
    ignores_case: bool
    start: str
    _made: ClassVar[dict[tuple[tuple[Token, ...], bool], "Glob"]] = {}

    def __new__(cls, tokens: tuple[Token, ...], ignores_case: bool = False) -> "Glob":
        """Return the glob of the tokens."""
        found = cls._made.get((tokens, ignores_case))
        if found is None:
            found = cls._made[tokens, ignores_case] = super().__new__(cls)
            found.tokens, found.ignores_case = tokens, ignores_case
            found.start = "".join(token.text for token in takewhile(lambda token: token.kind == "char", tokens))
        return found

    def __reduce__(self) -> tuple[type["Glob"], tuple[tuple[Token, ...], bool]]:
        """Let a copy in another process be the one object there."""
        return Glob, (self.tokens, self.ignores_case)

    @property
    def is_everything(self) -> bool:
        """Whether it matches every text."""
        return len(self.tokens) == 1 and self.tokens[0].kind == "run" and not self.tokens[0].no_colon

    @property
    def literal(self) -> str | None:
        """The only text that it matches, None if there are several."""
        return self.start if len(self.start) == len(self.tokens) and not self.ignores_case else None


def glob(parts: Sequence[Part], *, within_field: bool = False, ignores_case: bool = False) -> Glob:
    """Return the glob of a parsed text; ``within_field`` keeps its wildcards from matching a colon."""
    tokens: list[Token] = []
    for part in parts:
        if part.kind == "star":
            run = Token("run", "", within_field)
            if not tokens or tokens[-1] != run:
                tokens.append(run)
        elif part.kind == "mark":
            tokens.append(Token("any", "", within_field))
        else:
            text = without_case(part.text) if ignores_case else part.text
            tokens += [Token("char", character) for character in text]
    return Glob(tuple(tokens), ignores_case)


def literal(text: str, *, ignores_case: bool = False) -> Glob:
    """Return the glob that matches one text only."""
    return glob((Part("literal", text),), ignores_case=ignores_case)


def matches(pattern: Glob, text: str) -> bool:
    """Whether the glob matches the whole text."""
    expression = _expression(pattern)
    if expression is not None:
        return expression.fullmatch(text) is not None
    states = _start(pattern)
    for character in without_case(text) if pattern.ignores_case else text:
        states = _step(pattern, states, character)
        if not states:
            return False
    return bool(states >> len(pattern.tokens) & 1)


@lru_cache(maxsize=1 << 16)
def _expression(pattern: Glob) -> re.Pattern[str] | None:
    """Return the glob as a regular expression; None where that would be slow on some texts, or looks at no case."""
    if pattern.ignores_case or sum(token.kind == "run" for token in pattern.tokens) > MOST_RUNS:
        return None
    written = {("any", False): ".", ("any", True): "[^:]", ("run", False): ".*", ("run", True): "[^:]*"}
    texts = (written.get((token.kind, token.no_colon)) or re.escape(token.text) for token in pattern.tokens)
    return re.compile("".join(texts), re.DOTALL)


@lru_cache(maxsize=65536)
def _start(pattern: Glob) -> int:
    return _closed(pattern, 1)


def _closed(pattern: Glob, states: int) -> int:
    """Add the positions behind runs: a run may match nothing."""
    for position, token in enumerate(pattern.tokens):
        if token.kind == "run" and states >> position & 1:
            states |= 1 << position + 1
    return states


@lru_cache(maxsize=1 << 18)
def _step(pattern: Glob, states: int, character: str) -> int:
    found = 0
    character = without_case(character) if pattern.ignores_case else character
    for position, token in enumerate(pattern.tokens):
        if not states >> position & 1 or (token.no_colon and character == ":"):
            continue
        if token.kind == "run":
            found |= 1 << position
        elif token.kind == "any" or token.text == character:
            found |= 1 << position + 1
    return _closed(pattern, found)


@lru_cache(maxsize=1 << 18)
def _next_characters(pattern: Glob, states: int, with_rare: bool = False) -> frozenset[str]:
    found: set[str] = set()
    for position, token in enumerate(pattern.tokens):
        if states >> position & 1:
            if token.kind == "char":
                found |= _usual_cases(token.text) if pattern.ignores_case else {token.text}
                found |= _rare_cases().get(token.text, frozenset()) if with_rare and pattern.ignores_case else set()
            elif token.no_colon:
                found.add(":")
    return frozenset(found)


def _usual_cases(character: str) -> frozenset[str]:
    """Return a character in lower and, where that is one of the same, in upper case."""
    return frozenset(case for case in (character, character.upper()) if without_case(case) == character)


@lru_cache(maxsize=1)
def _rare_cases() -> dict[str, frozenset[str]]:
    """Return the characters that are the same as others without regard to case, by that to which they fold."""
    found: dict[str, set[str]] = {}
    for character in map(chr, range(_LAST_CASED + 1)):
        folded = without_case(character)
        if folded != character:
            found.setdefault(folded, set()).add(character)
    return {folded: frozenset(characters) for folded, characters in found.items()}


@lru_cache(maxsize=1 << 16)
def truth_vectors(patterns: tuple[Glob, ...]) -> dict[tuple[bool, ...], str] | None:
    """Return every way in which one text that is not empty can match the globs, each with the shortest example.

    A way is a tuple of booleans, one a glob. None where the walk grew too large to finish. Rare spellings, such as the
    sign of the kelvin for "k", are examples of ways only that no other text gives.
    """
    found = _vectors(patterns, False)
    if found is None or len(patterns) < 2 or not any(pattern.ignores_case for pattern in patterns):
        return found
    rare = _vectors(patterns, True)
    return None if rare is None else {**found, **{way: text for way, text in rare.items() if way not in found}}


def _vectors(patterns: tuple[Glob, ...], with_rare: bool) -> dict[tuple[bool, ...], str] | None:
    found: dict[tuple[bool, ...], str] = {}
    try:
        for way, text in _walk(patterns, 0, with_rare):
            found.setdefault(way, text)
    except _TooLargeError:
        return None
    return found


class _TooLargeError(Exception):
    """A walk has come to more states than are worth telling apart."""


def _walk(patterns: tuple[Glob, ...], needed: int, with_rare: bool = False) -> Iterator[tuple[tuple[bool, ...], str]]:
    """Yield which of the globs match a text, with the text: of all texts that are not empty those that come to a state
    of their own, shorter ones first, and only such as may still match each of the first ``needed`` globs.

    Raises _TooLargeError where the states are too many.
    """
    fresh = _fresh_character(patterns)
    start = tuple(_start(pattern) for pattern in patterns)
    seen = {start}
    queue: deque[tuple[tuple[int, ...], str]] = deque([(start, "")])
    while queue:
        states, text = queue.popleft()
        if text:
            yield tuple(bool(s >> len(p.tokens) & 1) for p, s in zip(patterns, states, strict=True)), text
        following = (_next_characters(p, s, with_rare) for p, s in zip(patterns, states, strict=True))
        for character in sorted({fresh}.union(*following)):
            reached = tuple(_step(p, s, character) for p, s in zip(patterns, states, strict=True))
            # The text that is no longer than one character differs from its longer kin by being not empty.
            if 0 in reached[:needed] or (reached in seen and (text or reached != start)):
                continue
            if len(seen) >= MOST_STATES:
                raise _TooLargeError
            seen.add(reached)
            queue.append((reached, text + character))


@lru_cache(maxsize=1 << 16)
def _fresh_character(patterns: tuple[Glob, ...]) -> str:
    used = {without_case(token.text) for pattern in patterns for token in pattern.tokens}
    return next(c for c in chain(_FRESH, map(chr, _PRIVATE)) if without_case(c) not in used)


class Relation(NamedTuple):
    """How a scope and a glob meet: ``inside`` some texts of the scope match it, ``outside`` some do not."""

    inside: bool
    outside: bool


UNKNOWN = Relation(True, True)


@lru_cache(maxsize=1 << 18)
def relation(scope: tuple[Glob, ...], pattern: Glob) -> Relation:
    """Return how the texts that match all globs of ``scope`` meet ``pattern``. Both true where it cannot be told."""
    if pattern.is_everything or pattern in scope:
        return Relation(not is_empty(scope), False)
    if any(_part_at_the_start(member, pattern) for member in scope):
        return Relation(False, True)
    only = next((text for text in (member.literal for member in scope) if text is not None), None)
    if only is not None:
        inside = matches(pattern, only)
        return Relation(inside, not inside)
    return _by_fields(scope, pattern) or _by_pieces(scope, pattern) or _walked(scope, pattern)


class _Pieces(NamedTuple):
    """A glob of texts and runs: what stands before the first run, between runs, and behind the last.

    ``is_filled``: some run stands for no empty text.
    """

    start: str
    middle: tuple[str, ...]
    end: str
    is_bound: bool
    is_filled: bool


@lru_cache(maxsize=1 << 16)
def _pieces(pattern: Glob) -> _Pieces | None:
    """Return the pieces of a glob with at least one run; None where it has a ``?``, a colon or no case of letters."""
    tokens = [token for token in pattern.tokens if not token.is_implied]
    if pattern.ignores_case or any(t.kind == "any" or t.text in (":", _BETWEEN) for t in tokens):
        return None
    texts = "".join("\0" if token.kind == "run" else token.text for token in tokens).split("\0")
    if len(texts) < 2:
        return None
    runs = {token.no_colon for token in tokens if token.kind == "run"}
    is_filled = len(tokens) < len(pattern.tokens)
    return _Pieces(texts[0], tuple(text for text in texts[1:-1] if text), texts[-1], runs == {True}, is_filled)


def _by_pieces(scope: tuple[Glob, ...], pattern: Glob) -> Relation | None:
    """Compare globs of texts and runs by what stands at their ends; None where that does not tell.

    With a run in each, some text matches all of them if their starts agree and their ends agree. The text that has all
    pieces of the scope, parted by a character that nobody names, is matched by a glob only if it covers a scope of one;
    a glob whose run is not empty only if it matches the text of the pieces alone, too.
    """
    mine = [_pieces(member) for member in scope]
    if any(part is None for part in mine):
        return None
    parts = [part for part in mine if part is not None]
    other = _pieces(pattern)
    if other is None:
        text = pattern.literal
        return None if text is None or ":" in text else Relation(all(matches(member, text) for member in scope), True)
    if (other.is_bound and not all(part.is_bound for part in parts)) or (other.is_filled and other.middle):
        return None
    start = max((part.start for part in parts), key=len)
    end = max((part.end for part in parts), key=len)
    if not all(start.startswith(p.start) and end.endswith(p.end) for p in parts):
        return Relation(False, False)
    inside = (start.startswith(other.start) or other.start.startswith(start)) and (
        end.endswith(other.end) or other.end.endswith(end)
    )
    generic = _BETWEEN.join((start, *(text for part in parts for text in part.middle), end))
    if not matches(pattern, generic):
        return Relation(inside, True)
    # What covers one glob of the scope covers all that it has in common with others.
    is_covering = any(
        matches(pattern, _BETWEEN.join((part.start, *part.middle, part.end)))
        and (not other.is_filled or matches(pattern, "".join((part.start, *part.middle, part.end))))
        for part in parts
    )
    return Relation(inside, False) if is_covering else None


def _by_fields(scope: tuple[Glob, ...], pattern: Glob) -> Relation | None:
    """Compare ARNs field by field; None where a wildcard might cross a colon, or a text is no ARN.

    Texts of a scope that is bound to its fields have five colons, so the five of any pattern stand at the same places;
    so do the first five where no wildcard before them matches a colon.
    """
    split_at = fields if any(is_bound(member) for member in scope) else aligned
    split = [split_at(member) for member in (*scope, pattern)]
    if any(part is None for part in split):
        return None
    inside, outside = True, False
    for *mine, other in zip(*(part for part in split if part is not None), strict=True):
        here = _field_relation(tuple(mine), other)
        inside &= here.inside
        outside |= here.outside
    return Relation(inside, outside)


@lru_cache(maxsize=1 << 17)
def _field_relation(scope: tuple[Glob, ...], pattern: Glob) -> Relation:
    """Compare one field of ARNs. Unlike a text, a field may be empty."""
    if pattern in scope:
        return Relation(True, False)
    if any(not member.tokens for member in scope):
        inside, outside = False, False
    elif not pattern.tokens:
        inside, outside = False, True
    else:
        inside, outside = relation(scope, pattern)
    if all(_takes_nothing(member) for member in scope):
        inside, outside = inside or _takes_nothing(pattern), outside or not _takes_nothing(pattern)
    return Relation(inside, outside)


def _takes_nothing(pattern: Glob) -> bool:
    """Whether an empty text matches."""
    return all(token.kind == "run" for token in pattern.tokens)


@lru_cache(maxsize=1 << 16)
def fields(pattern: Glob) -> tuple[Glob, ...] | None:
    """Return the six fields of an ARN's glob that has exactly five colons, else None."""
    found = _split(pattern, len(pattern.tokens))
    return found if found and len(found) == ARN_FIELDS else None


@lru_cache(maxsize=1 << 16)
def aligned(pattern: Glob) -> tuple[Glob, ...] | None:
    """Return the six fields of an ARN's glob whose last one may hold colons, if no wildcard before it matches one."""
    found = _split(pattern, ARN_FIELDS - 1)
    is_whole = found is not None and len(found) == ARN_FIELDS
    return found if found and is_whole and all(is_bound(field) for field in found[:-1]) else None


def _split(pattern: Glob, most: int) -> tuple[Glob, ...] | None:
    """Return what stands between the first colons of a glob, at most so many; None where it looks at no case."""
    if pattern.ignores_case:
        return None
    found: list[list[Token]] = [[]]
    for token in pattern.tokens:
        if token.kind == "char" and token.text == ":" and len(found) <= most:
            found.append([])
        else:
            found[-1].append(token)
    return tuple(Glob(tuple(field)) for field in found)


def of_arn(pattern: Glob) -> Glob:
    """Return a glob of ARNs whose wildcards in the first five fields match no colon, where it has all six fields."""
    colons = [place for place, token in enumerate(pattern.tokens) if token.text == ":"]
    if not pattern.start.startswith("arn:") or len(colons) < ARN_FIELDS - 1:
        return pattern
    last = colons[ARN_FIELDS - 2]
    early = (token if token.kind == "char" else token._replace(no_colon=True) for token in pattern.tokens[:last])
    return Glob((*early, *pattern.tokens[last:]))


@lru_cache(maxsize=1 << 16)
def is_bound(pattern: Glob) -> bool:
    """Whether no wildcard of the glob matches a colon."""
    return all(token.kind == "char" or token.no_colon for token in pattern.tokens)


@lru_cache(maxsize=1 << 16)
def bound(pattern: Glob) -> Glob:
    """Return the glob whose wildcards match no colon."""
    tokens = (token if token.kind == "char" else token._replace(no_colon=True) for token in pattern.tokens)
    return Glob(tuple(tokens), pattern.ignores_case)


@lru_cache(maxsize=1 << 16)
def filled(pattern: Glob) -> Glob:
    """Return the glob whose runs are not empty."""
    tokens: list[Token] = []
    for token in pattern.tokens:
        if token.kind == "run" and not (tokens and tokens[-1].is_implied):
            tokens.append(Token("any", FILLED, token.no_colon))
        tokens.append(token)
    return Glob(tuple(tokens), pattern.ignores_case)


def _walked(scope: tuple[Glob, ...], pattern: Glob) -> Relation:
    """Walk the texts of the scope until one inside and one outside of the pattern are found."""
    found: set[bool] = set()
    try:
        for (*within, is_hit), _ in _walk((*scope, pattern), len(scope)):
            if all(within):
                found.add(is_hit)
            if len(found) > 1:
                break
    except _TooLargeError:
        return UNKNOWN
    return Relation(True in found, False in found)


@lru_cache(maxsize=1 << 16)
def is_empty(scope: tuple[Glob, ...]) -> bool:
    """Whether no text matches all globs of the scope; False where it cannot be told."""
    if len(scope) < 2:
        return False
    return not relation(scope[:-1], scope[-1]).inside


def _part_at_the_start(left: Glob, right: Glob) -> bool:
    """Whether two globs differ before either has a wildcard, so that no text matches both."""
    if left.ignores_case or right.ignores_case:
        return False
    return not left.start.startswith(right.start) and not right.start.startswith(left.start)


def uncovered(texts: Sequence[str], covers: Callable[[str, str], bool]) -> tuple[str, ...]:
    """Return the texts that no other one covers; of two that cover each other the first in order. ``covers`` tells
    whether its first pattern takes in all that the second one does."""
    return tuple(
        text
        for text in texts
        if not any(
            other != text and covers(other, text) and not (other > text and covers(text, other)) for other in texts
        )
    )


def covers(wide: Glob, narrow: Glob) -> bool:
    """Whether every text that matches ``narrow`` matches ``wide``, wildcards of ``narrow`` within their fields."""
    return wide == narrow or not relation((bound(narrow),), wide).outside
