"""Writes small organizations in which accounts reach into each other, and asks about them.

Three accounts: trust policies, KMS keys, S3 buckets and model package groups whose policies name accounts, users,
roles, sessions and everyone; NotPrincipal; SCPs and RCPs at every level; account ids within names, tags and patterns.
The same seed gives the same organization and the same requests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agreement import SESSIONS, Requests, glob_matches, session_arn
from random_organization import (
    ACCOUNTS,
    EVERYTHING,
    MANAGER,
    ORGANIZATION,
    ROOT,
    TESTS,
    UNIT,
    Json,
    Tests,
    Writer,
    control,
    document,
    organization_file,
    write_files,
)

SERVICES = ("sts", "kms", "s3")
INNER_UNIT = "ou-ab12-22222222"
SERVICE_LINKED = "aws-service-role/sagemaker.amazonaws.com/AWSServiceRoleForSageMaker"
KEY, BUCKET, GROUP = (
    "arn:aws:kms:us-east-1:ACCOUNT:key/k",
    "arn:aws:s3:::bucket-ACCOUNT",
    "arn:aws:sagemaker:us-east-1:ACCOUNT:model-package-group/shared",
)
ON_KEYS = ("kms:Decrypt", "kms:CreateGrant", "kms:Encrypt", "kms:ScheduleKeyDeletion")
ON_BUCKETS = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")
ON_GROUPS = (
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:DescribeModelPackage",
    "sagemaker:CreateModelPackage",
    "sagemaker:DeleteModelPackageGroup",
)
#: Actions that the reference does not know, and what they are asked on.
UNKNOWN = {
    "sagemaker:InventedAction": "arn:${P}:sagemaker:${Region}:${Account}:model-package-group/${N}",
    "kms:InventedAction": "arn:${P}:kms:${Region}:${Account}:key/${K}",
    "s3:InventedAction": "arn:${P}:s3:::${B}/${K}",
    "sts:InventedAction": "arn:${P}:iam::${Account}:role/${R}",
}
ASKED = (
    *("sts:AssumeRole",) * 5, "sts:TagSession", *ON_KEYS, *ON_BUCKETS, *ON_BUCKETS, *ON_GROUPS, *UNKNOWN,
    "kms:ListKeys", "kms:CreateKey", "s3:ListAllMyBuckets", "sagemaker:DeleteModel", "iam:PassRole",
)  # fmt: skip
WIDE_ACTIONS = ("sts:*", "sts:Assume*", "kms:*", "kms:Enc*", "s3:*", "*", "sagemaker:*ModelPackage*")
PATTERNS = (
    *("*",) * 6,
    "arn:aws:iam::ACCOUNT:role/*",
    "arn:aws:iam::ACCOUNT:role/r1",
    "arn:aws:iam::ACCOUNT:role/r?",
    "arn:aws:iam::ACCOUNT:role/r-${aws:PrincipalAccount}",
    "arn:aws:iam::ACCOUNT:role/aws-service-role/*",
    "arn:aws:kms:*:ACCOUNT:key/*",
    "arn:aws:kms:us-east-1:ACCOUNT:key/k",
    "arn:aws:s3:::bucket-OTHER/*",
    "arn:aws:s3:::bucket-OTHER",
    "arn:aws:s3:::bucket-*",
    "arn:aws:s3:::bucket-${aws:PrincipalAccount}/*",
    "arn:aws:s3:::*/p/*",
    "arn:aws:s3:::*/p:*",
    "arn:aws:s3:::*:*",
    "arn:aws:sagemaker:*:ACCOUNT:model-package-group/*",
    "arn:aws:sagemaker:us-*:*:model-package-group/shared",
    "arn:aws:sagemaker:us-east-1:ACCOUNT:model-package/shared/*",
    "arn:aws:sagemaker:*:ACCOUNT:model*/*",
    "arn:aws:sagemaker:*:*account*",
)
IDS = (*ACCOUNTS, "333333333333")
OF_CROSSINGS: Tests = (
    ("Arn", "aws:PrincipalArn", ("*account*", "arn:aws:iam::*:role/*", "arn:aws:iam::222222222222:role/r0")),
    ("String", "aws:PrincipalAccount", IDS),
    ("String", "aws:ResourceAccount", (*IDS, "${aws:PrincipalAccount}", "${aws:PrincipalTag/team}")),
    ("String", "aws:ResourceOrgID", (ORGANIZATION, "${aws:PrincipalOrgID}")),
    ("String", "aws:PrincipalTag/team", (*IDS, "of-222222222222", "a", "${aws:PrincipalAccount}")),
    ("String", "aws:PrincipalType", ("User", "AssumedRole")),
    ("String", "aws:username", ("u*", "u-111111111111")),
    ("Many", "aws:PrincipalOrgPaths", (f"{ORGANIZATION}/{ROOT}/*", f"*/{UNIT}/*", f"*/{INNER_UNIT}/")),
    ("Bool", "aws:PrincipalIsAWSService", ("true", "false")),
    ("String", "sts:ExternalId", ("x1", "111111111111")),
    ("String", "kms:ViaService", ("sagemaker.us-east-1.amazonaws.com", "s3.*")),
    ("String", "s3:prefix", ("a*", "222222222222/*")),
)
#: Texts that match a part of an id, for which the evaluation must know the digits.
BY_DIGITS: Tests = (
    ("Arn", "aws:PrincipalArn", ("*111111111111*", "arn:aws:iam::2*:user/u?", "arn:aws:iam::?11111111111:*")),
    ("Arn", "aws:PrincipalArn", ("*{ownaccount}*", "arn:aws:iam::*1:role/*")),
    ("String", "aws:PrincipalAccount", ("*1", "3*")),
    ("String", "aws:ResourceAccount", ("*2", "1*")),
    ("String", "aws:PrincipalTag/team", ("*222222222222*", "3*")),
    ("String", "aws:username", ("*111111111111", "u-3*")),
)
PATTERNS_BY_DIGITS = ("arn:aws:iam::ACCOUNT:role/*OTHER*", "arn:aws:sagemaker:*:1*", "arn:aws:s3:::bucket-?2*")
OF_REQUESTS = (
    "aws:SourceVpc", "aws:SourceVpce", "aws:MultiFactorAuthPresent", "aws:PrincipalOrgID", "aws:CalledVia",
    "aws:ResourceTag/team", "aws:RequestTag/team",
)  # fmt: skip


class CrossingWriter(Writer):
    accounts = IDS
    actions = (*WIDE_ACTIONS, *WIDE_ACTIONS, *WIDE_ACTIONS, *sorted({*ASKED}))
    tests = (*OF_CROSSINGS, *(test for test in TESTS if test[1] in OF_REQUESTS))
    teams = ("a", "b", *IDS, "of-222222222222", "*")
    roles, users = 4, 3

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        has_digits = seed % 3 == 0
        self.patterns = (*PATTERNS, *PATTERNS_BY_DIGITS) if has_digits else PATTERNS
        self.tests = (*CrossingWriter.tests, *BY_DIGITS) if has_digits else CrossingWriter.tests

    def role_path(self, account: str, number: int) -> str:
        other = self.accounts[(self.accounts.index(account) + 1) % len(self.accounts)]
        return ("r0", "r1", f"r-{other}", SERVICE_LINKED)[number]

    def user_name(self, account: str, number: int) -> str:
        return ("u0", "u1", f"u-{account}")[number]

    def policy(self, most: int = 4, allows: float = 0.8) -> Json:
        return super().policy(most, allows)

    def resource(self) -> str:
        pattern = self.chance.choice(self.patterns).replace("OTHER", self.chance.choice(self.accounts))
        return pattern.replace("ACCOUNT", self.chance.choice(("*", "*", "?" * 12, *self.accounts)))

    def principals(self, account: str) -> tuple[str, ...]:
        """Return names of the account: a role, one of the role's sessions, a user, and the account itself."""
        role = f"arn:aws:iam::{account}:role/{self.role_path(account, self.chance.randrange(self.roles))}"
        user = f"arn:aws:iam::{account}:user/{self.user_name(account, self.chance.randrange(self.users))}"
        return (role, session_arn(role, self.chance.choice(SESSIONS)), user, f"arn:aws:iam::{account}:root", account)

    def whom(self) -> Json:
        """Return whom a statement speaks of: some, everyone but some (then it mostly denies), or everyone."""
        account = self.chance.choice(self.accounts)
        if self.chance.random() < 0.12:
            spared = [*self.principals(account)[:-1], f"arn:aws:iam::{self.chance.choice(self.accounts)}:root"]
            effect = "Allow" if self.chance.random() < 0.1 else "Deny"
            return {"Effect": effect, "NotPrincipal": {"AWS": spared}}
        if self.chance.random() < 0.15:
            return {"Principal": "*"}
        named: Json = {"AWS": self.some(("*", *self.principals(account)), 2)}
        if self.chance.random() < 0.2:
            named["Service"] = "sagemaker.amazonaws.com"
        return {"Principal": named}

    def consents(self, actions: tuple[str, ...], *resources: str) -> Json:
        """Return the policy of a resource; a trust policy, which names no resource, where ``resources`` are none."""
        statements = []
        for _ in range(self.chance.randint(1, 3)):
            effect = "Allow" if self.chance.random() < 0.8 else "Deny"
            place = {"Resource": self.chance.choice(resources)} if resources else {}
            said = {"Effect": effect, "Action": self.some(actions, len(actions)), "Condition": self.condition()}
            statements.append({**said, **place, **self.whom()})
        return document(statements)

    def trust(self) -> Json:
        return self.consents(self.chance.choice((*(("sts:AssumeRole",),) * 4, ("sts:AssumeRole", "sts:TagSession"))))

    def shared_by(self, account: str) -> Iterator[tuple[str, Json]]:
        """Yield resources of the account with their policies; some have none."""
        key, bucket, group = (arn.replace("ACCOUNT", account) for arn in (KEY, BUCKET, GROUP))
        if self.chance.random() < 0.8:
            yield key, self.consents(("kms:*", *ON_KEYS, "kms:InventedAction"), "*")
        if self.chance.random() < 0.8:
            yield bucket, self.consents((*ON_BUCKETS, "s3:InventedAction"), bucket, f"{bucket}/*", f"{bucket}/p/*")
        if self.chance.random() < 0.8:
            yield group, self.consents((*ON_GROUPS, "sagemaker:InventedAction"), "*", group)

    def rcp(self) -> Json:
        actions = self.chance.choice((["sts:AssumeRole"], ["kms:*"], ["s3:*"], ["s3:*", "kms:Decrypt", "sts:*"]))
        place = {self.chance.choice(("Resource", "Resource", "NotResource")): self.resource()}
        denial = {"Effect": "Deny", "Principal": "*", "Action": actions, "Condition": self.condition()}
        return document([{**denial, **place}])

    def organization(self) -> Json:
        targets = (ROOT, UNIT, INNER_UNIT, *self.accounts)
        attached = [target for target in targets if self.chance.random() < 0.97]
        policies = [control(0, "SERVICE", document([EVERYTHING]), attached)]
        for number in range(1, self.chance.randint(3, 6)):
            kind = "SERVICE" if number % 2 else "RESOURCE"
            content = self.policy(1, 0.3) if kind == "SERVICE" else self.rcp()
            policies.append(control(number, kind, content, [self.chance.choice(targets)]))
        members = dict(zip(self.accounts, (ROOT, UNIT, INNER_UNIT), strict=True))
        manager = self.chance.choice((MANAGER, MANAGER, self.accounts[0]))
        return organization_file({UNIT: ROOT, INNER_UNIT: UNIT}, members, policies, manager)


