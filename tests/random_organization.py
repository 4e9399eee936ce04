"""Writes small organizations of hostile policies: patterns that overlap, conditions that contradict, all layers.

The same seed gives the same organization.
"""

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Json = Any
Tests = tuple[tuple[str, str, tuple[str, ...]], ...]
ACCOUNTS = ("111111111111", "222222222222")
ORGANIZATION, ROOT, UNIT = "o-a1b2c3d4e5", "r-ab12", "ou-ab12-11111111"
MANAGER = "999999999999"
ACTIONS = (
    "sagemaker:DeleteModel",
    "sagemaker:CreateModel",
    "sagemaker:*Model*",
    "sagemaker:ListModels",
    "sagemaker:*",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:*ModelPackageGroup",
    "sagemaker:CreateEndpoint",
    "*",
)
TAILS = (
    "model/*",
    "model/*a*",
    "model/*b*",
    "model/a*",
    "model/?a*",
    "model/prod-1",
    "model/*1",
    "*",
    "*a*",
    "model-package-group/*",
    "model-package-group/shared",
    "endpoint/*",
    "endpoint*/*a*",
    "endpoint-config/x*",
    "model/${aws:PrincipalTag/team}-*",
    "model/${aws:SourceIdentity}*",
    "model/${aws:PrincipalTag/none, 'a'}*",
)
TESTS: Tests = (
    ("String", "aws:SourceVpc", ("vpc-1", "vpc-2", "vpc-*", "*1")),
    ("String", "aws:SourceVpce", ("vpce-1", "vpce-*")),
    ("Ip", "aws:SourceIp", ("192.0.2.0/24", "192.0.2.0/25", "203.0.113.0/24", "2001:db8::/32")),
    ("String", "aws:ResourceTag/team", ("a", "b", "a*", "", "${aws:PrincipalTag/team}")),
    ("String", "sagemaker:ResourceTag/team", ("a", "b")),
    ("String", "aws:RequestTag/team", ("a", "A", "*")),
    ("Many", "aws:TagKeys", ("team", "cost", "t*")),
    ("Many", "sagemaker:VpcSubnets", ("subnet-1", "subnet-2", "subnet-*")),
    ("Bool", "aws:MultiFactorAuthPresent", ("true", "false")),
    ("Bool", "aws:SecureTransport", ("true", "false")),
    ("Bool", "sagemaker:NetworkIsolation", ("true", "false")),
    ("Date", "aws:CurrentTime", ("2026-01-01", "2030-01-01T00:00:00Z", "1900000000")),
    ("String", "aws:RequestedRegion", ("us-east-1", "eu-*")),
    ("Arn", "aws:PrincipalArn", ("arn:aws:iam::*:role/r1*", "arn:aws:iam::111111111111:role/*", "*")),
    ("String", "aws:PrincipalTag/team", ("a", "b", "*")),
    ("String", "aws:PrincipalOrgID", (ORGANIZATION, "o-other")),
    ("String", "aws:ResourceAccount", ACCOUNTS),
    ("Many", "aws:CalledVia", ("athena.amazonaws.com", "*.amazonaws.com")),
)
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
OPERATORS = {
    "String": ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"),
    "Many": ("ForAllValues:StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringNotLike", "StringLike"),
    "Ip": ("IpAddress", "NotIpAddress"),
    "Bool": ("Bool",),
    "Date": ("DateLessThan", "DateGreaterThanEquals", "DateNotEquals"),
    "Arn": ("ArnLike", "ArnNotLike", "StringLike"),
}


def organization_arn(tail: str) -> str:
    return f"arn:aws:organizations::{MANAGER}:{tail}"


