"""Writes large made-up organizations in the formats that ``policylake build`` reads, one account at a time.

The same arguments give the same bytes. Imports nothing of the package: it knows only AWS's formats.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

if not __package__:  # run as a script: python bench/generate.py
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.organization import ORGANIZATION_ID, Account, account_at, organization_of, organizational_units
from bench.templates import (
    GROUPS,
    MANAGED_OF_ROLES,
    MANAGED_OF_USERS,
    OWN_ACCOUNT,
    TEAMS,
    boundaries,
    document,
    name,
    tags,
    trust,
)

Json = dict[str, Any]

MANAGED_POLICIES = Path(__file__).parent / "data" / "managed-policies.jsonl"
USER_SHARE = 0.15
SERVICE_LINKED = (
    (
        "sagemaker.amazonaws.com",
        "AWSServiceRoleForAmazonSageMakerNotebooks",
        "AmazonSageMakerNotebooksServiceRolePolicy",
    ),
    (
        "sagemaker.application-autoscaling.amazonaws.com",
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "AWSApplicationAutoscalingSageMakerEndpointPolicy",
    ),
)
RESOURCE_TYPES = (
    "notebook-instance", "endpoint", "endpoint-config", "model", "training-job", "processing-job",
    "model-package-group", "pipeline", "feature-group",
)  # fmt: skip
REGIONS = ("us-east-1", "us-east-1", "us-east-1", "eu-west-1", "ap-southeast-2")
#: Registries that are open to the whole organization, in one of any size.
MOST_OPEN = 20


@dataclass(frozen=True)
class Summary:
    """What was written. ``repeated_roles`` counts the copies in all accounts; ``bytes`` the size of all files."""

    accounts: int
    users: int
    groups: int
    roles: int
    repeated_roles: int
    customer_policies: int
    resources: int
    resource_policies: int
    organizational_units: int
    organization_policies: int
    bytes: int

    @property
    def principals(self) -> int:
        """Users and roles."""
        return self.users + self.roles


class Shape(NamedTuple):
    """The arguments of a generation. Counts are per account, shares between 0 and 1."""

    accounts: int
    principals: int
    seed: int
    repeated: float
    boundaries: float
    conditions: float
    resources: int

    def chance(self, *scope: object) -> random.Random:
        """Return the random numbers of one scope, the same whatever was generated before."""
        return random.Random("/".join(map(str, (self.seed, *scope))))

    @property
    def users(self) -> int:
        """Users of an account."""
        return round(self.principals * USER_SHARE)

    @property
    def repeated_roles(self) -> int:
        """Roles of an account that every other account has too."""
        return round((self.principals - self.users) * self.repeated)


class Managed(NamedTuple):
    """An AWS managed policy; ``versions`` is its PolicyVersionList, encoded."""

    arn: str
    fields: Json
    versions: msgspec.Raw


class Rollout(NamedTuple):
    """What each account gets alike, encoded, with a placeholder for the account id. ``managed`` counts attachments."""

    roles: tuple[bytes, ...]
    policies: tuple[bytes, ...]
    managed: Counter[str]


class Written(NamedTuple):
    """Counts of one account and its organizational neighbours."""

    users: int
    groups: int
    roles: int
    customer_policies: int
    resources: int
    bytes: int


def generate(
    out: Path,
    accounts: int,
    principals: int,
    seed: int = 1,
    repeated: float = 0.7,
    boundaries: float = 0.15,
    conditions: float = 0.3,
    resources: int = 40,
) -> Summary:
    """Write an organization below ``out`` and return what it holds.

    ``principals`` are users and roles of each account and ``resources`` its tagged resources. ``repeated`` is the
    share of roles that every account has identical but for its own id; ``boundaries`` the share of principals with a
    permissions boundary; ``conditions`` the share of statements with a condition. Raises ValueError for counts below 1
    or shares outside 0 to 1.
    """
    shape = Shape(accounts, principals, seed, repeated, boundaries, conditions, resources)
    _validate(shape)
    for folder in ("accounts", "inventory"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    catalogue = _catalogue()
    units = organizational_units(shape.chance("units"))
    rollout = _rollout(shape)
    listed = [account_at(i, units, shape.chance("home", i)) for i in range(accounts)]
    organization = organization_of(units, listed)
    size = _write(out / "organization.json", organization)
    written = [_write_account(out, shape, account, rollout, catalogue) for account in listed]
    resource_policies, policy_bytes = _write_resource_policies(out, shape, listed)
    return Summary(
        accounts=accounts,
        users=sum(w.users for w in written),
        groups=sum(w.groups for w in written),
        roles=sum(w.roles for w in written),
        repeated_roles=len(rollout.roles) * accounts,
        customer_policies=sum(w.customer_policies for w in written),
        resources=sum(w.resources for w in written),
        resource_policies=resource_policies,
        organizational_units=len(units),
        organization_policies=len(organization["Policies"]),
        bytes=size + policy_bytes + sum(w.bytes for w in written),
    )


def _validate(shape: Shape) -> None:
    if min(shape.accounts, shape.principals) < 1 or shape.resources < 0:
        raise ValueError("accounts and principals must be 1 or more, resources 0 or more")
    if not all(0 <= share <= 1 for share in (shape.repeated, shape.boundaries, shape.conditions)):
        raise ValueError("repeated, boundaries and conditions must lie between 0 and 1")


def _write(path: Path, value: object) -> int:
    data = msgspec.json.encode(value) + b"\n"
    path.write_bytes(data)
    return len(data)


def _catalogue() -> dict[str, Managed]:
    """Return the AWS managed policies by name, in the order of the file."""
    found: dict[str, Managed] = {}
    for line in MANAGED_POLICIES.read_bytes().splitlines():
        policy = msgspec.json.decode(line)
        created = policy["create_date"].replace("Z", "+00:00")
        version = {
            "Document": policy["document"],
            "VersionId": policy["version_id"],
            "IsDefaultVersion": True,
            "CreateDate": created,
        }
        fields = {
            "PolicyName": policy["name"],
            "PolicyId": f"ANPAAWS{len(found):014d}",
            "Arn": policy["arn"],
            "Path": policy["path"],
            "DefaultVersionId": policy["version_id"],
            "CreateDate": "2015-02-06T18:39:46+00:00",
            "UpdateDate": created,
        }
        found[policy["name"]] = Managed(policy["arn"], fields, msgspec.Raw(msgspec.json.encode([version])))
    return found


def _rollout(shape: Shape) -> Rollout:
    chance = shape.chance("rollout")
    policies = [
        _customer_policy(OWN_ACCOUNT, f"limit-{key}", "/boundaries/", text) for key, text in boundaries().items()
    ]
    for number in range(max(3, shape.repeated_roles // 15)):
        text = document(chance, OWN_ACCOUNT, shape.conditions)
        policies.append(_customer_policy(OWN_ACCOUNT, f"rollout-{number:03d}", "/rollout/", text))
    arns = tuple(policy["Arn"] for policy in policies)
    attachable = arns[len(boundaries()) :]
    managed: Counter[str] = Counter()
    roles = []
    for number in range(shape.repeated_roles):
        role_name = f"{name(chance)}-{number:04d}"
        role = _role(shape, chance, OWN_ACCOUNT, role_name, "/rollout/", f"R{number:04d}", attachable)
        managed.update(_managed_names(role))
        roles.append(msgspec.json.encode(role))
    return Rollout(tuple(roles), tuple(msgspec.json.encode(policy) for policy in policies), managed)


def _own(template: bytes, account_id: str) -> msgspec.Raw:
    return msgspec.Raw(template.replace(OWN_ACCOUNT.encode(), account_id.encode()))


def _arn(account_id: str, kind: str, path: str, item: str) -> str:
    return f"arn:aws:iam::{account_id}:{kind}{path}{item}"


def _date(chance: random.Random, first: int = 2019, last: int = 2026) -> str:
    return f"{chance.randint(first, last)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}T10:15:00+00:00"


def _attached(arns: Sequence[str]) -> list[Json]:
    return [{"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn} for arn in dict.fromkeys(arns)]


def _managed_names(principal: Json) -> Iterator[str]:
    for attached in principal["AttachedManagedPolicies"]:
        if attached["PolicyArn"].startswith("arn:aws:iam::aws:"):
            yield attached["PolicyName"]


def _managed_arn(chance: random.Random, weights: dict[str, int]) -> str:
    chosen = chance.choices(list(weights), list(weights.values()))[0]
    return f"arn:aws:iam::aws:policy/{chosen}"


def _customer_policy(account_id: str, policy_name: str, path: str, text: Json, older: Sequence[Json] = ()) -> Json:
    versions = [*older, text]
    return {
        "PolicyName": policy_name,
        "PolicyId": f"ANPA{policy_name.upper()}",
        "Arn": _arn(account_id, "policy", path, policy_name),
        "Path": path,
        "DefaultVersionId": f"v{len(versions)}",
        "AttachmentCount": 1,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": "2024-01-01T00:00:00+00:00",
        "UpdateDate": "2025-06-01T00:00:00+00:00",
        "PolicyVersionList": [
            {
                "Document": each,
                "VersionId": f"v{number}",
                "IsDefaultVersion": number == len(versions),
                "CreateDate": "2025-06-01T00:00:00+00:00",
            }
            for number, each in reversed(list(enumerate(versions, 1)))
        ],
    }


def _limits(shape: Shape, chance: random.Random, account_id: str) -> Json:
    """Return the member PermissionsBoundary for the share of principals that have one."""
    if chance.random() >= shape.boundaries:
        return {}
    arn = _arn(account_id, "policy", "/boundaries/", f"limit-{chance.choice(list(boundaries()))}")
    return {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}}


def _role(
    shape: Shape, chance: random.Random, account_id: str, role_name: str, path: str, code: str, policies: Sequence[str]
) -> Json:
    attached = [_managed_arn(chance, MANAGED_OF_ROLES) for _ in range(chance.choice((0, 1, 1, 2)))]
    if policies and chance.random() < 0.5:
        attached.append(chance.choice(policies))
    inline = chance.choice((0, 1, 1, 2))
    used = {"LastUsedDate": _date(chance, 2024), "Region": chance.choice(REGIONS)} if chance.random() < 0.8 else {}
    return {
        "Path": path,
        "RoleName": role_name,
        "RoleId": f"AROA{code}{account_id}",
        "Arn": _arn(account_id, "role", path, role_name),
        "CreateDate": _date(chance, last=2023),
        "AssumeRolePolicyDocument": trust(chance, account_id),
        "InstanceProfileList": [],
        "RolePolicyList": [
            {"PolicyName": f"inline-{i}", "PolicyDocument": document(chance, account_id, shape.conditions)}
            for i in range(inline)
        ],
        "AttachedManagedPolicies": _attached(attached),
        **_limits(shape, chance, account_id),
        "Tags": tags(chance),
        "RoleLastUsed": used,
    }


def _user(shape: Shape, chance: random.Random, account_id: str, number: int) -> Json:
    user_name = f"{chance.choice(TEAMS)}-user-{number:04d}"
    inline = chance.random() < 0.1
    attached = [_managed_arn(chance, MANAGED_OF_USERS)] if chance.random() < 0.2 else []
    return {
        "Path": "/",
        "UserName": user_name,
        "UserId": f"AIDAU{number:04d}{account_id}",
        "Arn": _arn(account_id, "user", "/", user_name),
        "CreateDate": _date(chance, last=2023),
        "UserPolicyList": [{"PolicyName": "inline", "PolicyDocument": document(chance, account_id, shape.conditions)}]
        * inline,
        "GroupList": sorted(chance.sample(list(GROUPS), chance.choice((1, 1, 1, 2)))),
        "AttachedManagedPolicies": _attached(attached),
        **_limits(shape, chance, account_id),
        "Tags": tags(chance),
    }


def _group(account_id: str, number: int, group_name: str, managed: Sequence[str], policies: Sequence[str]) -> Json:
    arns = [f"arn:aws:iam::aws:policy/{item}" for item in managed]
    arns += policies[number : number + 1]
    return {
        "Path": "/",
        "GroupName": group_name,
        "GroupId": f"AGPAG{number:04d}{account_id}",
        "Arn": _arn(account_id, "group", "/", group_name),
        "CreateDate": "2020-01-01T00:00:00+00:00",
        "GroupPolicyList": [],
        "AttachedManagedPolicies": _attached(arns),
    }


def _service_linked(account_id: str, number: int) -> Json:
    service, role_name, policy = SERVICE_LINKED[number]
    path = f"/aws-service-role/{service}/"
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {
        "Path": path,
        "RoleName": role_name,
        "RoleId": f"AROAL{number:04d}{account_id}",
        "Arn": _arn(account_id, "role", path, role_name),
        "CreateDate": "2021-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "InstanceProfileList": [],
        "RolePolicyList": [],
        "AttachedManagedPolicies": _attached([f"arn:aws:iam::aws:policy/aws-service-role/{policy}"]),
        "RoleLastUsed": {},
    }


def _write_account(
    out: Path, shape: Shape, account: Account, rollout: Rollout, catalogue: dict[str, Managed]
) -> Written:
    chance = shape.chance("account", account.number)
    owner = account.account_id
    distinct = shape.principals - shape.users - shape.repeated_roles
    policies = []
    for number in range(max(1, distinct // 6)):
        older = [document(chance, owner, shape.conditions) for _ in range(chance.choice((0, 0, 1, 3)))]
        text = document(chance, owner, shape.conditions)
        policies.append(_customer_policy(owner, f"{name(chance)}-{number:04d}", "/", text, older))
    arns = [policy["Arn"] for policy in policies]
    linked = min(len(SERVICE_LINKED), distinct)
    users = [_user(shape, chance, owner, number) for number in range(shape.users)]
    groups = [_group(owner, number, key, managed, arns) for number, (key, managed) in enumerate(GROUPS.items())]
    roles = [_service_linked(owner, number) for number in range(linked)]
    for number in range(distinct - linked):
        path = chance.choice(("/", "/", "/service-role/", "/teams/"))
        roles.append(_role(shape, chance, owner, f"{name(chance)}-{number:04d}", path, f"D{number:04d}", arns))
    used = Counter(rollout.managed)
    for principal in (*users, *groups, *roles):
        used.update(_managed_names(principal))
    details = {
        "UserDetailList": users,
        "GroupDetailList": groups,
        "RoleDetailList": [*(_own(role, owner) for role in rollout.roles), *roles],
        "Policies": [*(_own(policy, owner) for policy in rollout.policies), *policies, *_attached_aws(used, catalogue)],
    }
    size = _write(out / "accounts" / f"{owner}.json", details)
    size += _write_inventory(out, shape, account)
    all_roles, all_policies = len(rollout.roles) + len(roles), len(rollout.policies) + len(policies)
    return Written(len(users), len(groups), all_roles, all_policies, shape.resources, size)


def _attached_aws(used: Counter[str], catalogue: dict[str, Managed]) -> Iterator[Json]:
    for key, policy in catalogue.items():
        if used[key]:
            counts = {"AttachmentCount": used[key], "PermissionsBoundaryUsageCount": 0, "IsAttachable": True}
            yield {**policy.fields, **counts, "PolicyVersionList": policy.versions}


def _write_inventory(out: Path, shape: Shape, account: Account) -> int:
    chance = shape.chance("inventory", account.number)
    listed = [
        {
            "ResourceARN": f"arn:aws:sagemaker:{chance.choice(REGIONS)}:{account.account_id}:"
            f"{chance.choice(RESOURCE_TYPES)}/{chance.choice(TEAMS)}-{number:05d}",
            "Tags": tags(chance),
        }
        for number in range(shape.resources)
    ]
    pages = [listed[start : start + 100] for start in range(0, len(listed), 100)] or [[]]
    document_pages = [
        {"PaginationToken": f"page-{i + 1}" if page is not pages[-1] else "", "ResourceTagMappingList": page}
        for i, page in enumerate(pages)
    ]
    return _write(out / "inventory" / f"{account.account_id}.json", document_pages)


def _write_resource_policies(out: Path, shape: Shape, accounts: Sequence[Account]) -> tuple[int, int]:
    """Share a model package group of every fifth account, and return the number of policies and of bytes.

    Half of them are open to the organization, up to :data:`MOST_OPEN`: a company has some central registries, not
    more of them with each account.
    """
    chance = shape.chance("resource-policies")
    shared: list[Json] = []
    left = MOST_OPEN
    for account in accounts[::5]:
        is_open = chance.random() < 0.5 and left > 0
        left -= is_open
        shared.append(_shared_group(chance, account, accounts, is_open=is_open))
    return len(shared), _write(out / "resource-policies.json", shared)


def _shared_group(chance: random.Random, account: Account, accounts: Sequence[Account], *, is_open: bool) -> Json:
    arn = f"arn:aws:sagemaker:us-east-1:{account.account_id}:model-package-group/{chance.choice(TEAMS)}-shared"
    statement: Json = {"Effect": "Allow", "Action": ["sagemaker:DescribeModelPackageGroup"], "Resource": arn}
    if not is_open:
        statement["Principal"] = {"AWS": f"arn:aws:iam::{chance.choice(accounts).account_id}:root"}
    else:
        statement["Principal"] = "*"
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION_ID}}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"ResourceArn": arn, "ResourcePolicy": msgspec.json.encode(policy).decode()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, generate and print the counts."""
    parser = argparse.ArgumentParser(prog="bench/generate.py", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--principals", type=int, default=300, help="users and roles of each account")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeated", type=float, default=0.7, help="share of roles that every account has alike")
    parser.add_argument("--boundaries", type=float, default=0.15, help="share of principals with a boundary")
    parser.add_argument("--conditions", type=float, default=0.3, help="share of statements with a condition")
    parser.add_argument("--resources", type=int, default=40, help="tagged resources of each account")
    options = vars(parser.parse_args(arguments))
    try:
        summary = generate(**options)
    except ValueError as problem:
        parser.error(str(problem))
    sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
