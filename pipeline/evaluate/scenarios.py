"""Scenarios: what is taken for granted of requests, and what conditions come to under it. Reads no file and no lake.

A scenario is a conjunction of facts, one a key. A condition is allowed under it if every request that has these facts
meets it, denied if none does; what a scenario leaves open stays unknown.
"""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.formula import Formula, Junction, Test
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.tables import OWN_ACCOUNT
from pipeline.evaluate.verdicts import Known
from pipeline.iam.request_keys import one_spelling

#: Operators that say of a key that its value is one of those listed, by the key's data type.
SAME: dict[str, str] = {
    "Bool": "Bool", "Numeric": "NumericEquals", "Date": "DateEquals", "IPAddress": "IpAddress",
    "Binary": "BinaryEquals",
}  # fmt: skip
ACCOUNT_ID = re.compile(r"\d{12}")
WILDCARD = re.compile(r"[*?]")


class Fact(NamedTuple):
    """What a scenario says of one key. Without ``values`` and ``excluded`` it has any value.

    ``key`` is in AWS's spelling; ``value_type`` is String, ARN, Bool, ..., None where the reference does not tell. The
    value is one of ``values`` (of a key with many values: these together) and none of ``excluded``; texts may hold
    * and ?, addresses a prefix. ``follows_from`` is the key that AWS ties it to, None where the scenario says it.
    """

    key: str
    value_type: str | None
    is_multivalued: bool
    values: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    can_be_absent: bool = False
    can_be_present: bool = True
    follows_from: str | None = None

    @property
    def fixed(self) -> tuple[str, ...] | None:
        """The one state that the key can be in: its values, () for absent; None where there are several."""
        if not self.can_be_present:
            return ()
        if self.can_be_absent or self.excluded or not self.values:
            return None
        if self.is_multivalued:
            return self.values
        return self.values if len(self.values) == 1 and not self._is_pattern(self.values[0]) else None

    def _is_pattern(self, value: str) -> bool:
        if self.value_type == "IPAddress":
            return ipaddress.ip_network(value).num_addresses > 1
        return is_text(self.value_type) and WILDCARD.search(value) is not None

    def holds(self, key: str) -> Formula:
        """Return the fact as a formula over ``key``, which may be another spelling of its own."""
        absent = Test("Null", None, False, key, ("true",))
        if not self.can_be_present:
            return absent
        parts: list[Formula] = [Test("Null", None, False, key, ("false",))]
        if self.values:
            parts.append(self._is_one_of(key, self.values))
        if self.excluded:
            parts.append(formulas.negation(self._is_one_of(key, self.excluded)))
        present = formulas.conjunction(parts)
        return formulas.disjunction((absent, present)) if self.can_be_absent else present

    def _is_one_of(self, key: str, values: tuple[str, ...]) -> Test:
        operator = SAME.get(self.value_type or "String")
        if operator is None:
            operator = "StringLike" if any(WILDCARD.search(value) for value in values) else "StringEquals"
        return Test(operator, None, False, key, values)


class Scenario(NamedTuple):
    """A named set of facts. ``source`` is the file that it comes from; ``placeholders`` are the keys whose values stand
    for the user's own and are to be replaced."""

    name: str
    title: str
    description: str
    facts: tuple[Fact, ...]
    placeholders: tuple[str, ...]
    source: str

    @property
    def by_key(self) -> dict[str, Fact]:
        """The facts by their keys as formulas name them."""
        return {one_spelling(fact.key): fact for fact in self.facts}


def is_text(value_type: str | None) -> bool:
    """Whether values of a data type are texts, in which * and ? stand for anything."""
    return value_type is None or value_type.removeprefix("ArrayOf") in ("String", "ARN")


def said(fact: Fact) -> str:
    """Return a fact in words."""
    if not fact.can_be_present:
        return f"{fact.key} is absent"
    joined = " and " if fact.is_multivalued else " or "
    told = [f"is {joined.join(fact.values)}"] if fact.values else []
    told += [f"is not {' and not '.join(fact.excluded)}"] if fact.excluded else []
    if not told:
        told = ["is present"]
    elif fact.excluded and not fact.values:
        told = ["is present", *told]
    words = f"{fact.key} {' and '.join(told)}"
    return f"{words}, or absent" if fact.can_be_absent else words


class Reading:
    """Reads formulas again under one scenario; remembers what it was asked."""

    def __init__(self, scenario: Scenario, solver: Solver) -> None:
        self.facts: Mapping[str, Fact] = scenario.by_key
        self.solver = solver
        self.reread = lru_cache(maxsize=1 << 16)(self._reread)

    def _reread(self, f: Formula) -> Formula:
        """Return what is left of a formula: True where the scenario implies it, False where the two exclude each other,
        else a formula that, in the scenario, says the same."""
        facts = self._facts_of(f)
        rest = formulas.replaced(f, predicates.truths(f, lambda key: facts[key].fixed if key in facts else None))
        assumed = self.assumed(rest)
        if rest == f and assumed is True:
            return f
        together = formulas.conjunction((assumed, rest))
        if not self.solver.is_possible(together):
            return False
        if self.solver.implies(assumed, rest):
            return True
        return self.solver.simplified(self._pruned(rest, assumed))

    def assumed(self, f: Formula) -> Formula:
        """Return what the scenario says of the keys of a formula."""
        return formulas.conjunction(fact.holds(key) for key, fact in self._facts_of(f).items())

    def _facts_of(self, f: Formula) -> dict[str, Fact]:
        """Return the facts about a formula's keys, but those that a test compares with an account that nobody knows."""
        found = {}
        for test in formulas.tests(f):
            fact = self.facts.get(one_spelling(test.key))
            if fact is not None:
                found[test.key] = fact
        for test in formulas.tests(f):
            if test.key in found and depends_on_account(test, found[test.key]):
                del found[test.key]
        return found

    def _pruned(self, f: Formula, assumed: Formula) -> Formula:
        """Return the formula without what does nothing where something is assumed."""
        if assumed is True or isinstance(f, bool):
            return f
        if not isinstance(f, Junction) or f.kind == "not":
            return self._settled_under(f, assumed)
        join = formulas.conjunction if f.kind == "and" else formulas.disjunction
        kept = [self._pruned(part, assumed) for part in f.parts]
        for part in list(kept):
            rest = join(other for other in kept if other is not part)
            left, right = (rest, part) if f.kind == "and" else (part, rest)
            if len(kept) > 1 and self.solver.implies(formulas.conjunction((assumed, left)), right):
                kept.remove(part)
        return join(kept)

    def _settled_under(self, f: Formula, assumed: Formula) -> Formula:
        if self.solver.implies(assumed, f):
            return True
        return f if self.solver.is_possible(formulas.conjunction((assumed, f))) else False


def verdict(rest: Formula) -> Known:
    """Return what a formula that was read again comes to."""
    if isinstance(rest, bool):
        return "allowed" if rest else "denied"
    return "conditional"


def depends_on_account(test: Test, fact: Fact) -> bool:
    """Whether a test compares a fact with a text that holds the principal's own account, and its id might matter.

    A text without twelve digits in a row is not, and is not like, one that holds an account's id.
    """
    if not any(OWN_ACCOUNT in value for value in test.values):
        return False
    told = (*fact.values, *fact.excluded)
    is_plain = not any(ACCOUNT_ID.search(value) or WILDCARD.search(value) for value in told)
    return not (is_plain and predicates.family(test.operator) == "text")
