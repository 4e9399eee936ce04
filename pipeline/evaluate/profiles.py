"""Groups principals into profiles: the same statements in each layer and the same facts get the same answers."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.evaluate import predicates
from pipeline.evaluate.formula import Test, order
from pipeline.evaluate.knowledge import Facts, fact, principal_facts
from pipeline.evaluate.relevance import Relevance, governed_by
from pipeline.evaluate.statements import NumberedStatement

Tags = tuple[tuple[str, str], ...]


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

    @property
    def partition(self) -> str | None:
        """Partition of the ARN; a loose document has none."""
        fields = self.principal_arn.split(":")
        return fields[1] if len(fields) > 1 and fields[0] == "arn" else None

    def facts(self) -> dict[str, tuple[str, ...]]:
        """Return what is known whenever the principal calls, its own account id in the account's form."""
        own, account = self._in_own_form, self.account_id
        return principal_facts(
            self.principal_type,
            own(self.principal_arn),
            own(account),
            own(self.principal_name),
            self.principal_id,
            tuple((key, own(value)) for key, value in self.tags),
            self.organization_id,
            self.ou_path,
            self.has_session_tags,
        )

    def _in_own_form(self, text: str) -> str:
        return text.replace(self.account_id, self.own_account) if self.account_id else text


class Example(NamedTuple):
    """What the principals of one ``facts_id`` share, taken from one of them."""

    facts: Facts
    own_account: str
    partition: str
    is_user: bool
    exempt_entries: frozenset[int]


class Profile(NamedTuple):
    """A row of ``profiles``: sets and chains by number, 0 for none.

    ``base_facts_id`` stands for ``facts_id`` where no statement asks for a fact of the principal.
    """

    facts_id: int
    base_facts_id: int
    identity_set_id: int
    has_boundary: bool
    boundary_set_id: int
    scp_chain_id: int
    rcp_chain_id: int
    account_environment_set_id: int
    environment_set_id: int


@dataclass
class Numbers:
    """Numbers texts in the order in which they come, from 1; an empty text or None is 0."""

    by_text: dict[str, int] = field(default_factory=dict)

    def of(self, text: str | None) -> int:
        """Return the number of a text."""
        return self.by_text.setdefault(text, len(self.by_text) + 1) if text else 0


