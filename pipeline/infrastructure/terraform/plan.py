"""Reads what ``terraform show -json`` prints of a plan. Values that are unknown until apply are told, never dropped.

Source: Terraform, JSON output format; the arguments of the AWS provider's IAM and Organizations resources.
"""

from collections.abc import Iterable

from pipeline.infrastructure import said
from pipeline.infrastructure.facts import (
    Facts,
    Infrastructure,
    Json,
    Principal,
    as_list,
    as_object,
)
from pipeline.infrastructure.terraform.accounts import Accounts
from pipeline.infrastructure.terraform.configuration import INDEX, Configuration
from pipeline.infrastructure.terraform.reading import Reading
from pipeline.infrastructure.terraform.resources import Side, resource_of
from pipeline.infrastructure.terraform.unread import doubts


def recognises(names: Iterable[str]) -> bool:
    """Whether an object with these members is a plan."""
    return {"resource_changes", "planned_values"} <= {*names} or {"format_version", "resource_changes"} <= {*names}


def read_plan(plan: Json, account: str | None = None) -> Infrastructure:
    """Return the facts of a plan before and after it. ``account`` counts where no ARN of the plan tells one.

    Members of the wrong shape are left out with a remark.
    """
    remarks: list[str] = []
    changes = [one for one in as_list(plan.get("resource_changes")) if isinstance(one, dict)]
    deferred = frozenset(INDEX.sub("", str(one.get("address"))) for one in changes if one.get("mode") == "data")
    config = Configuration(as_object(plan.get("configuration")), deferred)
    accounts = Accounts(changes, config, account, plan)
    facts: dict[Side, Facts] = {}
    sides: tuple[Side, Side] = ("before", "after")
    documents = _documents(changes)
    former: Reading | None = None
    replaced: frozenset[Principal] = frozenset()
    listed: frozenset[Principal] = frozenset()
    for side in sides:
        resources = [r for change in changes if (r := resource_of(change, side, config)) is not None]
        reading = Reading(resources, config, accounts, documents, remarks if side == "after" else [], former)
        facts[side] = reading.facts()
        replaced = replaced or frozenset(reading.principals(filter(_is_replaced, changes)))
        listed = listed if former else reading.with_all_attached()
        former = reading
    facts["after"] |= dict.fromkeys(doubts(plan, changes, config), True)
    if accounts.is_guessed:
        remarks.append(said.without_account("the plan"))
    return Infrastructure(facts["before"], facts["after"], tuple(dict.fromkeys(remarks)), replaced, listed=listed)


def _is_replaced(change: Json) -> bool:
    return {"create", "delete"} <= {*map(str, as_list(as_object(change.get("change")).get("actions")))}


def _documents(changes: Iterable[Json]) -> dict[str, Json]:
    """Return what is known of the data sources aws_iam_policy_document that are read only at apply, by address."""
    return {
        str(change.get("address")): as_object(change.get("change"))
        for change in changes
        if change.get("mode") == "data" and change.get("type") == "aws_iam_policy_document"
    }