def document(statements: list[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": statements}


def control(number: int, kind: str, content: Json, targets: list[str]) -> Json:
    """Return an SCP or RCP with its targets, as it stands in the file of an organization."""
    return {
        "PolicySummary": {
            "Id": f"p-{number}",
            "Arn": organization_arn(f"policy/{ORGANIZATION}/{kind.lower()}_control_policy/p-{number}"),
            "Name": f"{'rcp' if kind == 'RESOURCE' else 'scp'}-{number}",
            "Type": f"{kind}_CONTROL_POLICY",
        },
        "Content": json.dumps(content),
        "Targets": [{"TargetId": target} for target in targets],
    }


def organization_file(
    units: Mapping[str, str], members: Mapping[str, str], policies: list[Json], manager: str = MANAGER
) -> Json:
    """Return the file of an organization; ``units`` and ``members`` are given with their parents."""

    def place(kind: str, target: str, name: str, parent: str) -> Json:
        arn = organization_arn(f"{kind}/{ORGANIZATION}/{target}")
        return {"Id": target, "Arn": arn, "Name": name, "ParentId": parent}

    return {
        "Organization": {"Id": ORGANIZATION, "MasterAccountId": manager},
        "Roots": [{"Id": ROOT, "Arn": organization_arn(f"root/{ORGANIZATION}/{ROOT}"), "Name": "Root"}],
        "OrganizationalUnits": [place("ou", unit, "Unit", parent) for unit, parent in units.items()],
        "Accounts": [place("account", account, account, parent) for account, parent in members.items()],
        "Policies": policies,
    }


def write_files(folder: Path, files: Iterable[tuple[str, Json]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files:
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1), encoding="utf-8")


class Writer:
    accounts: tuple[str, ...] = ACCOUNTS
    actions: tuple[str, ...] = ACTIONS
    tests: Tests = TESTS
    teams: tuple[str, ...] = ("a", "b", "a*", "")
    roles, users = 14, 4

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def some(self, values: tuple[str, ...], most: int) -> list[str]:
        return self.chance.sample(values, self.chance.randint(1, min(most, len(values))))

    def resource(self) -> str:
        tail = self.chance.choice(TAILS)
        if tail == "*":
            return "*"
        region = self.chance.choice(("*", "*", "us-east-1", "us-*"))
        return f"arn:aws:sagemaker:{region}:{self.chance.choice(('*', '*', '*', *self.accounts))}:{tail}"

    def condition(self) -> Json:
        block: dict[str, dict[str, list[str]]] = {}
        for _ in range(self.chance.choice((0, 0, 1, 1, 2))):
            kind, key, values = self.chance.choice(self.tests)
            operator = self.chance.choice(OPERATORS[kind]) + self.chance.choice(("", "", "IfExists"))
            if self.chance.random() < 0.12:
                operator, values = "Null", ("true", "false")
            block.setdefault(operator, {})[key] = self.some(values, 1 if operator == "Null" else 2)
        return block

    def statement(self, allows: float) -> Json:
        effect = "Allow" if self.chance.random() < allows else "Deny"
        not_action = "NotAction" if self.chance.random() < 0.1 else "Action"
        not_resource = "NotResource" if self.chance.random() < 0.15 else "Resource"
        resources = [self.resource() for _ in range(self.chance.randint(1, 2))]
        found = {"Effect": effect, not_action: self.some(self.actions, 2), not_resource: resources}
        return {**found, "Condition": self.condition()}

    def policy(self, most: int = 4, allows: float = 0.65) -> Json:
        return document([self.statement(allows) for _ in range(self.chance.randint(1, most))])

    def scp(self) -> Json:
        return document([EVERYTHING, self.statement(0.3)])

    def account(self, account: str) -> Json:
        limits = [f"arn:aws:iam::{account}:policy/limit-{n}" for n in range(3)]
        policies = [
            {
                "Arn": arn,
                "PolicyName": arn[-7:],
                "PolicyVersionList": [{"IsDefaultVersion": True, "VersionId": "v1", "Document": self.policy(3, 0.8)}],
            }
            for arn in limits
        ]
        return {
            "RoleDetailList": [self.role(account, n, limits) for n in range(self.roles)],
            "Policies": policies,
            "UserDetailList": [self.user(account, n, limits) for n in range(self.users)],
            "GroupDetailList": [],
        }

    def _common(self, limits: list[str]) -> Json:
        tags = [{"Key": "team", "Value": self.chance.choice(self.teams)}] if self.chance.random() < 0.7 else []
        found: Json = {"Tags": tags}
        if self.chance.random() < 0.35:
            found["PermissionsBoundary"] = {"PermissionsBoundaryArn": self.chance.choice(limits)}
        return found

    def trust(self) -> Json:
        actions = ["sts:AssumeRole"]
        if self.chance.random() < 0.2:
            actions.append("sts:TagSession")
        service = {"Service": "sagemaker.amazonaws.com"}
        return document([{"Effect": "Allow", "Principal": service, "Action": actions}])

    def role_path(self, account: str, number: int) -> str:
        """Return the name of a role, after its path if it has one."""
        return f"r{number}"

    def user_name(self, account: str, number: int) -> str:
        return f"u{number}"

    def role(self, account: str, number: int, limits: list[str]) -> Json:
        trust, path = self.trust(), self.role_path(account, number)
        name = path.rsplit("/", 1)[-1]
        inline = [{"PolicyName": f"p{n}", "PolicyDocument": self.policy()} for n in range(self.chance.randint(1, 2))]
        return {
            "Arn": f"arn:aws:iam::{account}:role/{path}",
            "RoleName": name,
            "Path": f"/{path.removesuffix(name)}",
            "RolePolicyList": inline,
            "AssumeRolePolicyDocument": trust,
            **self._common(limits),
        }

    def user(self, account: str, number: int, limits: list[str]) -> Json:
        name = self.user_name(account, number)
        inline = [{"PolicyName": "p", "PolicyDocument": self.policy()}]
        return {
            "Arn": f"arn:aws:iam::{account}:user/{name}",
            "UserName": name,
            "UserId": f"AIDA{number}",
            "UserPolicyList": inline,
            **self._common(limits),
        }

    def organization(self) -> Json:
        targets = (ROOT, UNIT, *self.accounts)
        scps = [control(n, "SERVICE", self.scp(), [target]) for n, target in enumerate(targets)]
        return organization_file({UNIT: ROOT}, dict.fromkeys(self.accounts, UNIT), scps)

    def shared(self, account: str) -> Json:
        arn = f"arn:aws:sagemaker:us-east-1:{account}:model-package-group/shared"
        whom = (
            "*",
            "111111111111",
            "arn:aws:iam::222222222222:root",
            "arn:aws:iam::111111111111:role/r1",
            "arn:aws:iam::222222222222:user/u1",
        )
        statements = [
            {
                **self.statement(0.8),
                "Principal": {"AWS": self.chance.choice(whom)},
                "Action": "sagemaker:*ModelPackageGroup",
            }
            for _ in range(3)
        ]
        for statement in statements:
            for name in ("NotAction", "NotResource", "Resource"):
                statement.pop(name, None)
            statement["Resource"] = self.chance.choice((arn, "*", "arn:aws:sagemaker:*:*:model-package-group/*"))
        return {"ResourceArn": arn, "ResourcePolicy": document(statements)}


def write_organization(folder: Path, seed: int, kind: type[Writer] = Writer) -> None:
    """Write the input files of an organization below ``folder``."""
    writer = kind(seed)
    files = [(account, writer.account(account)) for account in writer.accounts]
    files += [("organization", writer.organization())]
    write_files(folder, [*files, ("shared", [writer.shared(account) for account in writer.accounts])])