@dataclass
class Profiles:
    """The profiles so far. ``statements`` and ``entries`` (what resource-based policies say) are by number."""

    statements: Mapping[int, NumberedStatement]
    entries: Mapping[int, dict[str, Any]]
    exemptions: Mapping[str, frozenset[str]]
    sets: Numbers = field(default_factory=Numbers)
    chains: Numbers = field(default_factory=Numbers)
    by_profile: dict[Profile, int] = field(default_factory=dict)
    by_facts: dict[tuple[object, ...], int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    _base_facts: dict[tuple[str, str], int] = field(default_factory=dict)
    _asked: dict[str, tuple[tuple[Test, ...], tuple[str, ...]]] = field(default_factory=dict)
    _truths: dict[tuple[Test, tuple[str, ...]], bool] = field(default_factory=dict)

    def add(self, principal: Principal) -> int:
        """Return the number of the principal's profile."""
        facts_id = self._facts_id(principal)
        example = self.examples[facts_id]
        profile = Profile(
            facts_id,
            self._base_facts.setdefault((example.own_account, example.partition), facts_id),
            self.sets.of(principal.identity_parts),
            principal.boundary_parts is not None,
            self.sets.of(principal.boundary_parts),
            self.chains.of(principal.scp_parts),
            self.chains.of(principal.rcp_parts),
            self.sets.of(_entry_set(principal.account_environment_parts)),
            self.sets.of(_entry_set(principal.environment_parts)),
        )
        return self.by_profile.setdefault(profile, len(self.by_profile) + 1)

    def _facts_id(self, principal: Principal) -> int:
        facts = principal.facts()
        tests, variables = self._asked_of(principal)
        truths = tuple((test, self._truth(test, fact(facts, test.key))) for test in tests)
        values = tuple((key, fact(facts, key)) for key in variables)
        exempt = self._exempt(principal)
        partition = principal.partition or self._partition_named(principal.identity_parts)
        key = (principal.own_account, partition, principal.principal_type, truths, values, exempt)
        if key not in self.by_facts:
            self.by_facts[key] = len(self.by_facts)
            is_user = principal.principal_type == "user"
            self.examples.append(Example(facts, principal.own_account, partition, is_user, exempt))
        return self.by_facts[key]

    def _partition_named(self, parts: str) -> str:
        """Return the partition that a loose document's patterns name: aws where none does, any where several do."""
        patterns = [pattern for number in numbers_in(parts) for pattern in self.statements[number].resources]
        named = {pattern.split(":")[1] for pattern in patterns if pattern.startswith("arn:") and pattern.count(":") > 1}
        return "aws" if not named else named.pop() if len(named) == 1 else "*"

    def _truth(self, test: Test, known: tuple[str, ...] | None) -> bool | None:
        if known is None:
            return None
        if (test, known) not in self._truths:
            self._truths[test, known] = predicates.holds(test, known)
        return self._truths[test, known]

    def _asked_of(self, principal: Principal) -> tuple[tuple[Test, ...], tuple[str, ...]]:
        """Return the tests on the principal's own facts in all its statements, and the keys whose values matter."""
        texts = (principal.identity_parts, principal.boundary_parts, principal.scp_parts, principal.rcp_parts)
        tests: set[Test] = set()
        variables: set[str] = set()
        for text in (*(t for t in texts if t), self._entry_statements(principal)):
            asked, needed = self._asked_in(text)
            tests |= {*asked}
            variables |= {*needed}
        return tuple(sorted(tests, key=order)), tuple(sorted(variables))

    def _asked_in(self, text: str) -> tuple[tuple[Test, ...], tuple[str, ...]]:
        if text not in self._asked:
            found = [self.statements[number] for number in numbers_in(text)]
            tests = {t for s in found for t in s.principal_tests}
            variables = {key for s in found for key in s.fact_keys}
            self._asked[text] = (tuple(tests), tuple(variables))
        return self._asked[text]

    def _entry_statements(self, principal: Principal) -> str:
        numbers = [*numbers_in(principal.account_environment_parts), *numbers_in(principal.environment_parts)]
        return ",".join(str(self.entries[number]["statement_number"]) for number in numbers)

    def _exempt(self, principal: Principal) -> frozenset[int]:
        """Return the entries of NotPrincipal that leave the principal out (NPRIN): never one with a boundary."""
        numbers = [
            n for n in numbers_in(principal.account_environment_parts) if self.entries[n]["named_as"] == "not_principal"
        ]
        if not numbers or principal.boundary_parts is not None:
            return frozenset()
        account = {principal.account_id, f"arn:{principal.partition}:iam::{principal.account_id}:root"}
        listed = {number: self.exemptions[self.entries[number]["statement_id"]] for number in numbers}
        return frozenset(n for n, names in listed.items() if principal.principal_arn in names and names & account)

    def set_parts(self, relevance: Relevance) -> Iterator[tuple[int, int, int, int, bool]]:
        """Yield (set, part number, action set, class of forms, whether it asks for facts) of every set."""
        for text, set_id in self.sets.by_text.items():
            is_environment = text.startswith("entries ")
            for part in text.removeprefix("entries ").split(","):
                number, action_set_id = (int(text) for text in part.split(":"))
                yield (set_id, number, action_set_id, *self._class_of(number, is_environment, relevance))

    def _class_of(self, number: int, is_environment: bool, relevance: Relevance) -> tuple[int, bool]:
        if is_environment:
            return relevance.class_of_resource(governed_by(self.entries[number]["resource_arn"])), True
        statement = self.statements[number]
        return relevance.class_of(statement), bool(statement.principal_tests or statement.fact_keys)

    def chain_levels(self) -> Iterator[tuple[int, int, int]]:
        """Yield (chain, level, set) of every chain. Adds the levels' sets."""
        for text, chain_id in self.chains.by_text.items():
            for level, parts in enumerate(text.split("/")[1:]):
                yield chain_id, level, self.sets.of(parts)


def numbers_in(text: str) -> Iterable[int]:
    """Return the numbers in a text of parts, chain or case, each once; what follows a colon is left out."""
    return list({int(part.split(":", 1)[0]): None for part in text.replace("/", ",").split(",") if part})


def _entry_set(parts: str) -> str:
    return f"entries {parts}" if parts else ""


def read_entry(text: str) -> dict[str, Any]:
    """Return what an environment entry says."""
    found: dict[str, Any] = json.loads(text)
    return found
