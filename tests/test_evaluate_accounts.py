"""Rows and verdicts where the account matters: shared resources, RCPs of owners, ids within texts.."""

import json
from pathlib import Path
from typing import Any

import pytest
from ingest_inputs import inline, write

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
    members = {
        "Arn": f"arn:aws:iam::{account}:{kind}/ana",
        f"{kind.title()}Name": "ana",
        f"{kind.title()}Id": case.get("id", "AIDAANA"),
        f"{kind.title()}PolicyList": [inline("p", document(case["statements"]))],
        "Tags": [{"Key": key, "Value": value} for key, value in case.get("tags", {}).items()],
    }
    return {f"{kind.title()}DetailList": [members]}


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

    ids = [account for number in range(len(CASES)) for account in accounts(number)]
    policies = [
        {
            "PolicySummary": {
                "Id": f"p-{number:08}",
                "Arn": arn(f"policy/{ORGANIZATION}/resource_control_policy/p-{number:08}"),
                "Name": f"rcp-{number}",
                "Type": "RESOURCE_CONTROL_POLICY",
            },
            "Content": json.dumps(document(spelt(case["owner_rcp"], number))),
            "Targets": [{"TargetId": accounts(number)[1]}],
        }
        for number, case in enumerate(CASES)
        if "owner_rcp" in case
    ]
    return {
        "Organization": {"Id": ORGANIZATION, "MasterAccountId": "999999999999"},
        "Roots": [{"Id": ROOT, "Arn": arn(f"root/{ORGANIZATION}/{ROOT}"), "Name": "Root"}],
        "OrganizationalUnits": [],
        "Accounts": [
            {"Id": i, "Arn": arn(f"account/{ORGANIZATION}/{i}"), "Name": i, "ParentId": ROOT, "Status": "ACTIVE"}
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
        write(folder, f"{mine}.json", export(**spelt(principal(case, mine), number)))
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
    asked = {"principal": f"arn:aws:iam::{mine}:{case.get('principal', 'user')}/ana", "action": case["action"]}
    where = "where principal_arn = $principal and action = $action"
    columns = "resource_pattern, verdict, except_resources, condition"
    rows = lake.query(f"select {columns} from access {where} order by resource_pattern", asked).to_pylist()
    matrix = lake.query(f"select verdict from access_matrix {where}", asked).to_pylist()
    assert [{key: value for key, value in row.items() if value is not None} for row in rows] == spelt(
        case["rows"], number
    )
    assert (matrix[0]["verdict"] if matrix else "none") == case["matrix"]
