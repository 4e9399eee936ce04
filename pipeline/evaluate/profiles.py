"""Groups principals into profiles: the same statements in each layer and the same facts get the same answers."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from pipeline.evaluate.callers import Asked, Caller, Callers, Excused, parts_of
from pipeline.evaluate.knowledge import principal_facts
from pipeline.iam.grammar import partition_in
from pipeline.iam.principals import sessions_of

Text = TypeVar("Text", str, str | None)
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
    is_service_linked: bool

    @property
    def partition(self) -> str:
        """Partition of the ARN; an empty text of a loose document, which has none."""
        return partition_in(self.principal_arn)

    def is_named_with_account(self, names: Set[str]) -> bool:
        """Whether both the principal and its account are among names in an element Principal or NotPrincipal."""
        account = {self.account_id, f"arn:{self.partition}:iam::{self.account_id}:root"}
        return self.principal_arn in names and not names.isdisjoint(account)

    def sessions_among(self, names: Set[str]) -> tuple[str, ...]:
        """Return the names of the role's sessions, its own account id in the account's form."""
        start = sessions_of(self.partition, self.account_id, self.principal_name)
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


@dataclass
class Profiles:
    """The profiles so far, with one caller for each of their facts_ids.

    ``exemptions`` are the names in NotPrincipal by the id of the statement.
    """

    callers: Callers
    exemptions: Mapping[str, frozenset[str]]
    by_profile: dict[Profile, int] = field(default_factory=dict)
    by_facts: dict[tuple[object, ...], int] = field(default_factory=dict)
    _asked_of_all: dict[tuple[str | None, ...], Asked] = field(default_factory=dict)

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

    def _facts_id(self, principal: Principal) -> int:
        facts = principal.facts()
        asked = self._asked_of(principal)
        known = self.callers.come_to(asked, facts)
        excused = self._excused(principal)
        partition = principal.partition or self._partition_named(principal.identity_parts)
        key = (principal.own_account, partition, principal.principal_type, asked.number, known, excused)
        if key not in self.by_facts:
            self.by_facts[key] = len(self.callers.listed)
            is_user = principal.principal_type == "user"
            self.callers.listed.append(Caller(facts, principal.own_account, partition, is_user, excused))
        return self.by_facts[key]

    def _partition_named(self, parts: str) -> str:
        """Return the partition that a loose document's patterns name: aws where none does, any where several do."""
        patterns = [pattern for number, _ in parts_of(parts) for pattern in self.callers.statements[number].resources]
        named = {pattern.split(":")[1] for pattern in patterns if pattern.startswith("arn:") and pattern.count(":") > 1}
        return "aws" if not named else named.pop() if len(named) == 1 else "*"

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
            entries = tuple(number for text in texts[4:] for number, _ in parts_of(text))
            self._asked_of_all[texts] = self.callers.asked_by((*own, *self.callers.statements_of(entries)))
        return self._asked_of_all[texts]

    def _excused(self, principal: Principal) -> Excused:
        """Return the entries of NotPrincipal that leave the principal out (NPRIN): never one with a boundary.

        The list must hold the principal and its account, for a role the session too.
        """
        numbers = [
            n
            for n, _ in parts_of(principal.account_environment_parts)
            if self.callers.entries[n]["named_as"] == "not_principal"
        ]
        if not numbers or principal.boundary_parts is not None:
            return ()
        found = []
        for number in numbers:
            names = self.exemptions[self.callers.entries[number]["statement_id"]]
            sessions = principal.sessions_among(names)
            if principal.is_named_with_account(names) and (principal.principal_type == "user" or sessions):
                found.append((number, sessions))
        return tuple(found)
