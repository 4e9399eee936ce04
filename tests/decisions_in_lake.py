"""Moves decision cases, whose policies stand in the line, into an organization: each into accounts of its own.

So the answers that were worked out by hand are held against the set-based evaluator as well.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from agreement import Asked

from pipeline.iam.principals import kind_of
from pipeline.reference import Reference
from pipeline.simulate.facts import request_facts
from pipeline.simulate.forms import is_of_form

Json = Any
ORGANIZATION, ROOT, MANAGER = "o-abcdefghij", "r-ab12", "999999999999"
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
#: What a line alone can tell: a lake has no session policies, no endpoint policy of one request, no such callers.
IN_LINES_ONLY = {"session_policies", "endpoint_policy", "federated_by"}
IN_LAKES = ("user", "role", "session")
#: A key of ARNs that users send, in the place of one that the cases use and no request of a user has; and an action
#: that carries the tags that a case gives.
SPELT = (("aws:SourceArn", "lambda:SourceFunctionArn"),)
WITH_TAGS = ("sagemaker:DescribeNotebookInstance", "sagemaker:CreateNotebookInstance")
#: Facts of the principal that an export tells; a line that says another one contradicts the lake.
TOLD = ("aws:principal", "aws:username", "aws:userid")
TAG = "aws:principaltag/"
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")


class Moved(NamedTuple):
    """A case in accounts of its own: the input for its lake, and the request as the lake is asked."""

    case: Json
    caller: str
    owner: str
    principal_arn: str
    line: Json

    @property
    def expected(self) -> str:
        """The decision worked out by hand."""
        return str(self.case["expected"])


def moved(cases: Sequence[Json]) -> Iterator[Moved]:
    """Yield the cases that can be asked of a lake, each with account ids of its own."""
    for number, case in enumerate(cases):
        if IN_LINES_ONLY & set(case) or kind_of(case["principal"]) not in IN_LAKES or case["expected"] == "error":
            continue
        if any(key.lower().startswith(TOLD) and not key.lower().startswith(TAG) for key in case["context"]):
            continue
        yield _moved(number, case)


def _moved(number: int, case: Json) -> Moved:
    text = json.dumps(case)
    for old, new in (*SPELT, *([WITH_TAGS] if "aws:RequestTag/team" in case["context"] else [])):
        text = text.replace(old, new)
    text = re.sub(r':(data|b)(?=[/"])', rf":\g<1>{number}", text)
    ids = list(dict.fromkeys(_ACCOUNT.findall(case["principal"] + text)))
    own = {old: f"{5 + place}{number:07d}0000" for place, old in enumerate(ids)}
    case = json.loads(_ACCOUNT.sub(lambda found: own[found.group()], text))
    caller = case["principal"].split(":")[4]
    fields = case["resource"].split(":")
    owner = case.get("resource_account") or (fields[4] if len(fields) > 5 else "") or caller
    arn = _principal_arn(case["principal"])
    context = {key: value for key, value in case["context"].items() if not key.lower().startswith(TAG)}
    line = {"principal": case["principal"], "action": case["action"], "resource": case["resource"], "context": context}
    return Moved(case, caller, owner, arn, line)


def _principal_arn(principal: str) -> str:
    if kind_of(principal) != "session":
        return principal
    _, partition, _, _, account, tail = principal.split(":", 5)
    return f"arn:{partition}:iam::{account}:role/{tail.split('/')[1]}"


def account_file(account: str, cases: Sequence[Moved]) -> Json:
    """Return the export of an account: its principals, and its roles with their trust policies."""
    found: Json = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    for case in cases:
        if case.caller == account:
            _add_principal(found, case)
        if case.owner == account and ":role/" in case.line["resource"] and "resource_policy" in case.case:
            _add_trust(found, case)
    return found


def _add_principal(found: Json, case: Moved) -> None:
    kind = "Role" if ":role/" in case.principal_arn else "User"
    name = case.principal_arn.rsplit("/", 1)[-1]
    tags = {k[len(TAG) :]: v for k, v in case.case["context"].items() if k.lower().startswith(TAG)}
    policies = enumerate(case.case.get("identity_policies", ()))
    members: Json = {
        "Arn": case.principal_arn,
        f"{kind}Name": name,
        f"{kind}PolicyList": [{"PolicyName": f"p{n}", "PolicyDocument": policy} for n, policy in policies],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    if kind == "Role":
        members["AssumeRolePolicyDocument"] = {**ALLOW_ALL, "Statement": _trusting(case)}
    if "permissions_boundary" in case.case:
        boundary = f"arn:aws:iam::{case.caller}:policy/limit"
        members["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
        version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": case.case["permissions_boundary"]}
        found["Policies"].append({"Arn": boundary, "PolicyName": "limit", "PolicyVersionList": [version]})
    found[f"{kind}DetailList"].append(members)


def _trusting(case: Moved) -> list[Json]:
    """Return the trust policy's statements of a role that calls: its own, where it is what is asked for."""
    if case.principal_arn == case.line["resource"] and "resource_policy" in case.case:
        listed = case.case["resource_policy"]["Statement"]
        return listed if isinstance(listed, list) else [listed]
    return [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]


