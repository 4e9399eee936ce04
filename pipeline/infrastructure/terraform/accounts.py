"""Which account and partition the resources of a plan are in."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from pipeline.infrastructure.facts import (
    KINDS,
    NO_ACCOUNT,
    Json,
    as_list,
    as_object,
)
from pipeline.infrastructure.terraform.configuration import Configuration
from pipeline.infrastructure.terraform.resources import Resource, Side, resource_of

IAM_ARN = re.compile(r"arn:(aws[\w-]*):iam::(\d{12}):")
#: Types of which an account has one of a name.
NAMED_ONCE = (*(f"aws_iam_{kind}" for kind in KINDS), "aws_iam_policy")


class Accounts:
    """Which account and partition a resource is in: as its ARN says, else as those of its provider do."""

    def __init__(self, changes: Iterable[Json], config: Configuration, given: str | None, plan: Json) -> None:
        counted: dict[str, Counter[tuple[str, str]]] = {}
        for change in changes:
            delta = as_object(change.get("change"))
            for side in ("before", "after"):
                for found in _iam_arns(as_object(delta.get(side))):
                    provider = config.provider(str(change.get("address")))
                    counted.setdefault(provider, Counter())[found] += 1
                    counted.setdefault("*", Counter())[found] += 1
        self._by_provider = {provider: found.most_common(1)[0][0] for provider, found in counted.items()}
        caller = _caller(plan)
        self.is_guessed = not (given or self._by_provider or caller)
        fallback = ("aws", given or caller or NO_ACCOUNT)
        self._default = ("aws", given) if given else self._by_provider.get("*", fallback)
        self._is_given = given is not None
        self._apart: dict[str, tuple[str, str]] = {}
        self._tell_apart(changes, config)

    def of(self, resource: Resource) -> tuple[str, str]:
        """Return partition and account."""
        own = next(_iam_arns(resource.values), None)
        return own or self._of_provider(resource.provider)

    def _of_provider(self, provider: str) -> tuple[str, str]:
        if provider in self._apart:
            return self._apart[provider]
        return self._default if self._is_given else self._by_provider.get(provider, self._default)

    def _tell_apart(self, changes: Iterable[Json], config: Configuration) -> None:
        """Give providers accounts of their own where two principals or policies of one name would be in one account."""
        sides: tuple[Side, Side] = ("before", "after")
        for side in sides:
            found = (resource_of(change, side, config) for change in changes)
            named = [one for one in found if one and one.type in NAMED_ONCE and one.get("name") and not one.is_deposed]
            taken: dict[tuple[str, str, str], Resource] = {}
            # Those whose ARN is known first: the account of the others is a guess.
            for resource in sorted(named, key=lambda one: not _has_arn(one)):
                key = (self.of(resource)[1], resource.type, str(resource.get("name")))
                other = taken.setdefault(key, resource)
                if other.provider != resource.provider and not _has_arn(resource):
                    self._apart[resource.provider] = self._other_account(resource.provider)

    def _other_account(self, provider: str) -> tuple[str, str]:
        """Return the account of a provider that is not in the one that was taken for its own."""
        known = self._by_provider.get(provider) if self._is_given else None
        return known or ("aws", f"{len(self._apart) + 1:0{len(NO_ACCOUNT)}}")


def _has_arn(resource: Resource) -> bool:
    return any(_iam_arns(resource.values))


def _iam_arns(values: Json) -> Iterator[tuple[str, str]]:
    found = IAM_ARN.match(values["arn"]) if isinstance(values.get("arn"), str) else None
    if found:
        yield found[1], found[2]


def _caller(plan: Json) -> str | None:
    """Return the account that the data source aws_caller_identity of the prior state tells."""
    module = as_object(as_object(as_object(plan.get("prior_state")).get("values")).get("root_module"))
    waiting = [module]
    while waiting:
        one = waiting.pop()
        waiting += [as_object(child) for child in as_list(one.get("child_modules"))]
        for resource in map(as_object, as_list(one.get("resources"))):
            if resource.get("type") == "aws_caller_identity":
                found = as_object(resource.get("values")).get("account_id")
                return str(found) if found else None
    return None
