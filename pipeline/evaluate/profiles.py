"""Groups principals into profiles: the same statements in each layer and the same facts get the same answers."""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from pipeline.evaluate import predicates
from pipeline.evaluate.formula import Test, order
from pipeline.evaluate.knowledge import Facts, fact, principal_facts
from pipeline.evaluate.statements import NumberedStatement

Text = TypeVar("Text", str, str | None)
Tags = tuple[tuple[str, str], ...]
Numbers = tuple[int, ...]


class Principal(NamedTuple):
    """A row of ``principal_layers``. Parts are ``number:action set`` of statements (of entries in the environments)."""

    principal_arn: str
    account_id: str
    own_account: str
    principal_type: str
    principal_name: str
    principal_id: str | None
    tags: Tags
    identity_parts: str
    boundary_parts: str | None
    scp_parts: str | None
    rcp_parts: str | None
    account_environment_parts: str
    environment_parts: str
    organization_id: str | None
    ou_path: str | None
    has_session_tags: bool
    is_service_linked: bool

    @property
    def partition(self) -> str | None:
        """Partition of the ARN; a loose document has none."""
        fields = self.principal_arn.split(":")
        return fields[1] if len(fields) > 1 and fields[0] == "arn" else None

    def is_named_with_account(self, names: Set[str]) -> bool:
        """Whether both the principal and its account are among names in an element Principal or NotPrincipal."""
        account = {self.account_id, f"arn:{self.partition}:iam::{self.account_id}:root"}
        return self.principal_arn in names and not names.isdisjoint(account)

    def sessions_among(self, names: Set[str]) -> tuple[str, ...]:
        """Return the names of the role's sessions, its own account id in the account's form."""
        start = f"arn:{self.partition}:sts::{self.account_id}:assumed-role/{self.principal_name}/"
        return tuple(sorted(self._in_own_form(name) for name in names if name.startswith(start)))

    def facts(self) -> dict[str, tuple[str, ...]]:
        """Return what is known whenever the principal calls, its own account id in the account's form."""
        own, account = self._in_own_form, self.account_id
        return principal_facts(
            self.principal_type,
            own(self.principal_arn),
            own(account),
            own(self.principal_name),
            own(self.principal_id),
            tuple((key, own(value)) for key, value in self.tags),
            own(self.organization_id),
            own(self.ou_path),
            self.has_session_tags,
        )

    def _in_own_form(self, text: Text) -> Text:
        return text.replace(self.account_id, self.own_account) if text and self.account_id else text


Excused = tuple[tuple[int, tuple[str, ...]], ...]


class Example(NamedTuple):
    """What the principals of one ``facts_id`` share, taken from one of them.

    ``excused`` are the entries of NotPrincipal that leave the principal out: a user always, a role in the sessions that
    are named.
    """

    facts: Facts
    own_account: str
    partition: str
    is_user: bool
    excused: Excused


class Profile(NamedTuple):
    """What the answers to a principal depend on. Parts are those of :class:`Principal`."""

    facts_id: int
    identity_parts: str
    boundary_parts: str | None
    scp_parts: str | None
    rcp_parts: str | None
    account_environment_parts: str
    environment_parts: str
    is_service_linked: bool


class Asked(NamedTuple):
    """What statements ask for of the principal: tests on its facts, and keys whose values themselves matter."""

    number: int
    tests: tuple[Test, ...]
    keys: tuple[str, ...]


