"""Random requests of a scenario, made from its facts alone: no word of the evaluator that reads conditions under it."""

import ipaddress
from dataclasses import dataclass

from agreement import Asked, Json, Requests, glob_matches

from pipeline.evaluate.scenarios import Fact, Scenario

#: Global keys that only some actions carry.
PER_ACTION = (
    "aws:resourcetag/", "aws:requesttag/", "aws:tagkeys",
    "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths",
)  # fmt: skip
TRIES = 200


@dataclass
class ScenarioRequests(Requests):
    """Requests whose context has the facts of a scenario, as far as the action can carry them."""

    scenario: Scenario | None = None

    def next(self) -> Asked:
        """Return a request on a resource in a region of the scenario."""
        assert self.scenario
        fact = self.scenario.by_key.get("aws:requestedregion")
        while True:
            asked = super().next()
            context = {key.lower(): value for key, value in asked.line["context"].items()}
            region = context.get("aws:requestedregion")
            if fact is None or region is None or _is_told(fact, region):
                return asked

    def context(self, keys: tuple[str, ...]) -> Json:
        assert self.scenario
        found = {key.lower(): value for key, value in super().context(keys).items()}
        for fact in self.scenario.facts:
            key = fact.key.lower()
            if self._can_carry(key, keys):
                self._tell(found, key, fact)
        return self._tied(found, keys)

    def _can_carry(self, key: str, keys: tuple[str, ...]) -> bool:
        if key.startswith("aws:") and not key.startswith(PER_ACTION):
            return True
        return any(
            key == name.lower() or ("${" in name and key.startswith(name.lower().split("${")[0])) for name in keys
        )

    def _tell(self, found: Json, key: str, fact: Fact) -> None:
        if not fact.can_be_present or (fact.can_be_absent and self.chance.random() < 0.5):
            found.pop(key, None)
        elif fact.values and fact.is_multivalued:
            found[key] = list(fact.values)
        elif fact.values:
            found[key] = self._instance_of(fact, self.chance.choice(fact.values))
        elif key not in found or not _is_told(fact, found[key]):
            tried = (self._values(key) for _ in range(TRIES))
            found[key] = next(value for value in tried if _is_told(fact, value))

    def _instance_of(self, fact: Fact, value: str) -> str:
        if fact.value_type == "IPAddress":
            network = ipaddress.ip_network(value)
            return str(network[self.chance.choice((0, -1, self.chance.randrange(min(network.num_addresses, 1 << 32))))])
        return self.instance(value) if fact.value_type in ("String", "ARN") else value


def _is_told(fact: Fact, value: str | list[str]) -> bool:
    """Whether a value is one that the key can have where only some are excluded."""
    values = [value] if isinstance(value, str) else value
    if not all(values):
        return False
    if fact.value_type == "IPAddress":
        networks = [ipaddress.ip_network(excluded) for excluded in fact.excluded]
        return not any(ipaddress.ip_address(one) in network for one in values for network in networks)
    return not any(glob_matches(excluded, one) for one in values for excluded in fact.excluded)
