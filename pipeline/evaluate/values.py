"""In how many ways one condition key can make the tests on it true and false, with example values for each way.

The ways are all that there are, or more (where a test is beyond the method); never fewer.
"""

import itertools
from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

from pipeline.evaluate import globs, predicates
from pipeline.evaluate.formula import RESOURCE, Test
from pipeline.iam import grammar
from pipeline.iam.request_keys import CALLED_FIRST, CALLED_LAST

#: Ways of one key beyond which it is left free: each of its tests may come out either way.
MOST_WAYS = 512
MOST_FREE_TESTS = 12


class TooManyWaysError(Exception):
    """A key has more ways than are worth telling apart."""


class KeyDomain(NamedTuple):
    """What values a key can have. ``value_type`` is None where the reference does not tell. ``start`` is what the name
    of a session, or the rest of an ARN, follows in every value, ``least`` the smallest number that a value can be,
    ``only`` the values themselves where they are known."""

    value_type: str | None
    is_multivalued: bool
    can_be_absent: bool
    can_be_present: bool = True
    can_be_empty: bool = True
    start: str = ""
    least: Decimal | None = None
    only: tuple[str, ...] | None = None

    @property
    def takes_texts(self) -> bool:
        """Whether values are texts of any kind, so that one may be empty."""
        return self.value_type is None or self.value_type.removeprefix("ArrayOf") == "String"


class Way(NamedTuple):
    """One truth of each test, in the order of the tests. ``is_exact`` is False where no value is known to give it."""

    truths: tuple[bool, ...]
    is_present: bool
    values: tuple[str, ...]
    is_exact: bool = True


@lru_cache(maxsize=1 << 16)
def ways(tests: tuple[Test, ...], domain: KeyDomain) -> tuple[Way, ...]:
    """Return the ways of a key that ``tests`` are about. Raises TooManyWaysError where they are too many."""
    found: dict[tuple[tuple[bool, ...], bool], Way] = {}
    absent = Way(tuple(predicates.when_absent(test) for test in tests), False, ())
    if domain.can_be_absent:
        found[absent.truths, False] = absent
    if domain.can_be_present:
        for way in _present(tests, domain):
            found.setdefault((way.truths, True), way)
        if _takes_empty(tests, domain):
            empty = Way(tuple(predicates.holds(test, ("",)) for test in tests), True, ("",))
            found.setdefault((empty.truths, True), empty)
    return tuple(found.values())


def _takes_empty(tests: tuple[Test, ...], domain: KeyDomain) -> bool:
    """Whether a value can be an empty text and that makes a difference of its own: a tag may be one."""
    if not domain.can_be_empty or any(test.is_opaque or test.key.startswith(RESOURCE) for test in tests):
        return False
    return domain.takes_texts


def _present(tests: tuple[Test, ...], domain: KeyDomain) -> Iterable[Way]:
    is_opaque = any(test.is_opaque for test in tests)
    if domain.only is not None and not is_opaque:
        return [Way(tuple(predicates.holds(test, domain.only) for test in tests), True, domain.only)]
    singles = None if is_opaque else _single_values(tests, domain)
    if singles is None:
        return _free(tests)
    if not domain.is_multivalued:
        return [Way(_truths(tests, [hits]), True, (text,), exact) for hits, text, exact in singles]
    if any(test.key in (CALLED_FIRST, CALLED_LAST) for test in tests):
        return _chains(tests, singles)
    return _several(tests, singles, _takes_empty(tests, domain))


def _truths(tests: tuple[Test, ...], rows: Sequence[tuple[bool, ...]]) -> tuple[bool, ...]:
    return tuple(
        predicates.null_holds(test, is_present=True)
        if test.operator == "Null"
        else predicates.combined(test, [row[number] for row in rows])
        for number, test in enumerate(tests)
    )


Truths = tuple[bool, ...]
Single = tuple[Truths, str, bool]