@dataclass
class CrossingRequests(Requests):
    """Requests for such an organization, about half of them on resources of other accounts."""

    in_own_account: float = 0.4
    by_sessions: float = 0.6

    def action(self, principal_arn: str) -> str:
        del principal_arn
        return self.chance.choice(self.asked)

    @cached_property
    def asked(self) -> list[str]:
        """The actions to ask about: an unknown one only if a policy names it, otherwise the lake has no answer."""
        return [action for action in ASKED if action in self.actions]

    def unknown_kind(self, action: str) -> tuple[str, str, tuple[str, ...]]:
        return "key" if action.startswith("kms:") else "unknown", UNKNOWN[action], ()

    @cached_property
    def governed(self) -> list[str]:
        """The resources that have policies, and some that lie in them."""
        kinds = "attachment_kind in ('resource', 'trust')"
        found = self._rows(f"select distinct target_arn from attachments where {kinds} order by 1")
        arns = [row["target_arn"] for row in found]
        objects = [f"{arn}/{name}" for arn in arns if ":s3:" in arn for name in ("p/1", "q", "p:1", "p/1:b")]
        packages = [f"{arn.replace('-group/', '/')}/1" for arn in arns if ":sagemaker:" in arn]
        return [*arns, *objects, *packages]

    def resource(self, arn_format: str, account: str) -> str:
        held = [arn for arn in self.governed if glob_matches(arn_format.replace("${Account}", account), arn)]
        if arn_format.endswith("${BucketName}"):  # no name of a bucket holds a colon or slash
            held = [arn for arn in held if not {":", "/"} & {*arn.split(":", 5)[5]}]
        if held and self.chance.random() < 0.8:
            return self.chance.choice(held)
        return super().resource(arn_format, account)


def write_crossings(folder: Path, seed: int) -> None:
    """Write the input files of an organization below ``folder``: one in seven lacks the organization's own."""
    writer = CrossingWriter(seed)
    files = [(account, writer.account(account)) for account in writer.accounts]
    shared = [pair for account in writer.accounts for pair in writer.shared_by(account)]
    files.append(("shared", [{"ResourceArn": arn, "ResourcePolicy": policy} for arn, policy in shared]))
    write_files(folder, files if seed % 7 == 0 else [*files, ("organization", writer.organization())])
