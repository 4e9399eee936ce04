"""Rows and verdicts where the account matters: shared resources, RCPs of owners, ids within texts.."""

import json
from pathlib import Path
from typing import Any

import pytest
from ingest_inputs import inline, managed, write

from pipeline.build import build_lake
from pipeline.lake import Lake, open_lake

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "cases" / "evaluation" / "accounts.json").read_text(encoding="utf-8")
)
ORGANIZATION, ROOT = "o-abcdefghij", "r-ab12"
SERVICES = ("sts", "kms", "s3")


def accounts(number: int) -> tuple[str, str]:
    """Return the caller's account and the other one of a case: each case has its own two."""
    return f"{311111111100 + number}", f"{422222222200 + number}"


def spelt(value: object, number: int) -> Any:
    """Return a case's value with the accounts' ids in the place of ACCOUNT and OTHER; REST lacks the first digit."""
    mine, other = accounts(number)
    return json.loads(json.dumps(value).replace("ACCOUNT", mine).replace("OTHER", other).replace("REST", mine[1:]))


def document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def principal(case: dict[str, Any], account: str) -> dict[str, Any]:
    kind = case.get("principal", "user")
    members: dict[str, Any] = {
        "Arn": f"arn:aws:iam::{account}:{kind}/{case.get('path', '')}ana",
        "Path": f"/{case.get('path', '')}",
        f"{kind.title()}Name": "ana",
        f"{kind.title()}Id": case.get("id", "AIDAANA"),
        f"{kind.title()}PolicyList": [inline("p", document(case["statements"]))],
        "Tags": [{"Key": key, "Value": value} for key, value in case.get("tags", {}).items()],
    }
    if "trust" in case:
        members["AssumeRolePolicyDocument"] = document(case["trust"])
    if "boundary" not in case:
        return {f"{kind.title()}DetailList": [members]}
    boundary = f"arn:aws:iam::{account}:policy/limit"
    members["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
    return {f"{kind.title()}DetailList": [members], "Policies": [managed(boundary, document(case["boundary"]))]}


def export(**lists: Any) -> dict[str, Any]:
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [], **lists}


def roles(trusts: dict[str, Any], account: str) -> list[dict[str, Any]]:
    return [
        {
            "Arn": f"arn:aws:iam::{account}:role/{name}",
            "RoleName": name.rsplit("/", 1)[-1],
            "AssumeRolePolicyDocument": document(statements),
        }
        for name, statements in trusts.items()
    ]


def inventory() -> list[dict[str, Any]]:
    return [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for number, case in enumerate(CASES)
        for arn, tags in spelt(case.get("inventory", {}), number).items()
    ]


def organization() -> dict[str, Any]:
    def arn(tail: str) -> str:
        return f"arn:aws:organizations::999999999999:{tail}"

    policies: list[dict[str, Any]] = []

    def attach(kind: str, content: dict[str, Any], targets: list[str]) -> None:
        name = f"p-{len(policies):08}"
        summary = {"Id": name, "Arn": arn(f"policy/{ORGANIZATION}/{kind.lower()}/{name}"), "Name": name, "Type": kind}
        found = [{"TargetId": target} for target in targets]
        policies.append({"PolicySummary": summary, "Content": json.dumps(content), "Targets": found})

    ids = [account for number in range(len(CASES)) for account in accounts(number)]
    units = {accounts(number)[0]: f"ou-ab12-{number:08}" for number, case in enumerate(CASES) if "unit_scp" in case}
    manager = next(accounts(number)[0] for number, case in enumerate(CASES) if case.get("manages"))
    limited = [accounts(number)[0] for number, case in enumerate(CASES) if "scp" in case or "no_scp" in case]
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    attach("SERVICE_CONTROL_POLICY", document([everything]), [ROOT, *(i for i in ids if i not in limited)])
    for number, case in enumerate(CASES):
        mine, other = accounts(number)
        places = (("scp", mine), ("unit_scp", units.get(mine)), ("rcp", mine), ("owner_rcp", other))
        for name, target in places:
            if name in case:
                kind = "RESOURCE_CONTROL_POLICY" if name.endswith("rcp") else "SERVICE_CONTROL_POLICY"
                attach(kind, document(spelt(case[name], number)), [str(target)])
    return {
        "Organization": {"Id": ORGANIZATION, "MasterAccountId": manager},
        "Roots": [{"Id": ROOT, "Arn": arn(f"root/{ORGANIZATION}/{ROOT}"), "Name": "Root"}],
        "OrganizationalUnits": [
            {"Id": unit, "Arn": arn(f"ou/{ORGANIZATION}/{unit}"), "Name": unit, "ParentId": ROOT}
            for unit in units.values()
        ],
        "Accounts": [
            {
                "Id": i,
                "Arn": arn(f"account/{ORGANIZATION}/{i}"),
                "Name": i,
                "ParentId": units.get(i, ROOT),
                "Status": "ACTIVE",
            }
            for i in ids
        ],
        "Policies": policies,
    }


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with a principal in an account of its own for each case, and another account beside it."""
    folder = tmp_path_factory.mktemp("accounts")
    shared: list[dict[str, Any]] = []
    for number, case in enumerate(CASES):
        mine, other = accounts(number)
        own = roles(spelt(case.get("own_trusts", {}), number), mine)
        who = spelt(principal(case, mine), number)
        write(folder, f"{mine}.json", export(**{**who, "RoleDetailList": [*who.get("RoleDetailList", []), *own]}))
        theirs = roles(spelt(case.get("trusts", {}), number), other)
        write(folder, f"{other}.json", export(RoleDetailList=theirs))
        shared += [
            {"ResourceArn": arn, "ResourcePolicy": document(statements)}
            for arn, statements in spelt(case.get("resources", {}), number).items()
        ]
    write(folder, "resource-policies.json", shared)
    write(folder, "resources.json", {"ResourceTagMappingList": inventory()})
    write(folder, "organization.json", organization())
    build_lake([folder], folder / "lake", services=SERVICES)
    return open_lake(folder / "lake")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_the_rows_of(number: int, lake: Lake) -> None:
    case = CASES[number]
    mine, _ = accounts(number)
    name = f"{case.get('principal', 'user')}/{case.get('path', '')}ana"
    asked = {"principal": f"arn:aws:iam::{mine}:{name}", "action": case["action"]}
    where = "where principal_arn = $principal and action = $action"
    columns = "resource_pattern, verdict, except_resources, condition"
    rows = lake.query(f"select {columns} from access {where} order by resource_pattern", asked).to_pylist()
    matrix = lake.query(f"select verdict from access_matrix {where}", asked).to_pylist()
    assert [{key: value for key, value in row.items() if value is not None} for row in rows] == spelt(
        case["rows"], number
    )
    assert (matrix[0]["verdict"] if matrix else "none") == case["matrix"]
