"""Writes small organizations whose policies ask who calls and how, and asks about them.

Roles with ids and with tags that sessions may replace; conditions on aws:userid, session tags, the keys of temporary
credentials, of calls through services and of calls by services. The same seed gives the same ones.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agreement import SESSIONS, Requests
from random_organization import ACCOUNTS, TESTS, Json, Tests, Writer, document, write_organization

TAGS = ("team", "cost")
OF_CALLERS: Tests = (
    ("String", "aws:userid", ("AROAR1:*", "AROAR2:s0", "*:s0", "*:s?", "AROAR*", "AIDA1", "AIDA*", "*")),
    ("String", "aws:userid", ("AROAR1:*", "*:s1", "*2:*")),
    ("String", "aws:PrincipalTag/team", ("a", "b", "*", "", "?*")),
    ("String", "aws:PrincipalTag/cost", ("a", "")),
    ("String", "aws:ResourceTag/team", ("${aws:PrincipalTag/team}", "${aws:userid}", "a")),
    ("Date", "aws:TokenIssueTime", ("2026-01-01", "2030-01-01T00:00:00Z")),
    ("Bool", "aws:MultiFactorAuthPresent", ("true", "false")),
    ("String", "aws:SourceAccount", ACCOUNTS),
    ("Arn", "aws:SourceArn", ("arn:aws:s3:::*", "*")),
    ("Many", "aws:CalledVia", ("athena.amazonaws.com", "*.amazonaws.com", "cloud*")),
    ("String", "aws:CalledViaFirst", ("athena.amazonaws.com", "a*", "cloudformation.amazonaws.com")),
    ("String", "aws:CalledViaLast", ("athena.amazonaws.com", "c*")),
    ("Bool", "aws:ViaAWSService", ("true", "false")),
    ("String", "aws:UserAgent", ("aws-cli/*", "*", "")),
    ("Many", "sagemaker:InstanceTypes", ("ml.c5.*", "ml.t3.medium", "ml.*")),
)
#: Facts of the principal against texts around variables.
OF_FACTS: Tests = (
    (
        "String",
        "aws:PrincipalTag/team",
        ("x-${aws:RequestTag/team}", "${aws:ResourceTag/team}*", "?${aws:RequestTag/team}", "a"),
    ),
    (
        "String",
        "aws:PrincipalTag/team",
        ("${aws:RequestTag/team}-${aws:ResourceTag/team}", "x-${aws:ResourceTag/team, 'a'}"),
    ),
    (
        "Arn",
        "aws:PrincipalArn",
        ("arn:aws:iam::*:user/${aws:ResourceTag/owner}", "arn:aws:iam::*:role/r${aws:RequestTag/team}*"),
    ),
    ("Arn", "aws:PrincipalArn", ("arn:aws:iam::111111111111:*/${aws:ResourceTag/owner}", "*${aws:RequestTag/team}")),
    ("String", "aws:username", ("u${aws:RequestTag/team}", "${aws:ResourceTag/owner}", "${aws:ResourceTag/owner}?")),
    ("String", "aws:userid", ("AIDA${aws:ResourceTag/owner}", "${aws:ResourceTag/owner}:s0")),
    ("String", "aws:ResourceTag/owner", ("u1", "u2", "r1", "1", "2", "3")),
    ("String", "aws:RequestTag/team", ("a", "a", "b", "u1", "1", "-")),
)
#: Keys of calls that a service principal makes itself.
OF_SERVICES = ("aws:sourceaccount", "aws:sourcearn")
SERVICES = ("athena.amazonaws.com", "cloudformation.amazonaws.com", "example.amazonaws.com")


class CallerWriter(Writer):
    """Writes organizations with such policies."""

    tests = (*OF_CALLERS, *OF_CALLERS, *TESTS)

    def trust(self) -> Json:
        actions = ["sts:AssumeRole", *(["sts:TagSession"] if self.chance.random() < 0.6 else [])]
        service = {"Service": "sagemaker.amazonaws.com"}
        return document([{"Effect": "Allow", "Principal": service, "Action": actions}])

    def resource(self) -> str:
        return (
            super().resource().replace("${aws:SourceIdentity}", self.chance.choice(("${aws:userid}", "${aws:userid}-")))
        )

    def role(self, account: str, number: int, limits: list[str]) -> Json:
        found = super().role(account, number, limits)
        return {**found, "RoleId": f"AROAR{number}"} if number % 7 else found

    def shared(self, account: str) -> Json:
        """Return a resource whose policy names sessions too."""
        found = super().shared(account)
        for statement in found["ResourcePolicy"]["Statement"]:
            if self.chance.random() < 0.5:
                role = f"r{self.chance.randrange(self.roles)}"
                name = f"arn:aws:sts::{account}:assumed-role/{role}/{self.chance.choice(SESSIONS)}"
                statement["Principal"] = {"AWS": name}
        return found


class FactWriter(CallerWriter):
    """Writes organizations whose policies compare what is known of the principal with variables that are not."""

    tests = (*OF_FACTS, *OF_FACTS, *OF_CALLERS)
    teams = ("a", "x-a", "ba", "a-b", "")


@dataclass
class CallerRequests(Requests):
    """Requests with what only such policies ask for."""

    by_sessions: float = 0.5

    @cached_property
    def taggable(self) -> set[str]:
        """The roles whose trust policies let tags pass."""
        sql = """
        select attachments.target_arn
        from attachments
        inner join policies on attachments.policy_id = policies.policy_id
        where attachments.attachment_kind = 'trust' and contains(policies.document, 'sts:TagSession')
        """
        return {row["target_arn"] for row in self._rows(sql)}

    @cached_property
    def ids(self) -> dict[str, str]:
        rows = self._rows("select principal_arn, principal_id from principals where principal_id is not null")
        return {row["principal_arn"]: row["principal_id"] for row in rows}

    def sent_together(self, context: Json, principal_arn: str, caller: str) -> Json:
        found = {key: value for key, value in context.items() if key not in OF_SERVICES}
        if "aws:calledvia" in found or "aws:calledviafirst" in found:
            found["aws:calledvia"] = [self.chance.choice(SERVICES) for _ in range(self.chance.choice((1, 1, 2, 3)))]
            found.pop("aws:calledviafirst", None)
            found.pop("aws:calledvialast", None)
        if principal_arn in self.taggable:
            for tag in TAGS:
                if self.chance.random() < 0.6:
                    found[f"aws:principaltag/{tag}"] = self.chance.choice(("a", "b", "", "c"))
        if ":role/" in principal_arn:
            name = self.chance.choice((*SESSIONS, "alice")) if caller == principal_arn else caller.rsplit("/", 1)[-1]
            found["aws:userid"] = f"{self.ids.get(principal_arn, 'AROAX')}:{name}"
        elif principal_arn in self.ids:
            found["aws:userid"] = self.ids[principal_arn]
        return super().sent_together(found, principal_arn, caller)


def write_callers(folder: Path, seed: int, kind: type[CallerWriter] = CallerWriter) -> None:
    """Write the input files of an organization below ``folder``."""
    write_organization(folder, seed, kind)