@dataclass
class Profiles:
    """The profiles so far. ``statements`` and ``entries`` (what resource-based policies say) are by number."""

    statements: Mapping[int, NumberedStatement]
    entries: Mapping[int, dict[str, Any]]
    exemptions: Mapping[str, frozenset[str]]
    by_profile: dict[Profile, int] = field(default_factory=dict)
    by_facts: dict[tuple[object, ...], int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    _alike: dict[tuple[object, ...], int] = field(default_factory=dict)
    _asked: dict[Numbers, Asked] = field(default_factory=dict)
    _asked_of_all: dict[tuple[str | None, ...], Asked] = field(default_factory=dict)
    _distinct: dict[tuple[tuple[Test, ...], tuple[str, ...]], Asked] = field(default_factory=dict)
    _known: dict[tuple[int, int], tuple[object, ...]] = field(default_factory=dict)
    _truths: dict[tuple[Test, tuple[str, ...]], bool] = field(default_factory=dict)

    def add(self, principal: Principal) -> int:
        """Return the number of the principal's profile."""
        profile = Profile(
            self._facts_id(principal),
            principal.identity_parts,
            principal.boundary_parts,
            principal.scp_parts,
            principal.rcp_parts,
            principal.account_environment_parts,
            principal.environment_parts,
            principal.is_service_linked,
        )
        return self.by_profile.setdefault(profile, len(self.by_profile) + 1)

    def alike(self, facts_id: int, statements: Iterable[Numbers], entries: Numbers) -> int:
        """Return one facts_id for all whose facts agree in what the statements and entries ask for."""
        example = self.examples[facts_id]
        groups = (*statements, self._statements_of(entries)) if entries else statements
        known = tuple(self.known(numbers, facts_id) for numbers in groups)
        excused = tuple(pair for pair in example.excused if pair[0] in entries)
        denying = tuple(n for n in entries if self.entries[n]["named_as"] == "not_principal")
        named = (example.is_user, denying, excused) if entries else None
        return self._alike.setdefault((example.own_account, example.partition, known, named), facts_id)

    def known(self, numbers: Numbers, facts_id: int) -> tuple[object, ...]:
        """Return what the facts come to as far as the statements ask for them, with the number of what they ask."""
        asked = self._asked_by(numbers)
        if not asked.tests and not asked.keys:
            return ()
        if (asked.number, facts_id) not in self._known:
            come_to = self._come_to(asked, self.examples[facts_id].facts)
            self._known[asked.number, facts_id] = (asked.number, *come_to)
        return self._known[asked.number, facts_id]

    def _come_to(self, asked: Asked, facts: Facts) -> tuple[object, ...]:
        return (
            *(self._truth(test, fact(facts, test.key)) for test in asked.tests),
            *(fact(facts, key) for key in asked.keys),
        )

    def _facts_id(self, principal: Principal) -> int:
        facts = principal.facts()
        asked = self._asked_of(principal)
        known = self._come_to(asked, facts)
        excused = self._excused(principal)
        partition = principal.partition or self._partition_named(principal.identity_parts)
        key = (principal.own_account, partition, principal.principal_type, asked.number, known, excused)
        if key not in self.by_facts:
            self.by_facts[key] = len(self.by_facts)
            is_user = principal.principal_type == "user"
            self.examples.append(Example(facts, principal.own_account, partition, is_user, excused))
        return self.by_facts[key]

    def _partition_named(self, parts: str) -> str:
        """Return the partition that a loose document's patterns name: aws where none does, any where several do."""
        patterns = [pattern for number, _ in parts_of(parts) for pattern in self.statements[number].resources]
        named = {pattern.split(":")[1] for pattern in patterns if pattern.startswith("arn:") and pattern.count(":") > 1}
        return "aws" if not named else named.pop() if len(named) == 1 else "*"

    def _truth(self, test: Test, known: tuple[str, ...] | None) -> bool | None:
        if known is None:
            return None
        if (test, known) not in self._truths:
            self._truths[test, known] = predicates.holds(test, known)
        return self._truths[test, known]

    def _asked_of(self, principal: Principal) -> Asked:
        """Return what all statements that count for a principal ask for."""
        texts = (
            principal.identity_parts,
            principal.boundary_parts,
            principal.scp_parts,
            principal.rcp_parts,
            principal.account_environment_parts,
            principal.environment_parts,
        )
        if texts not in self._asked_of_all:
            own = [number for text in texts[:4] for number, _ in parts_of(text)]
            entries = [number for text in texts[4:] for number, _ in parts_of(text)]
            self._asked_of_all[texts] = self._asked_by((*own, *self._statements_of(entries)))
        return self._asked_of_all[texts]

    def _asked_by(self, numbers: Numbers) -> Asked:
        if numbers not in self._asked:
            found = [self.statements[number] for number in dict.fromkeys(numbers)]
            tests = tuple(sorted({test for s in found for test in s.principal_tests}, key=order))
            keys = tuple(sorted({key for s in found for key in s.fact_keys}))
            self._asked[numbers] = self._distinct.setdefault((tests, keys), Asked(len(self._distinct), tests, keys))
        return self._asked[numbers]

    def _statements_of(self, entries: Iterable[int]) -> Numbers:
        """Return the statements of entries, and the RCPs of the resource's owner."""
        return tuple(
            number
            for entry in (self.entries[number] for number in entries)
            for number in (entry["statement_number"], *(number for number, _ in parts_of(entry["rcps"])))
        )

    def _excused(self, principal: Principal) -> Excused:
        """Return the entries of NotPrincipal that leave the principal out (NPRIN): never one with a boundary.

        The list must hold the principal and its account, for a role the session too.
        """
        numbers = [
            n
            for n, _ in parts_of(principal.account_environment_parts)
            if self.entries[n]["named_as"] == "not_principal"
        ]
        if not numbers or principal.boundary_parts is not None:
            return ()
        found = []
        for number in numbers:
            names = self.exemptions[self.entries[number]["statement_id"]]
            sessions = principal.sessions_among(names)
            if principal.is_named_with_account(names) and (principal.principal_type == "user" or sessions):
                found.append((number, sessions))
        return tuple(found)


@lru_cache(maxsize=1 << 16)
def parts_of(text: str | None) -> tuple[tuple[int, int], ...]:
    """Return the parts (number, action set) in a text of parts, or of a chain's levels of parts."""
    pairs = (part.split(":") for part in (text or "").replace("/", ",").split(",") if part)
    return tuple((int(number), int(action_set)) for number, action_set in pairs)


def read_entry(text: str) -> dict[str, Any]:
    """Return what an environment entry says."""
    found: dict[str, Any] = json.loads(text)
    return found