def _add_trust(found: Json, case: Moved) -> None:
    arn = case.line["resource"]
    if arn == case.principal_arn:
        return
    members = {"Arn": arn, "RoleName": arn.rsplit("/", 1)[-1], "AssumeRolePolicyDocument": case.case["resource_policy"]}
    found["RoleDetailList"].append(members)


def shared(cases: Sequence[Moved]) -> list[Json]:
    """Return the policies of resources that are no roles."""
    governed = [case for case in cases if "resource_policy" in case.case and ":iam:" not in case.line["resource"]]
    return [{"ResourceArn": _holder(c.line["resource"]), "ResourcePolicy": c.case["resource_policy"]} for c in governed]


def _holder(resource: str) -> str:
    """Return the resource that has the policy: of an object its bucket."""
    return resource.split("/")[0] if ":s3:" in resource else resource


def organization(cases: Sequence[Moved]) -> Json:
    """Return the organization: of each case with SCPs or RCPs a path of units, one for each level but the last."""
    units: list[Json] = []
    parents: dict[str, str] = {}
    attached: list[tuple[str, Json, list[str]]] = []
    with_scps: set[str] = {ROOT}
    for number, case in enumerate(cases):
        for kind, member, account in (("SERVICE", "scps", case.caller), ("RESOURCE", "rcps", case.owner)):
            levels = case.case.get(member)
            if not levels:
                continue
            path = [f"ou-ab12-{kind[0].lower()}{number:05d}{level:02d}" for level in range(len(levels) - 1)]
            if path and account in parents:
                raise AssertionError(f"{case.case['id']}: two paths for one account")
            for level, unit in enumerate(path):
                units.append({"Id": unit, "Arn": _arn(f"ou/{ORGANIZATION}/{unit}"), "Name": unit,
                              "ParentId": path[level - 1] if level else ROOT})  # fmt: skip
            if path:
                parents[account] = path[-1]
            for target, policies in zip((*path, account), levels, strict=True):
                attached += [(kind, policy, [target]) for policy in policies]
                with_scps |= {target} if kind == "SERVICE" else set()
    accounts = sorted({account for case in cases for account in (case.caller, case.owner)})
    everyone = [target for target in (*(unit["Id"] for unit in units), *accounts) if target not in with_scps]
    attached.append(("SERVICE", ALLOW_ALL, [ROOT, *everyone]))
    return {
        "Organization": {"Id": ORGANIZATION, "MasterAccountId": MANAGER},
        "Roots": [{"Id": ROOT, "Arn": _arn(f"root/{ORGANIZATION}/{ROOT}"), "Name": "Root"}],
        "OrganizationalUnits": units,
        "Accounts": [
            {"Id": i, "Arn": _arn(f"account/{ORGANIZATION}/{i}"), "Name": i, "ParentId": parents.get(i, ROOT),
             "Status": "ACTIVE"}
            for i in accounts
        ],
        "Policies": [_control(number, *found) for number, found in enumerate(attached)],
    }  # fmt: skip


def _control(number: int, kind: str, content: Json, targets: list[str]) -> Json:
    name, kind = f"p-{number:08}", f"{kind}_CONTROL_POLICY"
    summary = {"Id": name, "Arn": _arn(f"policy/{ORGANIZATION}/{kind.lower()}/{name}"), "Name": name, "Type": kind}
    return {"PolicySummary": summary, "Content": json.dumps(content), "Targets": [{"TargetId": t} for t in targets]}


def _arn(tail: str) -> str:
    return f"arn:aws:organizations::{MANAGER}:{tail}"


def write_lake_inputs(folder: Path, cases: Sequence[Moved]) -> None:
    """Write the input files of all cases: an export for each account, the resources' policies by account, and the
    organization."""
    by_account: dict[str, list[Moved]] = defaultdict(list)
    for case in cases:
        for account in {case.caller, case.owner}:
            by_account[account].append(case)
    for account, listed in by_account.items():
        _write(folder / f"{account}.json", account_file(account, listed))
        policies = shared([case for case in listed if case.owner == account])
        if policies:
            _write(folder / f"policies.{account}.json", policies)
        buckets = {case.line["resource"].split("/")[0] for case in listed if ":s3:::" in case.line["resource"]}
        if buckets and listed[0].owner == account:
            found = [{"ResourceARN": arn, "Tags": []} for arn in sorted(buckets)]
            _write(folder / f"buckets.{account}.json", {"ResourceTagMappingList": found})
    _write(folder / "organization.json", organization(cases))


def _write(path: Path, value: Json) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def asked(case: Moved, reference: Reference) -> Asked:
    """Return the request as the answers of the lake are held against it: with the keys that every request has."""
    known = reference.action(case.line["action"])
    kinds = known.resource_types if known else ()
    kind = next((k.resource_type for k in kinds if is_of_form(case.line["resource"], k.arn_format)), "*")
    given = {key.lower(): (value,) if isinstance(value, str) else tuple(value)
             for key, value in case.line["context"].items() if isinstance(value, str | list)}  # fmt: skip
    now = datetime(2026, 11, 25, tzinfo=UTC)
    facts = request_facts(given, case.line["resource"], case.line["action"], case.line["principal"], now)
    context = {**{key: list(values) for key, values in facts.items()}, **given}
    action = known.action if known else case.line["action"]
    line = {**case.line, "context": context}
    return Asked(case.principal_arn, case.caller, action, kind if known else "unknown", line)
