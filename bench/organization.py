"""The tree of a generated organization with its SCPs and RCPs. Writes nothing."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

Json = dict[str, Any]

FIRST_ACCOUNT = 900_000_000_001
ORGANIZATION_ID = "o-benchmark1"
ROOT_ID = "r-bnch"
#: Units with their parents; a prefix of at least five is taken, so that three or four levels come about.
UNITS = (
    ("Workloads", None), ("Prod", "Workloads"), ("MachineLearning", "Prod"), ("Dev", "Workloads"), ("Sandbox", None),
    ("Security", None), ("Data", "Prod"), ("Suspended", None), ("Regulated", "MachineLearning"),
    ("Platform", "Workloads"), ("Research", "Dev"), ("Partners", "Sandbox"),
)  # fmt: skip
FEWEST_UNITS = 5

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
NOT_BREAK_GLASS = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/rollout/break-glass-*"}}
GLOBAL_SERVICES = ["iam:*", "organizations:*", "sts:*", "support:*", "route53:*", "cloudfront:*"]
FULL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
#: Name, statements and units of each SCP; a unit that does not exist is passed over, None is the root.
SCPS: tuple[tuple[str, list[Json], tuple[str | None, ...]], ...] = (
    (
        "our-regions",
        [
            {
                "Effect": "Deny",
                "NotAction": GLOBAL_SERVICES,
                "Resource": "*",
                "Condition": {
                    "StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]},
                    **NOT_BREAK_GLASS,
                },
            }
        ],
        ("Prod", "Data"),
    ),
    (
        "keep-logging",
        [{"Effect": "Deny", "Action": ["cloudtrail:StopLogging", "organizations:LeaveOrganization"], "Resource": "*"}],
        (None,),
    ),
    (
        "no-direct-internet",
        [
            {
                "Effect": "Deny",
                "Action": "sagemaker:CreateNotebookInstance",
                "Resource": "*",
                "Condition": {"StringEquals": {"sagemaker:DirectInternetAccess": "Enabled"}},
            }
        ],
        ("Workloads", "Sandbox"),
    ),
    (
        "jobs-in-our-subnets",
        [
            {
                "Effect": "Deny",
                "Action": ["sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob", "sagemaker:CreateModel"],
                "Resource": "*",
                "Condition": {"Null": {"sagemaker:VpcSubnets": "true"}},
            }
        ],
        ("MachineLearning", "Regulated"),
    ),
    ("suspended", [{"Effect": "Deny", "Action": "*", "Resource": "*"}], ("Suspended",)),
)
SANDBOX_ALLOWS = [
    "sagemaker:*",
    "s3:*",
    "logs:*",
    "cloudwatch:*",
    "ec2:Describe*",
    "iam:Get*",
    "iam:List*",
    "iam:PassRole",
]
OTHERS_ASSUME = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sts:AssumeRole",
    "Resource": "*",
    "Condition": {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION_ID},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    },
}


class Account(NamedTuple):
    """An account, its place in the list from 0, and its parent."""

    number: int
    account_id: str
    parent_id: str


def organizational_units(chance: random.Random) -> list[Json]:
    """Return between five and twelve units, parents first, as AWS prints them with the parent added."""
    ids = {unit: f"ou-bnch-{number:08d}" for number, (unit, _) in enumerate(UNITS, 1)}
    return [
        {"Id": ids[unit], "Arn": _arn("ou", ids[unit]), "Name": unit, "ParentId": ids[parent] if parent else ROOT_ID}
        for unit, parent in UNITS[: chance.randint(FEWEST_UNITS, len(UNITS))]
    ]


def account_at(index: int, units: Sequence[Json], chance: random.Random) -> Account:
    """Return the account of that number; the first is the management account, below the root."""
    parent = str(chance.choice(units)["Id"]) if index else ROOT_ID
    return Account(index, f"{FIRST_ACCOUNT + index}", parent)


def organization_of(units: Sequence[Json], accounts: Sequence[Account]) -> Json:
    """Return the content of organization.json."""
    root = {"Id": ROOT_ID, "Arn": _arn("root", ROOT_ID), "Name": "Root"}
    members = [_member(account) for account in accounts]
    return {
        "Organization": {
            "Id": ORGANIZATION_ID,
            "Arn": f"arn:aws:organizations::{FIRST_ACCOUNT}:organization/{ORGANIZATION_ID}",
            "FeatureSet": "ALL",
            "MasterAccountId": f"{FIRST_ACCOUNT}",
        },
        "Roots": [{**root, "PolicyTypes": [{"Type": kind, "Status": "ENABLED"} for kind in (SCP, RCP)]}],
        "OrganizationalUnits": list(units),
        "Accounts": members,
        "Policies": _policies(root, units, members),
    }


def _member(account: Account) -> Json:
    account_name = f"account-{account.number:05d}"
    return {
        "Id": account.account_id,
        "Arn": _arn("account", account.account_id),
        "Email": f"{account_name}@example.com",
        "Name": account_name,
        "Status": "ACTIVE",
        "JoinedMethod": "CREATED",
        "ParentId": account.parent_id,
    }


def _arn(kind: str, node_id: str) -> str:
    return f"arn:aws:organizations::{FIRST_ACCOUNT}:{kind}/{ORGANIZATION_ID}/{node_id}"


def _policies(root: Json, units: Sequence[Json], members: Sequence[Json]) -> list[Json]:
    """Return FullAWSAccess wherever an allow-list does not stand in its place, the guardrails and the RCPs."""
    by_name: dict[str | None, Json] = {None: root, **{unit["Name"]: unit for unit in units}}
    targets = [_target(node) for node in (root, *units, *members)]
    full_targets = [target for target in targets if target["Name"] != "Sandbox"]
    allowed: Json = {"Effect": "Allow", "Action": SANDBOX_ALLOWS, "Resource": "*"}
    policies = [_policy(SCP, "p-FullAWSAccess", "FullAWSAccess", [FULL], full_targets)]
    policies.append(_policy(SCP, "p-bnch0000", "sandbox-allow-list", [allowed], [_target(by_name["Sandbox"])]))
    for number, (policy_name, statements, places) in enumerate(SCPS, 1):
        found = [_target(by_name[place]) for place in places if place in by_name]
        policies.append(_policy(SCP, f"p-bnch{number:04d}", policy_name, statements, found))
    everyone = [{**FULL, "Principal": "*"}]
    policies.append(_policy(RCP, "p-RCPFullAWSAccess", "RCPFullAWSAccess", everyone, targets))
    policies.append(_policy(RCP, "p-bnch0100", "roles-of-ours", [OTHERS_ASSUME], targets[:1]))
    return policies


def _target(node: Json) -> Json:
    kind = {"r": "ROOT", "o": "ORGANIZATIONAL_UNIT"}.get(node["Id"][0], "ACCOUNT")
    return {"TargetId": node["Id"], "Arn": node["Arn"], "Name": node["Name"], "Type": kind}


def _policy(kind: str, policy_id: str, policy_name: str, statements: list[Json], targets: list[Json]) -> Json:
    is_aws = policy_id.endswith("FullAWSAccess")
    owner = "aws:policy" if is_aws else f"{FIRST_ACCOUNT}:policy/{ORGANIZATION_ID}"
    return {
        "PolicySummary": {
            "Id": policy_id,
            "Arn": f"arn:aws:organizations::{owner}/{kind.lower()}/{policy_id}",
            "Name": policy_name,
            "Description": "",
            "Type": kind,
            "AwsManaged": is_aws,
        },
        "Content": msgspec.json.encode({"Version": "2012-10-17", "Statement": statements}).decode(),
        "Targets": targets,
    }
