"""Reads from the lake what counts for a request: principals, policies, levels, resources. Decides nothing.

A question about many principals or resources is one query with parameters; what was read is kept, and every document
is parsed once.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.errors import PolicylakeError
from pipeline.iam.decide import AttachedPolicy, Level
from pipeline.iam.matching import action_matches
from pipeline.iam.model import Policy, Statement
from pipeline.iam.parse import PolicyKind, parse_policy
from pipeline.lake import Lake
from pipeline.lake.restated import owners_of_buckets
from pipeline.simulate.facts import NOWHERE, Organization
from pipeline.simulate.forms import is_of_form
from pipeline.simulate.remarks import Names

Tags = tuple[tuple[str, str], ...]

PRINCIPALS = """
select
    principal_arn,
    principal_type,
    principal_id,
    tags,
    missing,
    account_id || '/' || principal_name as role_name,
from principals
where
    principal_arn in (select unnest($names))
    or (principal_type = 'role' and account_id || '/' || principal_name in (select unnest($role_names)))
"""
POLICIES = """
with
asked as (
    select unnest($names) as principal_arn
),

targets as (
    select
        principal_arn,
        principal_arn as target_arn,
    from asked
    union all
    select
        asked.principal_arn,
        memberships.group_arn as target_arn,
    from asked
    inner join memberships on asked.principal_arn = memberships.user_arn
)

select
    targets.principal_arn,
    attachments.attachment_kind as kind,
    attachments.policy_name,
    attachments.policy_id,
    policies.document,
from attachments
inner join targets on attachments.target_arn = targets.target_arn
inner join policies on attachments.policy_id = policies.policy_id
where
    attachments.attachment_kind in ('inline', 'managed', 'trust')
    or (attachments.attachment_kind = 'boundary' and attachments.target_arn = targets.principal_arn)
order by attachments.target_arn, kind, attachments.policy_name, attachments.policy_id
"""
ACCOUNTS = "select account_id, organization_id, ou_path, is_management_account from accounts"
CONTROLS = """
select
    account_ancestors.level,
    attachments.policy_name,
    attachments.policy_id,
    policies.document,
from account_ancestors
inner join attachments on account_ancestors.target_arn = attachments.target_arn
inner join policies on attachments.policy_id = policies.policy_id
where account_ancestors.account_id = $account and attachments.attachment_kind = $kind
order by account_ancestors.level, attachments.policy_name, attachments.policy_id
"""
ON_RESOURCES = """
select
    attachments.target_arn,
    attachments.attachment_kind as kind,
    attachments.policy_id,
    policies.document,
from attachments
inner join policies on attachments.policy_id = policies.policy_id
where
    attachments.attachment_kind in ('resource', 'endpoint')
    or (attachments.attachment_kind = 'trust' and attachments.target_arn = $name)