def _several(tests: tuple[Test, ...], singles: list[Single], takes_empty: bool) -> list[Way]:
    """Return the ways of a key with many values: what any set of single values can do.

    A set's truths depend only on which tests some value hits and which some value misses, so sets grow until
    nothing new comes.
    """
    start: list[tuple[Truths, Truths, tuple[str, ...], bool]]
    start = [(hits, tuple(not hit for hit in hits), (text,), exact) for hits, text, exact in singles]
    seen = {(hits, misses): (values, exact) for hits, misses, values, exact in start}
    if takes_empty:
        nothing = tuple(False for _ in tests)
        start.append((tuple(_hits_empty(test) for test in tests), nothing, ("",), True))
    queue = list(seen)
    while queue:
        hits, misses = queue.pop(0)
        values, exact = seen[hits, misses]
        for more_hits, more_misses, more_values, more_exact in start:
            state = (
                tuple(a or b for a, b in zip(hits, more_hits, strict=True)),
                tuple(a or b for a, b in zip(misses, more_misses, strict=True)),
            )
            if state not in seen:
                if len(seen) > MOST_WAYS:
                    return list(_free(tests))
                seen[state] = (values + more_values, exact and more_exact)
                queue.append(state)
    found = []
    for (hits, misses), (values, exact) in seen.items():
        rows = [hits, tuple(not miss for miss in misses)]
        found.append(Way(_truths(tests, rows), True, values, exact))
    return found


def _chains(tests: tuple[Test, ...], singles: list[Single]) -> list[Way]:
    """Return the ways of a list of values together with its first and its last: tests on these look at one value.

    Beside the ends a list counts through what some value hits and some value misses, so lists grow between their ends
    until nothing new comes.
    """
    seen: dict[tuple[Truths, ...], tuple[tuple[str, ...], bool]] = {}
    for first, last in itertools.product(singles, repeat=2):
        texts: tuple[str, ...] = (first[1],) if first is last else (first[1], last[1])
        _note(seen, tests, (first, last), (first, last), (texts, first[2] and last[2]))
    queue = list(seen)
    while queue:
        state = queue.pop(0)
        chain, exact = seen[state]
        for more in singles:
            grown = (chain[0], more[1], *(chain[1:] or chain))
            held: Single = (state[0], "", exact)
            missed: Single = (tuple(not miss for miss in state[1]), "", exact)
            ends: tuple[Single, Single] = ((state[2], "", exact), (state[3], "", exact))
            new = _note(seen, tests, (held, missed, more), ends, (grown, exact and more[2]))
            if len(seen) > MOST_WAYS:
                return list(_free(tests))
            queue += [new] if new else []
    return [Way(_chain_truths(tests, state), True, texts, exact) for state, (texts, exact) in seen.items()]


def _note(
    seen: dict[tuple[Truths, ...], tuple[tuple[str, ...], bool]],
    tests: tuple[Test, ...],
    values: Iterable[Single],
    ends: tuple[Single, Single],
    example: tuple[tuple[str, ...], bool],
) -> tuple[Truths, ...] | None:
    """Note the state of a list of values, if it is new: what some value hits, what some misses, and what its ends hit,
    each as far as tests ask for it."""
    rows = [hits for hits, _, _ in values]
    keys = [test.key for test in tests]
    listed = [key not in (CALLED_FIRST, CALLED_LAST) for key in keys]
    state = (
        tuple(asked and any(row[n] for row in rows) for n, asked in enumerate(listed)),
        tuple(asked and not all(row[n] for row in rows) for n, asked in enumerate(listed)),
        *(
            tuple(hit and key == name for hit, key in zip(end[0], keys, strict=True))
            for end, name in zip(ends, (CALLED_FIRST, CALLED_LAST), strict=True)
        ),
    )
    if state in seen:
        return None
    seen[state] = example
    return state


def _chain_truths(tests: tuple[Test, ...], state: tuple[Truths, ...]) -> Truths:
    hits, misses, first, last = state
    of_list = _truths(tests, [hits, tuple(not miss for miss in misses)])
    of_ends = {CALLED_FIRST: _truths(tests, [first]), CALLED_LAST: _truths(tests, [last])}
    return tuple(of_ends.get(test.key, of_list)[number] for number, test in enumerate(tests))


def _hits_empty(test: Test) -> bool:
    """Whether an empty text among other values makes a test true by itself."""
    return not predicates.ignores_empty(test) and not test.is_opaque and predicates.matches(test, "")


