"""What a build says is what a plain SQL query (naive.sql) decides request by request, on small organizations.

The oracle decides what needs no context. Globs and formulas of the answers are read by this file's own code.
"""

import json
import random
import re
from collections import defaultdict
from functools import cache, lru_cache
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import SAMPLE
from random_organization import ACTIONS, EVERYTHING, ROOT, Writer, control, document, write_organization

from bench.generate import generate
from pipeline.build import build_lake
from pipeline.ingest import shards
from pipeline.lake import open_lake

ORACLE = Path(__file__).with_name("naive.sql").read_text(encoding="utf-8")
#: Resources of each type that an account has, and how many of them each principal asks for, by action;
#: all of them where a policy names the action.
CANDIDATES, ASKED = 5, 2
PRINCIPALS = 10
INVENTED = ("x", "prod-1", "Team-a-7")
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def rows(lake, sql):
    return lake.query(sql).to_pylist()


class Asking:
    """Makes requests of a lake's principals to resources of their own accounts; the same seed gives the same ones."""

    def __init__(self, lake, seed=1):
        self.lake, self.chance = lake, random.Random(seed)
        resources = rows(lake, "select distinct resource_pattern from resources order by all")
        self.patterns = [row["resource_pattern"] for row in resources]
        self.inventory = [row["resource_arn"] for row in rows(lake, "from inventory order by all")]
        self.names = sorted({name for pattern in self.patterns for name in names_of(pattern)} | set(INVENTED))
        self.named = {
            row["action"] for row in rows(lake, "select distinct lower(action_pattern) as action from actions")
        }
        self.candidates = lru_cache(maxsize=None)(self.candidates)

    def candidates(self, account, arn_format):
        """Return resources of the type: patterns of policies made literal, tagged ones and invented ones."""
        known = [literal(pattern, account, filler) for pattern in self.patterns for filler in ("", "x")]
        fits = re.compile(format_expression(arn_format, account))
        found = sorted({arn for arn in known + self.inventory if fits.fullmatch(arn)})
        found = self.chance.sample(found, min(len(found), CANDIDATES // 2))
        return found + [self.invented(account, arn_format) for _ in range(CANDIDATES - len(found))]

    def invented(self, account, arn_format):
        given = {"Partition": "aws", "Region": self.chance.choice(("us-east-1", "eu-west-1")), "Account": account}
        return re.sub(r"\$\{(\w+)\}", lambda found: given.get(found[1]) or self.chance.choice(self.names), arn_format)

    def principals(self):
        sql = """
            select principal_arn, account_id from principals
            where principal_type in ('user', 'role') and not is_incomplete order by all
        """
        found = rows(self.lake, sql)
        return self.chance.sample(found, min(len(found), PRINCIPALS))

    def requests(self):
        """Return principal, action, resource and resource type of each request."""
        types = rows(
            self.lake,
            """
            select evaluated_actions.action, kinds.resource_type, formats.arn_format
            from evaluated_actions
            left join reference_action_resource_types as kinds on evaluated_actions.action = kinds.action
            left join reference_resource_types as formats
                on evaluated_actions.service = formats.service and kinds.resource_type = formats.resource_type
            where evaluated_actions.is_known order by all
            """,
        )
        governed = {row["target_arn"] for row in rows(self.lake, "from attachments where attachment_kind = 'resource'")}
        for principal in self.principals():
            for kind in types:
                resources = ["*"]
                if kind["resource_type"]:
                    found = self.candidates(principal["account_id"], kind["arn_format"])
                    asked = len(found) if kind["action"].lower() in self.named else ASKED
                    resources = [arn for arn in self.chance.sample(found, asked) if arn not in governed]
                for resource in dict.fromkeys(resources):
                    yield principal["principal_arn"], kind["action"], resource, kind["resource_type"] or "*"


def names_of(pattern):
    """Return what the name at the end of a pattern may be, its wildcards filled in."""
    tail = re.split(r"[:/]", re.sub(r"\$\{[^}]*\}", "a", pattern))[-1]
    found = {tail.replace("*", filler).replace("?", "q") for filler in ("", "x", "-1")}
    return {name for name in found if re.fullmatch(NAME, name)}


def literal(pattern, account, filler):
    """Return an ARN that a pattern matches, of the account where that is open."""
    fields = re.sub(r"\$\{[^}]*\}", "a", pattern).split(":", 5)
    given = ("arn", "aws", "", "us-east-1", account)
    filled = [mine if "*" in field and mine else field for mine, field in zip(given, fields, strict=False)]
    return ":".join([*filled, *fields[5:]]).replace("*", filler).replace("?", "q")


def format_expression(arn_format, account):
    given = {"Partition": "aws", "Region": "[a-z]+-[a-z]+-[0-9]", "Account": account}
    pieces = re.split(r"\$\{(\w+)\}", arn_format)
    return "".join(given.get(piece, NAME) if n % 2 else re.escape(piece) for n, piece in enumerate(pieces))


@cache
def glob(pattern):
    """Return a scope of ``access`` as an expression; wildcards in the first five fields of an ARN stay there."""
    expression, colons = "", 0
    is_arn = pattern.startswith("arn:") and pattern.count(":") >= 5
    for piece in re.findall(r"\$\{[^}]*\}|.", pattern, re.DOTALL):
        one = "[^:]" if is_arn and colons < 5 else "."
        colons += piece == ":"
        if piece in ("*", "?"):
            expression += one + ("*" if piece == "*" else "")
        elif piece.startswith("${") and len(piece) > 1:
            expression += re.escape(piece[2]) if piece in ("${*}", "${?}", "${$}") else ".*"
        else:
            expression += re.escape(piece)
    return re.compile(expression, re.DOTALL)


@cache
def matches(pattern, resource):
    return glob(pattern).fullmatch(resource) is not None


def holds(formula, resource):
    """Whether a condition holds whatever the context is: None where the context decides, or this test cannot tell."""
    if isinstance(formula, bool):
        return formula
    if "not" in formula:
        inner = holds(formula["not"], resource)
        return None if inner is None else not inner
    for word, decisive in (("and", False), ("or", True)):
        if word in formula:
            found = [holds(part, resource) for part in formula[word]]
            return decisive if decisive in found else None if None in found else not decisive
    if formula["key"] != "resource" or any(re.search(r"\$\{[^*?$]", value) for value in formula["values"]):
        return None
    return any(matches(value, resource) for value in formula["values"])


class Answers:
    """What a build says of the principals that are asked about."""

    def __init__(self, lake):
        found = rows(
            lake,
            """
            select access.*, formula from access
            left join residual_conditions as conditions on access.condition_id = conditions.condition_id
            where access.principal_arn in (select principal_arn from requests)
            """,
        )
        self.scopes = defaultdict(list)
        for row in found:
            self.scopes[row["principal_arn"], row["action"], row["resource_type"]].append(
                (
                    row["resource_pattern"],
                    json.loads(row["except_resources"] or "[]"),
                    row["verdict"] == "allowed",
                    row["formula"],
                    row["account_id"],
                )
            )
        self.matrix = {
            (row["principal_arn"], row["action"]): row["verdict"]
            for row in rows(lake, "from access_matrix where principal_arn in (select principal_arn from requests)")
        }

    def allows(self, principal, action, resource, resource_type):
        """Whether some row allows the request whatever the context is."""
        return any(
            matches(pattern, resource)
            and not any(matches(exception, resource) for exception in exceptions)
            and (is_allowed or holds(read(formula, account), resource) is True)
            for pattern, exceptions, is_allowed, formula, account in self.scopes[principal, action, resource_type]
        )


@cache
def read(formula, account):
    return json.loads(formula.replace("{ownaccount}", account))


def deciding_types(lake):
    """Return the resource types whose rows make the verdict of each action that needs one resource at most."""
    required, all_types = defaultdict(set), defaultdict(set)
    for row in rows(lake, "from reference_action_resource_types"):
        all_types[row["action"]].add(row["resource_type"])
        if row["is_required"] and not row["is_required_mark_doubtful"]:
            required[row["action"]].add(row["resource_type"])
    alone = {action: kinds for action, kinds in all_types.items() if len(required[action]) < 2}
    return {action: required[action] or kinds for action, kinds in alone.items()}


def disagreements(lake, requests, decisions):
    """Yield each request of which the build and the oracle do not say the same, with what they say."""
    answers, deciding = Answers(lake), deciding_types(lake)
    for principal, action, resource, resource_type in requests:
        decision = decisions[principal, action, resource]
        if decision is None:
            continue
        is_allowed = answers.allows(principal, action, resource, resource_type)
        if is_allowed != (decision == "allowed"):
            yield decision, principal, action, resource, resource_type, f"access allows it: {is_allowed}"
        verdict = answers.matrix.get((principal, action), "none")
        counts = resource_type in deciding.get(action, {"*"})
        if decision == "allowed" and counts and verdict not in ("allowed", "conditional"):
            yield decision, principal, action, resource, resource_type, f"access_matrix says {verdict}"


def lend(lake, requests):
    names = ("principal_arn", "action", "resource")
    asked = sorted({request[:3] for request in requests})
    lake.lend("requests", pa.Table.from_pylist([dict(zip(names, one, strict=True)) for one in asked]))


#: What no one may do whatever else says so: resource control policies know secretsmanager, and not sagemaker.
NOT_PROD = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "secretsmanager:*e*",
    "Resource": "arn:aws:secretsmanager:*:*:secret:prod-?",
}


def written(folder, kind):
    """Write an organization of a kind and return its folder."""
    name, _, number = kind.partition(" ")
    if name == "sample":
        return SAMPLE
    if name == "generated":
        shares = {"boundaries": 0.4, "conditions": float(number)}
        generate(folder, accounts=5, principals=8, seed=4, resources=12, **shares)
        return folder
    write_organization(folder, int(number))
    file = folder / "organization.json"
    organization = json.loads(file.read_text(encoding="utf-8"))
    organization["Policies"].append(control(99, "RESOURCE", document([NOT_PROD]), [ROOT]))
    file.write_text(json.dumps(organization), encoding="utf-8")
    return folder


def scp(writer):
    """Return an SCP that leaves a good deal, and no level leaves the same."""
    services = writer.some(("sagemaker:*Model*", "sagemaker:*e*", "*"), 2)
    refused = {**writer.statement(0), "Action": writer.some(ACTIONS[:4], 1)}
    refused.pop("NotAction", None)
    return document([{**EVERYTHING, "Action": [*services, "secretsmanager:*"]}, refused])


KINDS = {
    "sample": ("one",),  # its groups are compared in test_account_groups
    "generated 0.0": ("many",),
    "generated 0.3": ("one", "many"),
    "random 1": ("many",),
    "random 2": ("one",),
    "unconditional 3": ("one", "many"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_build_says_what_a_plain_query_decides_request_by_request(kind, tmp_path, monkeypatch, sample_lake):
    """With all accounts in one group, and with each in one of its own."""
    services = ()
    if kind.startswith("unconditional"):
        monkeypatch.setattr(Writer, "condition", lambda writer: {})
        monkeypatch.setattr(Writer, "scp", scp)
        resource = Writer.resource
        monkeypatch.setattr(Writer, "resource", lambda own: "*" if own.chance.random() < 0.3 else resource(own))
        services = ("secretsmanager",)
    inputs = written(tmp_path / "in", kind)
    lakes = []
    for groups in KINDS[kind]:
        if groups == "many":
            monkeypatch.setattr(shards, "GROUP_MOST", 1)
        if kind != "sample":
            build_lake([inputs], tmp_path / groups, services=services)
        lakes.append(open_lake(sample_lake if kind == "sample" else tmp_path / groups))
    requests = list(Asking(lakes[0]).requests())
    for lake in lakes:
        lend(lake, requests)
    decisions = {tuple(row.values())[:3]: row["decision"] for row in rows(lakes[0], ORACLE)}
    assert decisions.keys() == {request[:3] for request in requests}
    for lake in lakes:
        assert list(disagreements(lake, requests, decisions)) == []
    told = set(decisions.values()) - {None}
    assert len(told) == 3 if services else len(told) > 1