order by all
"""
NAMED_ACTIONS = "select distinct lower(action_pattern) as name from actions where not is_wildcard"
NAMED_KEYS = "select distinct lower(condition_key) as name from conditions"
RESOURCES = "select resource_arn, account_id, tags from inventory where resource_arn in (select unnest($names))"


class Principal(NamedTuple):
    """A principal of the lake with its policies. ``boundary`` is None where there is none. ``has_session_tags``: the
    trust policy of a role lets somebody pass tags of a session (STAG)."""

    arn: str
    principal_type: str
    principal_id: str | None
    tags: Tags
    missing: tuple[str, ...]
    identity: Level
    boundary: Level | None
    has_session_tags: bool


class Resource(NamedTuple):
    """A resource of the inventory."""

    account_id: str | None
    tags: Tags


@dataclass(frozen=True)
class LakeReader:
    """Answers from one lake and remembers what it was asked."""

    lake: Lake
    _documents: dict[tuple[str, PolicyKind], Policy] = field(default_factory=dict)
    _principals: dict[str, Principal | None] = field(default_factory=dict)
    _controls: dict[tuple[str, str], tuple[Level, ...] | None] = field(default_factory=dict)
    _on_resources: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _accounts: dict[str, Organization] = field(default_factory=dict)
    _inventory: dict[str, Resource | None] = field(default_factory=dict)
    _names: list[Names] = field(default_factory=list)
    _owners: list[dict[str, str]] = field(default_factory=list)

    def principal(self, name: str) -> Principal | None:
        """Return a user, role, group or loose document by its ARN or name, a role also by a session's ARN."""
        self.read_principals([name])
        return self._principals[name]

    def organization(self, account_id: str | None) -> Organization:
        """Return an account's place in its organization; of an unknown account nothing."""
        if not self._accounts:
            for row in self._rows(ACCOUNTS):
                self._accounts[row["account_id"]] = Organization(
                    row["organization_id"], row["ou_path"], row["is_management_account"]
                )
            self._accounts.setdefault("", NOWHERE)
        return self._accounts.get(account_id or "", NOWHERE)

    def names(self) -> Names:
        """Return the actions and condition keys that policies name."""
        if not self._names:
            actions, keys = (frozenset(r["name"] for r in self._rows(sql)) for sql in (NAMED_ACTIONS, NAMED_KEYS))
            self._names.append(Names(actions, keys))
        return self._names[0]

    def controls(self, kind: PolicyKind, account_id: str) -> tuple[Level, ...] | None:
        """Return the levels that have SCPs or RCPs for an account, the root first; None where there are none.

        AWS leaves no level without an SCP: one for which the input has none limits nothing.
        """
        key = (kind, account_id)
        if key not in self._controls:
            levels: dict[int, list[AttachedPolicy]] = {}
            for row in self._rows(CONTROLS, kind=kind, account=account_id):
                levels.setdefault(row["level"], []).append(self._attached(row, kind))
            self._controls[key] = tuple(tuple(levels[number]) for number in sorted(levels)) or None
        return self._controls[key]

    def resource_policy(self, resource: str, arn_formats: Sequence[str], *, is_assumption: bool) -> Level | None:
        """Return the policies that govern a resource: its own, and of what it lies in; of a role its trust policy.

        ``arn_formats`` are those of the action's resource types.
        """
        kind: PolicyKind = "trust" if is_assumption else "resource"
        places = governing(resource, arn_formats)
        rows = self._policies_on(resource if is_assumption else "")
        return tuple(self._attached(r, kind) for r in rows if r["kind"] == kind and r["target_arn"] in places) or None

    def endpoint_policy(self, endpoint_id: str) -> Level | None:
        """Return the policy of a VPC endpoint by its id; None where the lake has none: then it allows all (VPCE)."""
        rows = [r for r in self._policies_on("") if r["kind"] == "endpoint"]
        of_it = (r for r in rows if r["target_arn"].endswith(f":vpc-endpoint/{endpoint_id}"))
        return tuple(self._attached(r, "endpoint") for r in of_it) or None

    def resource(self, arn: str) -> Resource | None:
        """Return a resource of the inventory; None for others."""
        self.read_resources([arn])
        return self._inventory[arn]

    def owner(self, bucket: str) -> str | None:
        """Return the account of an S3 bucket, which its ARN does not name; None where the input does not tell."""
        if not self._owners:
            self._owners.append({row["resource_arn"]: row["account_id"] for row in self._rows(owners_of_buckets())})
        return self._owners[0].get(bucket)

    def read_resources(self, arns: Iterable[str]) -> None:
        """Read resources of the inventory that were not read yet."""
        new = [arn for arn in dict.fromkeys(arns) if arn not in self._inventory]
        if not new:
            return
        self._inventory.update(dict.fromkeys(new))
        for row in self._rows(RESOURCES, names=new):
            self._inventory[row["resource_arn"]] = Resource(row["account_id"], _tags(row["tags"]))

    def read_principals(self, names: Iterable[str]) -> None:
        """Read principals, by ARN or by a session's ARN, that were not read yet."""
        new = [name for name in dict.fromkeys(names) if name not in self._principals]
        if not new:
            return
        roles = {name: _role_name(name) for name in new}
        rows = self._rows(PRINCIPALS, names=new, role_names=[*roles.values()])
        attached: dict[str, list[dict[str, Any]]] = {}
        for row in self._rows(POLICIES, names=[row["principal_arn"] for row in rows] or [""]):
            attached.setdefault(row["principal_arn"], []).append(row)
        found = {row["principal_arn"]: self._principal(row, attached.get(row["principal_arn"], [])) for row in rows}
        by_role = {row["role_name"]: row["principal_arn"] for row in rows if row["principal_type"] == "role"}
        self._principals.update({name: found.get(by_role.get(roles[name], name)) for name in new})

    def _principal(self, row: dict[str, Any], attached: list[dict[str, Any]]) -> Principal:
        boundary = tuple(self._attached(r, "boundary") for r in attached if r["kind"] == "boundary")
        identity = tuple(self._attached(r, "identity") for r in attached if r["kind"] in ("inline", "managed"))
        trust = tuple(self._attached(r, "trust") for r in attached if r["kind"] == "trust")
        has_session_tags = any(lets_tag(statement) for held in trust for statement in held.policy.statements)
        known = (row["principal_arn"], row["principal_type"], row["principal_id"], _tags(row["tags"]))
        return Principal(*known, tuple(row["missing"] or ()), identity, boundary or None, has_session_tags)

    def _policies_on(self, name: str) -> list[dict[str, Any]]:
        if name not in self._on_resources:
            self._on_resources[name] = self._rows(ON_RESOURCES, name=name)
        return self._on_resources[name]

    def _rows(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        return list(self.lake.query(sql, parameters or None).to_pylist())

    def _attached(self, row: dict[str, Any], kind: PolicyKind) -> AttachedPolicy:
        place = (row["policy_id"], kind)
        if place not in self._documents:
            policy, _ = parse_policy(json.loads(row["document"]), kind)
            if policy is None:
                raise PolicylakeError(
                    f"{self.lake.path}: policy {row['policy_id']} cannot be read; build the lake again"
                )
            self._documents[place] = policy
        return AttachedPolicy(
            row.get("policy_name") or row.get("target_arn") or row["policy_id"], self._documents[place]
        )


def named_in(lake: Lake) -> Callable[[], Names]:
    """Return what finds the actions and condition keys that the policies of a lake name."""
    return LakeReader(lake).names


def lets_tag(statement: Statement) -> bool:
    """Whether a statement of a trust policy lets somebody pass session tags."""
    is_named = action_matches(statement.actions, "sts:TagSession")
    is_meant = is_named == (statement.action_element == "Action")
    return statement.effect == "Allow" and bool(statement.actions) and is_meant


def governing(resource: str, arn_formats: Sequence[str]) -> frozenset[str]:
    """Return the ARNs whose policies govern a resource: its own and those of what it lies in.

    What it lies in is of another resource type: a name that goes on after a slash is another resource of the same type.
    The policy of a model package group is also that of its packages.
    """
    ends = [position for position, character in enumerate(resource) if character == "/"]
    places = {resource, *(resource[:end] for end in ends)}
    places |= {place.replace(":model-package/", ":model-package-group/") for place in places}
    own = [arn_format for arn_format in arn_formats if is_of_form(resource, arn_format)]
    is_of_type = ((place, all(is_of_form(place, arn_format) for arn_format in own)) for place in places)
    return frozenset(place for place, is_same in is_of_type if place == resource or not (own and is_same))


def _role_name(name: str) -> str:
    """Return account and name of a session's role as ``account/name``; an empty text for other names."""
    fields = name.split(":", 5)
    is_session = len(fields) == 6 and fields[5].startswith("assumed-role/")
    return f"{fields[4]}/{fields[5].split('/')[1]}" if is_session else ""


def _tags(pairs: Iterable[tuple[str, str]] | None) -> Tags:
    return tuple((key, value) for key, value in pairs or ())
