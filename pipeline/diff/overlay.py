"""Puts a plan or a template over accounts of a lake: writes both sides as exports that can be built.

Only accounts that the change touches are written, all of them where it changes SCPs or RCPs.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.diff.holders import holders, lost_denials
from pipeline.diff.queries import query
from pipeline.diff.reach import reach
from pipeline.iam.grammar import account_in
from pipeline.iam.model import CONTROL_TYPES
from pipeline.infrastructure.facts import (
    LACKING,
    NO_ACCOUNT,
    Attached,
    Attributes,
    Control,
    ControlValue,
    Doubt,
    Facts,
    Infrastructure,
    Inline,
    Json,
    Key,
    ManagedPolicy,
    Member,
    Principal,
    ResourcePolicy,
    Setting,
    Target,
    Unread,
    Unresolved,
    account_details,
    arn_of,
    digest,
    overlaid,
    resource_policies,
)
from pipeline.lake import Lake

TYPES = {kind: name for name, kind in CONTROL_TYPES.items()}


class Written(NamedTuple):
    """Folders with both sides, what the change speaks of, and what of it nobody can tell; remarks are for people."""

    before: Path
    after: Path
    services: frozenset[str]
    doubts: tuple[Doubt, ...]
    remarks: tuple[str, ...]


def write_sides(change: Infrastructure, lake: Lake | None, folder: Path, known_services: Set[str]) -> Written:
    """Write the accounts before and after a change into two folders. ``known_services`` are the reference's.

    Raises OSError.
    """
    accounts, remarks = change.accounts, list(change.remarks)
    base: Facts = {}
    held = exported_accounts(lake) if lake is not None else frozenset()
    unseen = accounts - held
    if lake is not None:
        if unseen:
            told = "what else these accounts have is not seen"
            remarks.append(f"{lake.path}: the lake has no export of {', '.join(sorted(unseen))}; {told}")
        if change.has_controls:
            accounts |= held
        lake.lend("asked_accounts", pa.table({"account_id": pa.array(sorted(accounts), pa.string())}))
        base = _facts(lake)
    elif change.has_controls:
        remarks.append("SCPs and RCPs count only over a lake that has the organization: give --lake or OLD")
    before, after = overlaid(base, change)
    others = holders(change, unseen)
    before, after = {**others, **before}, {**others, **after}
    sides = (folder / "before", folder / "after")
    for side, facts in zip(sides, (before, after), strict=True):
        side.mkdir(parents=True)
        for account in sorted(accounts) or [NO_ACCOUNT]:
            _write(side / f"{account}.json", account_details(facts, account))
        policies = resource_policies(facts)
        if policies:
            _write(side / "resource-policies.json", policies)
        if lake is not None:
            _write_surroundings(side, lake, facts)
    found = reach(before, after, known_services)
    doubts = (
        *_new_doubts(before, after), *_of_settings(before, after), *_of_names(before, after),
        *lost_denials(change, unseen), *_of_unnamed(change, base), *_of_prefixes(found.unknown),
    )  # fmt: skip
    if change.has_controls and lake is None:
        doubts = (*doubts, Doubt("SCPs and RCPs", "no organization is known: give a lake that has it"))
    return Written(*sides, found.services, doubts, tuple(remarks))


def _new_doubts(before: Facts, after: Facts) -> Iterator[Doubt]:
    yield from sorted(key for key in after if isinstance(key, Doubt) and key not in before)


def _of_settings(before: Facts, after: Facts) -> Iterator[Doubt]:
    """Yield a doubt for each resource that is given more than it had, without a policy."""
    for key in sorted(key for key in after if isinstance(key, Setting) and key in before):
        more = sorted(after[key] - before[key])
        if more:
            yield Doubt(
                key.where, f"{key.what}: {', '.join(more)}; who may do what through it is not seen", digest(more)
            )


def _of_unnamed(change: Infrastructure, base: Facts) -> Iterator[Doubt]:
    for owner in sorted(change.unnamed & base.keys()):
        told = f"the template does not name this {owner.kind}, and one of its logical id is there already"
        yield Doubt(arn_of(owner), f"{told}: what is new of it is not seen; give it a name", digest(owner))


def _of_names(before: Facts, after: Facts) -> Iterator[Doubt]:
    """Yield a doubt for each principal that a change gives or takes something and of which nothing else is known."""
    differing = {key for facts in (before, after) for key in facts if before.get(key) != after.get(key)}
    changed = {key.owner for key in differing if isinstance(key, Inline | Attached)}
    changed |= {key.user for key in differing if isinstance(key, Member)}
    for owner in sorted(changed - before.keys() - after.keys()):
        yield Doubt(arn_of(owner), "what else it has is not known; give a lake that has its account")


def _of_prefixes(unknown: Iterable[str]) -> Iterator[Doubt]:
    for prefix in sorted(unknown):
        yield Doubt(f"{prefix}:", "the service reference has no such service: changes of its actions are not seen")


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8", errors="surrogatepass")


def exported_accounts(lake: Lake) -> frozenset[str]:
    """Return the accounts of which a lake has an export."""
    return frozenset(lake.query("select account_id from accounts where is_exported")["account_id"].to_pylist())


def _facts(lake: Lake) -> Facts:
    """Return what the lake says of the asked accounts and of the organization."""
    found: Facts = {}
    by_arn: dict[str, Principal] = {}
    for row in lake.query(query("lake_principals")).to_pylist():
        owner = Principal(row["account_id"], row["principal_type"], row["principal_name"])
        by_arn[row["principal_arn"]] = owner
        found[owner] = Attributes(
            row["principal_arn"], row["path"] or "/", row["trust"], row["boundary_arn"], _tags(row["tags"]),
            row["principal_id"],
        )  # fmt: skip
        found |= dict.fromkeys((Unread(owner, f"{LACKING}{what}") for what in row["missing"] or ()), True)
    for row in lake.query(query("lake_aws_policies")).to_pylist():
        found[ManagedPolicy(row["policy_arn"])] = row["document"]
    for row in lake.query(query("lake_policies")).to_pylist():
        found |= _policy(row, by_arn)
    for row in lake.query("select user_arn, group_arn from memberships").to_pylist():
        if row["user_arn"] in by_arn and row["group_arn"] in by_arn:
            found[Member(by_arn[row["user_arn"]], by_arn[row["group_arn"]].name)] = True
    for row in lake.query(query("lake_resource_policies")).to_pylist():
        found[ResourcePolicy(row["resource_arn"])] = row["document"]
    for row in lake.query(query("lake_controls")).to_pylist():
        policy_id = _last(row["policy_arn"])
        found[Control(policy_id)] = ControlValue(
            row["policy_name"], TYPES[row["attachment_kind"]], row["document"], row["policy_arn"]
        )
        found[Target(policy_id, _last(row["target_arn"]))] = True
    return found


def _policy(row: Mapping[str, Any], by_arn: Mapping[str, Principal]) -> Facts:
    owner = by_arn.get(row["target_arn"])
    if row["attachment_kind"] == "inline":
        return {Inline(owner, row["policy_name"]): row["document"]} if owner else {}
    found: Facts = {ManagedPolicy(row["policy_arn"]): row["document"]} if row["policy_arn"] else {}
    if owner and row["attachment_kind"] == "managed" and row["policy_arn"]:
        found[Attached(owner, row["policy_arn"])] = True
    return found


def _tags(tags: Any) -> tuple[tuple[str, str], ...]:
    pairs = tags.items() if isinstance(tags, dict) else tags or ()
    return tuple(sorted((str(key), str(value)) for key, value in pairs))


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _write_surroundings(side: Path, lake: Lake, facts: Mapping[Key, Any]) -> None:
    rows = lake.query(query("lake_organization")).to_pylist()
    if rows:
        _write(side / "organization.json", _organization(rows, facts))
    resources = lake.query("select resource_arn, tags from inventory order by resource_arn").to_pylist()
    if resources:
        mapped = [
            {"ResourceARN": row["resource_arn"], "Tags": [{"Key": k, "Value": v} for k, v in _tags(row["tags"])]}
            for row in resources
        ]
        _write(side / "inventory.json", {"ResourceTagMappingList": mapped})


def _organization(rows: Iterable[Mapping[str, Any]], facts: Mapping[Key, Any]) -> Json:
    """Return the organization as its own export would be, with the SCPs and RCPs of the facts."""
    nodes: dict[str, Json] = {}
    above: dict[str, str] = {}
    organization_id = management = ""
    for row in sorted(rows, key=lambda row: (row["account_id"], row["level"])):
        node_id = _last(row["target_arn"])
        node: Json = {"Id": node_id, "Arn": row["target_arn"], "Name": row["target_name"] or node_id}
        if row["level"]:
            node["ParentId"] = above[row["account_id"]]
        above[row["account_id"]] = node_id
        nodes[node_id] = node
        organization_id, management = row["organization_id"], account_in(row["target_arn"])
    arn = f"arn:aws:organizations::{management}:organization/{organization_id}"
    return {
        "Organization": {"Id": organization_id, "Arn": arn, "MasterAccountId": management},
        "Roots": [node for node in nodes.values() if node["Id"].startswith("r-")],
        "OrganizationalUnits": [node for node in nodes.values() if node["Id"].startswith("ou-")],
        "Accounts": [node for node in nodes.values() if node["Id"].isdigit()],
        "Policies": [
            _control(key, value, nodes, facts, arn) for key, value in facts.items() if isinstance(key, Control)
        ],
    }


def _control(
    key: Control, value: ControlValue, nodes: Mapping[str, Json], facts: Mapping[Key, Any], organization: str
) -> Json:
    kind = value.policy_type.lower()
    summary = {
        "Id": key.policy_id,
        "Arn": value.arn or organization.replace("organization/", "policy/") + f"/{kind}/{key.policy_id}",
        "Name": value.name,
        "Type": value.policy_type,
    }
    targets = [one.target_id for one in facts if isinstance(one, Target) and one.policy_id == key.policy_id]
    return {
        "PolicySummary": summary,
        # A text that is known only after the change is no document: those under it are marked incomplete.
        "Content": "known only after the change" if isinstance(value.content, Unresolved) else value.content,
        "Targets": [{"TargetId": target, "Arn": nodes[target]["Arn"]} for target in sorted(targets) if target in nodes],
    }
