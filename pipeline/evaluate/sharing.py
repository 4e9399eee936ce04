"""Finds what resource-based policies say to a case: of resources of its own account, and of those of others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.evaluate.actions import Place, TypeForm
from pipeline.evaluate.callers import Caller, Numbers
from pipeline.evaluate.cases import Entries, Levels
from pipeline.evaluate.knowledge import resource_facts
from pipeline.evaluate.reading import Resources
from pipeline.evaluate.relevance import governed_by, meets

#: The id of an organization, and the path to an account in it.
Organization = tuple[str, str | None]


class Neighbour(NamedTuple):
    """A resource of another account whose policy speaks: its entries, and the RCPs of its owner. Equal ``number``,
    equal neighbours. ``owner_number`` is that of the account."""

    number: int
    owner_number: int
    resource_arn: str
    resources: Resources
    entries: Numbers
    rcps: Levels


class Shared(NamedTuple):
    """What resource-based policies say of resources of a type: entries of the own account's, and neighbours."""

    own: Numbers
    neighbours: tuple[Neighbour, ...]


@dataclass
class Sharing:
    """Finds and remembers. ``entries`` are what resource-based policies say, by number."""

    entries: Mapping[int, dict[str, Any]]
    _resources: dict[tuple[Place, Organization | None], Resources] = field(default_factory=dict)
    _neighbours: dict[tuple[object, ...], Neighbour] = field(default_factory=dict)
    _shared: dict[tuple[object, ...], Shared] = field(default_factory=dict)

    def own_resources(self, caller: Caller) -> Resources:
        """Return the resources of the principal's own account; of a loose document no account is known."""
        ids, paths = (caller.facts.get(key, ()) for key in ("aws:principalorgid", "aws:principalorgpaths"))
        organization = (ids[0], paths[0] if paths else None) if ids else None
        return self._resources_at(Place(caller.own_account, caller.partition), organization)

    def resources_anywhere(self, caller: Caller) -> Resources:
        """Return the resources of any account."""
        return self._resources_at(Place("*", caller.partition), None)

    def of(self, spoken: Entries, caller: Caller, kind: TypeForm) -> Shared:
        """Return what entries say of resources of a type."""
        key = (spoken, caller.own_account, caller.partition, kind.arn_format)
        if key not in self._shared:
            self._shared[key] = self._of(spoken, caller, kind)
        return self._shared[key]

    def _of(self, spoken: Entries, caller: Caller, kind: TypeForm) -> Shared:
        own: list[int] = []
        foreign: dict[str, list[tuple[int, Levels]]] = {}
        for number, rcps in spoken:
            arn, owner = self.entries[number]["resource_arn"], self.entries[number]["owner_account_id"]
            if not meets(governed_by(arn), kind):
                continue
            if owner == caller.own_account:
                own.append(number)
            else:
                foreign.setdefault(arn, []).append((number, rcps))
        return Shared(
            tuple(own), tuple(self._neighbour(arn, caller.partition, foreign[arn]) for arn in sorted(foreign))
        )

    def _neighbour(self, resource_arn: str, partition: str, spoken: Iterable[tuple[int, Levels]]) -> Neighbour:
        key = (resource_arn, partition, tuple(spoken))
        if key not in self._neighbours:
            numbers = tuple(number for number, _ in key[2])
            first = self.entries[numbers[0]]
            resources, owner = self._resources_of(first, partition), first["owner_number"]
            self._neighbours[key] = Neighbour(
                len(self._neighbours), owner, resource_arn, resources, numbers, key[2][0][1]
            )
        return self._neighbours[key]

    def _resources_of(self, entry: Mapping[str, Any], partition: str) -> Resources:
        """Return the resources of the account that owns the resource of an entry."""
        organization_id = entry["owner_organization_id"]
        organization = (organization_id, entry["owner_ou_path"]) if organization_id else None
        return self._resources_at(Place(entry["owner_account_id"], partition), organization)

    def _resources_at(self, place: Place, organization: Organization | None) -> Resources:
        key = (place, organization)
        if key not in self._resources:
            is_known = place.own_account != "*"
            facts = resource_facts(place.own_account, *(organization or (None, None))) if is_known else {}
            self._resources[key] = Resources(len(self._resources), place, facts)
        return self._resources[key]
