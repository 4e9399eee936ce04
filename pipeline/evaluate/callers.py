"""Knows what the principals of a kind share, and which of them differ in nothing that statements ask for."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline.evaluate import predicates
from pipeline.evaluate.formula import KNOWN, Test, order
from pipeline.evaluate.knowledge import Facts, fact, settled, told
from pipeline.evaluate.statements import NumberedStatement

Numbers = tuple[int, ...]
Excused = tuple[tuple[int, tuple[str, ...]], ...]


class Caller(NamedTuple):
    """What the principals of one ``facts_id`` share, taken from one of them.

    ``excused`` are the entries of NotPrincipal that leave the principal out: a user always, a role in the sessions that
    are named.
    """

    facts: Facts
    own_account: str
    partition: str
    is_user: bool
    excused: Excused


class Asked(NamedTuple):
    """What statements ask for of the principal: tests on its facts, and keys whose values themselves matter."""

    number: int
    tests: tuple[Test, ...]
    keys: tuple[str, ...]


@dataclass
class Callers:
    """One caller for each facts_id, which is its place in ``listed``. ``statements`` and ``entries`` (what
    resource-based policies say) are by number; more may be learned."""

    statements: dict[int, NumberedStatement]
    entries: dict[int, dict[str, Any]]
    listed: list[Caller] = field(default_factory=list)
    _alike: dict[tuple[int, tuple[Numbers, ...], Numbers], int] = field(default_factory=dict)
    _first_alike: dict[tuple[object, ...], int] = field(default_factory=dict)
    _asking: set[int] = field(default_factory=set)
    _spoken: dict[Numbers, Numbers] = field(default_factory=dict)
    _asked: dict[Numbers, Asked] = field(default_factory=dict)
    _distinct: dict[tuple[tuple[Test, ...], tuple[str, ...]], Asked] = field(default_factory=dict)
    _known: dict[tuple[int, int], tuple[object, ...]] = field(default_factory=dict)
    _truths: dict[tuple[Test, tuple[str, ...]], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._asking = _asking(self.statements)

    def learn(self, statements: Mapping[int, NumberedStatement], entries: Mapping[int, dict[str, Any]]) -> None:
        """Add statements and entries that are not known yet: a number means the same wherever it stands."""
        self.statements.update(statements)
        self.entries.update(entries)
        self._asking |= _asking(statements)

    def __reduce__(self) -> tuple[type["Callers"], tuple[object, ...]]:
        """Leave behind what is remembered: another process finds it anew."""
        return Callers, (self.statements, self.entries, self.listed)

    def alike(self, facts_id: int, statements: tuple[Numbers, ...], entries: Numbers) -> int:
        """Return one facts_id for all whose facts agree in what the statements and entries ask for."""
        key = (facts_id, statements, entries)
        found = self._alike.get(key)
        if found is None:
            found = self._alike[key] = self._first_alike.setdefault(self._agreeing(*key), facts_id)
        return found

    def _agreeing(self, facts_id: int, statements: tuple[Numbers, ...], entries: Numbers) -> tuple[object, ...]:
        """Return what those have in common whose facts agree in what the statements and entries ask for."""
        caller = self.listed[facts_id]
        groups = (*statements, self.statements_of(entries)) if entries else statements
        known = self.known([number for numbers in groups for number in numbers], facts_id)
        excused = tuple(pair for pair in caller.excused if pair[0] in entries)
        denying = tuple(n for n in entries if self.entries[n]["named_as"] == "not_principal")
        named = (caller.is_user, denying, excused) if entries else None
        return (caller.own_account, caller.partition, known, named)

    def known(self, numbers: Iterable[int], facts_id: int) -> tuple[object, ...]:
        """Return what the facts come to as far as the statements ask for them, with the number of what they ask."""
        asked = self.asked_by(numbers)
        if not asked.tests and not asked.keys:
            return ()
        if (asked.number, facts_id) not in self._known:
            come_to = self.come_to(asked, self.listed[facts_id].facts)
            self._known[asked.number, facts_id] = (asked.number, *come_to)
        return self._known[asked.number, facts_id]

    def come_to(self, asked: Asked, facts: Facts) -> tuple[object, ...]:
        """Return what facts come to as far as statements ask for them."""
        return (
            *(self._truth(test, facts) for test in asked.tests),
            *(told(facts, key) for key in asked.keys),
        )

    def _truth(self, test: Test, facts: Facts) -> bool | str | None:
        """Return the truth of a test on the principal; where it depends on the request, what values begin with."""
        known = fact(facts, test.key)
        if known is None:
            begins = facts.get(test.key + KNOWN)
            return None if begins is None else self._settled(test, begins[0])
        if (test, known) not in self._truths:
            self._truths[test, known] = predicates.holds(test, known)
        return self._truths[test, known]

    def _settled(self, test: Test, start: str) -> bool | str:
        found = settled(test._replace(key=test.key + KNOWN + start))
        return start if found is None else found

    def asked_by(self, numbers: Iterable[int]) -> Asked:
        """Return what statements ask for. Most ask for nothing: what is asked has few forms."""
        asking = tuple(sorted(self._asking.intersection(numbers)))
        found = self._asked.get(asking)
        if found is None:
            statements = [self.statements[number] for number in asking]
            tests = tuple(sorted({test for s in statements for test in s.principal_tests}, key=order))
            keys = tuple(sorted({key for s in statements for key in s.fact_keys}))
            found = self._distinct.setdefault((tests, keys), Asked(len(self._distinct), tests, keys))
            self._asked[asking] = found
        return found

    def statements_of(self, entries: Numbers) -> Numbers:
        """Return the statements of entries, and the RCPs of the resource's owner."""
        if entries not in self._spoken:
            listed = [self.entries[number] for number in entries]
            rcps = {number for entry in listed for number, _ in parts_of(entry["rcps"])}
            self._spoken[entries] = tuple({entry["statement_number"] for entry in listed} | rcps)
        return self._spoken[entries]


def _asking(statements: Mapping[int, NumberedStatement]) -> set[int]:
    """Return the statements that ask for something of the principal."""
    return {n for n, s in statements.items() if s.principal_tests or s.fact_keys}


@lru_cache(maxsize=1 << 16)
def parts_of(text: str | None) -> tuple[tuple[int, int], ...]:
    """Return the parts (number, action set) in a text of parts, or of a chain's levels of parts."""
    pairs = (part.split(":") for part in (text or "").replace("/", ",").split(",") if part)
    return tuple((int(number), int(action_set)) for number, action_set in pairs)


def read_entry(text: str) -> dict[str, Any]:
    """Return what an environment entry says."""
    found: dict[str, Any] = json.loads(text)
    return found
