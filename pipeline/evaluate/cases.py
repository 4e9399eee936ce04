"""Splits the actions of a profile by the statements that match them: all actions of one case get their answer from the
same statements. Sets of actions are bits of a number, so that thousands of profiles are split in moments.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.evaluate.callers import Callers, Numbers, parts_of
from pipeline.evaluate.profiles import Profile
from pipeline.evaluate.relevance import Relevance, governed_by
from pipeline.iam.services import is_service_linked_role

#: Statements by number, level by level.
Levels = tuple[Numbers, ...]
#: Entries by number, each with the RCPs of the resource's owner that match the action.
Entries = tuple[tuple[int, Levels], ...]
#: A set of actions: bit n is the action of that number.
Actions = int


class Limits(NamedTuple):
    """The statements of a boundary, of the SCPs and of the RCPs that match an action. None: there is no such layer."""

    boundary: Numbers | None
    scps: Levels | None
    rcps: Levels


class Case(NamedTuple):
    """The statements that match an action, by layer and number. ``entries`` are what resource-based policies say.

    ``facts_id`` is one of those whose facts agree in all that the statements ask for.
    """

    identity: Numbers
    limits: Limits
    entries: Entries
    facts_id: int


def split(parts: Iterable[tuple[int, Actions]], everything: Actions) -> dict[Numbers, Actions]:
    """Return the actions by the numbers of the parts that match them. Each part comes with the actions it matches."""
    matched: dict[int, Actions] = {}
    for number, actions in parts:
        matched[number] = matched.get(number, 0) | actions
    blocks: dict[Numbers, Actions] = {(): everything}
    for number, actions in matched.items():
        for numbers, block in list(blocks.items()):
            inside = block & actions
            if inside:
                blocks[*numbers, number] = inside
                blocks[numbers] = block & ~actions
    return {numbers: block for numbers, block in blocks.items() if block}


@dataclass
class Cases:
    """Splits profiles and remembers. ``members`` are the actions of each action set."""

    callers: Callers
    relevance: Relevance
    members: Mapping[int, Actions]
    everything: Actions
    rcp_supported: Actions
    _splits: dict[str, dict[Numbers, Actions]] = field(default_factory=dict)
    _chains: dict[tuple[str, Actions], dict[Levels, Actions]] = field(default_factory=dict)
    _limits: dict[tuple[str | None, str | None, str | None], Sequence[tuple[Limits, Actions]]] = field(
        default_factory=dict
    )
    _cases: dict[Case, Case] = field(default_factory=dict)
    _entries: dict[tuple[str, str, bool], dict[Entries, Actions]] = field(default_factory=dict)

    def of(self, profile: Profile) -> Iterator[tuple[Case, Actions]]:
        """Yield the cases of a profile, each with its actions; actions that nothing can grant are in none."""
        limits = self._limits_of(profile)
        entries = self._entries_of(profile)
        for mine, actions in self._split(profile.identity_parts).items():
            for theirs, entered in entries.items():
                either = actions & entered if mine or theirs else 0
                for limit, limited in limits if either else ():
                    if either & limited:
                        yield self._case(mine, limit, theirs, profile.facts_id), either & limited

    def _case(self, identity: Numbers, limits: Limits, entries: Entries, facts_id: int) -> Case:
        """Return the case of a profile with these facts, the same for all whose facts differ in nothing that counts."""
        given = Case(identity, limits, entries, facts_id)
        found = self._cases.get(given)
        if found is None:
            statements = (identity, *_all_of(limits), *(level for _, rcps in entries for level in rcps))
            alike = self.callers.alike(facts_id, statements, tuple(number for number, _ in entries))
            found = self._cases[given] = given._replace(facts_id=alike)
        return found

    def _split(self, text: str) -> dict[Numbers, Actions]:
        if text not in self._splits:
            statements = self.callers.statements
            self._splits[text] = split(
                (
                    (number, self.members[action_set] & self.relevance.of_statement(statements[number]))
                    for number, action_set in parts_of(text)
                ),
                self.everything,
            )
        return self._splits[text]

    def _entries_of(self, profile: Profile) -> dict[Entries, Actions]:
        key = (profile.account_environment_parts, profile.environment_parts, profile.is_service_linked)
        if key not in self._entries:
            blocks = split((part for text in key[:2] for part in self._entry_parts(text)), self.everything)
            self._entries[key] = {
                entries: actions
                for numbers, block in blocks.items()
                for entries, actions in self._with_rcps(numbers, block, profile.is_service_linked).items()
            }
        return self._entries[key]

    def _entry_parts(self, text: str) -> Iterator[tuple[int, Actions]]:
        for number, action_set in parts_of(text):
            resource_arn = self.callers.entries[number]["resource_arn"]
            yield number, self.members[action_set] & self.relevance.of_resource(governed_by(resource_arn))

    def _with_rcps(self, numbers: Numbers, actions: Actions, is_service_linked: bool) -> dict[Entries, Actions]:
        """Split by the RCPs of the resources' owners. They bind neither service-linked roles nor their use (RCP)."""
        blocks: dict[Entries, Actions] = {(): actions}
        for number in numbers:
            entry = self.callers.entries[number]
            rcps = None if is_service_linked or is_service_linked_role(entry["resource_arn"]) else entry["rcps"]
            chain = self._chain(rcps or "", self.rcp_supported)
            blocks = {
                (*entries, (number, levels)): block & ruled
                for entries, block in blocks.items()
                for levels, ruled in chain.items()
                if block & ruled
            }
        return blocks

    def _limits_of(self, profile: Profile) -> Sequence[tuple[Limits, Actions]]:
        key = (profile.boundary_parts, profile.scp_parts, profile.rcp_parts)
        if key not in self._limits:
            self._limits[key] = list(self._limits_from(*key))
        return self._limits[key]

    def _limits_from(
        self, boundary: str | None, scps: str | None, rcps: str | None
    ) -> Iterator[tuple[Limits, Actions]]:
        for allowed, bounded in self._split(boundary or "").items():
            for levels, guarded in self._chain(scps or "", self.everything).items():
                for rules, ruled in self._chain(rcps or "", self.rcp_supported).items():
                    actions = bounded & guarded & ruled
                    if actions:
                        own = None if boundary is None else allowed
                        yield Limits(own, None if scps is None else levels, rules), actions

    def _chain(self, text: str, supported: Actions) -> dict[Levels, Actions]:
        """Split by the levels of a chain. It speaks for the supported actions only; an empty text has no levels."""
        key = (text, supported)
        if key not in self._chains:
            others = self.everything & ~supported
            blocks: dict[Levels, Actions] = {(): supported}
            for level in text.split("/")[1:]:
                blocks = {
                    (*above, numbers): actions & block
                    for above, actions in blocks.items()
                    for numbers, block in self._split(level).items()
                    if actions & block
                }
            self._chains[key] = {**blocks, (): blocks.get((), 0) | others} if others else blocks
        return self._chains[key]


def _all_of(limits: Limits) -> Iterator[Numbers]:
    yield limits.boundary or ()
    yield from limits.scps or ()
    yield from limits.rcps