def _free(tests: tuple[Test, ...]) -> Iterable[Way]:
    """Return every way there could be: more than there are, so that nothing possible is missed."""
    if len(tests) > MOST_FREE_TESTS:
        raise TooManyWaysError
    return [Way(truths, True, (), False) for truths in itertools.product((True, False), repeat=len(tests))]


def _single_values(tests: tuple[Test, ...], domain: KeyDomain) -> list[Single] | None:
    """Return what single values do: a hit or miss of each test, before negation. None where it cannot be told."""
    by_family: dict[str, list[int]] = {}
    for number, test in enumerate(tests):
        if test.operator != "Null":
            by_family.setdefault(_read_as(test, domain), []).append(number)
    if not by_family:
        return [(tuple(False for _ in tests), _example(domain), True)]
    found: list[Single] = [(tuple(False for _ in tests), "", True)]
    texts: list[str] = []
    for family, numbers in by_family.items():
        rows = _rows(family, tuple(tests[number] for number in numbers), domain)
        if rows is None:
            return None
        texts += [text for _, text in rows]
        found = [_merged(one, numbers, row, len(by_family) == 1) for one in found for row in rows]
        if len(found) > MOST_WAYS:
            return None
    return found if len(by_family) == 1 else _with_known_texts(tests, found, texts)


def _read_as(test: Test, domain: KeyDomain) -> str:
    """Return the family that a test's values are tried with: dates and numbers of a key of dates are both seconds."""
    family = predicates.family(test.operator)
    return "number" if family == "instant" and domain.value_type is not None else family


def _merged(one: Single, numbers: list[int], row: tuple[tuple[bool, ...], str], is_exact: bool) -> Single:
    hits = list(one[0])
    for number, hit in zip(numbers, row[0], strict=True):
        hits[number] = hit
    return tuple(hits), row[1], is_exact


def _with_known_texts(tests: tuple[Test, ...], found: list[Single], texts: list[str]) -> list[Single]:
    """Return the ways of operators of several families together: exact where one of the texts gives all of it."""
    known: dict[Truths, str] = {}
    for text in texts:
        known.setdefault(tuple(test.operator != "Null" and predicates.matches(test, text) for test in tests), text)
    return [(hits, known[hits], True) if hits in known else (hits, text, False) for hits, text, _ in found]


def _example(domain: KeyDomain) -> str:
    examples = {"Bool": "true", "Numeric": "1", "Date": "2030-01-01T00:00:00Z", "IPAddress": "192.0.2.1"}
    arn = "arn:aws:iam::111122223333:role/example"
    examples["ARN"] = ":".join(arn.split(":")[domain.start.count(":") :])
    return domain.start + examples.get((domain.value_type or "").removeprefix("ArrayOf"), "example")


Rows = list[tuple[tuple[bool, ...], str]] | None


def _rows(family: str, tests: tuple[Test, ...], domain: KeyDomain) -> Rows:
    if family == "text":
        return _text_rows(tests, domain)
    candidates = {"number": _numbers, "instant": _numbers, "boolean": _booleans}.get(family, _others)
    return _tried(tests, candidates(tests, domain))


def _tried(tests: tuple[Test, ...], candidates: Iterable[str]) -> Rows:
    found: dict[tuple[bool, ...], str] = {}
    for text in candidates:
        found.setdefault(tuple(predicates.matches(test, text) for test in tests), text)
    return list(found.items())


def _text_rows(tests: tuple[Test, ...], domain: KeyDomain) -> Rows:
    by_test = [predicates.patterns(test) for test in tests]
    distinct = tuple(dict.fromkeys(pattern for patterns in by_test for pattern in patterns))
    if not distinct:
        return [(tuple(False for _ in tests), _example(domain))]
    vectors = _begun_rows(distinct, domain) if domain.start else _literal_rows(distinct)
    if vectors is None:
        vectors = globs.truth_vectors(distinct)
    if vectors is None:
        return None
    place = {pattern: number for number, pattern in enumerate(distinct)}
    found: dict[tuple[bool, ...], str] = {}
    for vector, text in vectors.items():
        found.setdefault(tuple(any(vector[place[p]] for p in patterns) for patterns in by_test), text)
    return list(found.items())


def _begun_rows(patterns: tuple[globs.Glob, ...], domain: KeyDomain) -> dict[tuple[bool, ...], str] | None:
    """Return the ways of texts that begin with a start and go on with the rest of an ARN, or with a session's name: two
    characters or more, and no colon (VARS, API_AssumeRole)."""
    one, run, colon = globs.Token("any", "", True), globs.Token("run", "", True), globs.Token("char", ":")
    rest: tuple[globs.Token, ...] = (one, one, run)
    if domain.value_type == "ARN":
        open_fields = grammar.ARN_FIELDS - 1 - domain.start.count(":")
        service = (one, run, colon)
        rest = (*service, *(run, colon) * (open_fields - 1), globs.Token("any"), globs.Token("run"))
    begun = globs.Glob((*globs.literal(domain.start).tokens, *rest))
    vectors = globs.truth_vectors((*patterns, begun))
    return None if vectors is None else {way[:-1]: text for way, text in vectors.items() if way[-1]}


def _literal_rows(patterns: tuple[globs.Glob, ...]) -> dict[tuple[bool, ...], str] | None:
    """Return the ways of texts without wildcards: each one alone, and any other text."""
    texts = [pattern.literal for pattern in patterns]
    if any(text is None or text == "" for text in texts):
        return None
    found = {tuple(other == text for other in texts): str(text) for text in texts}
    fresh = next(text for text in (f"other{n or ''}" for n in itertools.count()) if text not in texts)
    found[tuple(False for _ in texts)] = fresh
    return found


def _ordered(read_values: list[Decimal]) -> list[Decimal]:
    """Return each boundary, a value between each two, and one beyond either end."""
    edges = sorted(set(read_values))
    if not edges:
        return [Decimal(0)]
    with localcontext(prec=_digits(edges)):
        between = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
        return [edges[0] - 1, *edges, *between, edges[-1] + 1]


def _digits(edges: list[Decimal]) -> int:
    """Return how many digits hold a sum, and a half of it, of any two of the numbers and 1 without rounding."""
    first = max(0, *(edge.adjusted() for edge in edges))
    last = min(0, *(int(edge.as_tuple().exponent) for edge in edges))
    return first - last + 4


def _numbers(tests: tuple[Test, ...], domain: KeyDomain) -> list[str]:
    """Return numbers, and seconds since 1970 for dates."""
    read = [_number(test, value) for test in tests for value in predicates.plain_values(test)]
    edges = [value for value in (*read, domain.least) if value is not None]
    found = [format(value, "f") for value in _ordered(edges) if domain.least is None or value >= domain.least]
    return found if domain.value_type is not None else [*found, "no number"]


def _number(test: Test, value: str) -> Decimal | None:
    return grammar.instant(value) if predicates.family(test.operator) == "instant" else grammar.number(value)


def _booleans(tests: tuple[Test, ...], domain: KeyDomain) -> list[str]:
    del tests
    return ["true", "false"] if domain.value_type is not None else ["true", "false", "neither"]


def _octets(values: list[str], domain: KeyDomain) -> list[str]:
    """Return each text of bytes that is mentioned, and one that is longer than all of them."""
    mentioned = [value for value in dict.fromkeys(values) if value and grammar.octets(value) is not None]
    other = "AAAA" * (max(map(len, mentioned), default=0) // 4 + 1)
    return [*mentioned, other] if domain.value_type is not None else [*mentioned, other, "no bytes"]


def _others(tests: tuple[Test, ...], domain: KeyDomain) -> list[str]:
    values = [value for test in tests for value in predicates.plain_values(test)]
    if predicates.family(tests[0].operator) == "octets":
        return _octets(values, domain)
    networks = [found for value in values if (found := grammar.network(value)) is not None]
    candidates: list[str] = []
    for net in networks:
        first, last = net.network_address, net.broadcast_address
        candidates.append(str(first + 1) if net.num_addresses > 1 else str(first))
        if int(last) + 1 < 1 << net.max_prefixlen:
            candidates.append(str(last + 1))
        candidates += [str(first), str(last)]
    candidates += ["203.0.113.77", "0.0.0.0", "255.255.255.255", "2001:db8::77", "::"]
    return candidates if domain.value_type is not None else [*candidates, "no address"]
