"""Witnesses look like real requests, and keep away from what would make them something else."""

import json
import re
from pathlib import Path

import pytest
from asking import answers
from ingest_inputs import arn, document, export, inline, role, user, write

from pipeline.build import build_lake
from pipeline.lake import open_lake

FORMS = {
    "aws:SourceIp": r"\d+\.\d+\.\d+\.\d+|[0-9a-f:]+",
    "aws:VpcSourceIp": r"(10|172|192)\.\d+\.\d+\.\d+",
    "aws:SourceVpc": r"vpc-[0-9a-z]+",
    "aws:SourceVpce": r"vpce-[0-9a-z]+",
    "aws:RequestedRegion": r"[a-z]{2}(-[a-z]+)+-\d",
    "iam:PassedToService": r"[a-z0-9.-]+\.amazonaws\.com",
    "aws:MultiFactorAuthPresent": r"true|false",
    "aws:CurrentTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
}
ARN = re.compile(r"\*|arn:aws:[a-z0-9-]+:([a-z]{2}(-[a-z]+)+-\d)?:(\d{12})?:(?!.*//).+")


def test_the_witnesses_of_the_sample_look_like_real_requests(sample_lake: Path) -> None:
    lake = open_lake(sample_lake)
    rows = lake.query("select distinct witness, resource_pattern from access").to_pylist()
    # What a policy writes out is taken as it is: the guide's "account-id" stands where an account should.
    lines = [line for row in rows if (line := json.loads(row["witness"]))["resource"] != row["resource_pattern"]]
    assert len(lines) > 1000
    for line in lines:
        assert list(line) == ["principal", "action", "resource", "context"]
        assert ARN.fullmatch(line["resource"]), line
        for key, value in line["context"].items():
            assert re.fullmatch(FORMS.get(key, ".+"), value if isinstance(value, str) else value[0], re.DOTALL), line


def test_a_witness_names_no_known_resource_unless_the_row_does(sample_lake: Path) -> None:
    lake = open_lake(sample_lake)
    known = {row["resource_arn"] for row in lake.query("select resource_arn from inventory").to_pylist()}
    assert known
    sql = "select distinct resource_pattern, json_extract_string(witness, '$.resource') as resource from access"
    for row in lake.query(sql).to_pylist():
        assert row["resource"] not in known or row["resource"] == row["resource_pattern"]


def lake_of(folder: Path, *statements: dict) -> list[dict]:
    """The conditions of a loose policy on sagemaker:CreateModel, with their proofs."""
    (folder / "p.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    build_lake([folder / "p.json"], folder / "lake")
    lake = open_lake(folder / "lake")
    columns = "resource_pattern, verdict, is_proven, access.witness, smallest_change"
    sql = f"select {columns} from access left join residual_conditions using (condition_id)"
    return lake.query(f"{sql} where action = 'sagemaker:CreateModel' order by 1").to_pylist()


def allow(**condition: dict) -> dict:
    return {"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*", "Condition": condition}


@pytest.mark.parametrize(
    ("condition", "context", "change"),
    [
        (
            {"IpAddress": {"aws:SourceIp": "198.51.100.0/28"}},
            {"aws:SourceIp": "198.51.100.1"},
            {"aws:SourceIp": "198.51.100.25"},
        ),
        (
            {"StringLike": {"aws:RequestTag/team": "red-*"}},
            {"aws:RequestTag/team": "red-example", "aws:TagKeys": "team"},
            {"aws:RequestTag/team": "example"},
        ),
        (
            {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
            {"aws:SourceVpc": "vpc-0a1b2c3d4e5f67890", "aws:SourceVpce": "vpce-1", "aws:VpcSourceIp": "10.0.1.25"},
            {"aws:SourceVpce": "vpce-0a1b2c3d4e5f67890"},
        ),
        (
            {"Null": {"aws:TagKeys": "true"}},
            {},
            {"aws:TagKeys": "example"},
        ),
        (
            {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}},
            {"aws:CurrentTime": "2026-12-31T23:59:59Z"},
            {"aws:CurrentTime": "2027-01-01T00:00:00Z"},
        ),
        (
            {"StringEquals": {"aws:RequestTag/owner": "${aws:userid}"}},
            {"aws:RequestTag/owner": "AROAIOSFODNN7EXAMPLE:alice", "aws:TagKeys": "owner",
             "aws:userid": "AROAIOSFODNN7EXAMPLE:alice"},
            {"aws:RequestTag/owner": "example"},
        ),
    ],
    ids=["address", "tag", "endpoint", "absence", "date", "variable"],
)  # fmt: skip
def test_the_proof_of_a_condition(condition: dict, context: dict, change: dict, tmp_path: Path) -> None:
    (row,) = lake_of(tmp_path, allow(**condition))
    assert row["is_proven"]
    assert json.loads(row["witness"])["context"] == context
    assert json.loads(row["smallest_change"]) == {"context": change}


def test_a_condition_without_a_witness_is_not_proven(tmp_path: Path) -> None:
    agents = ({"aws:UserAgent": f"*x{number}*", "aws:Referer": f"*y{number}*"} for number in range(10))
    (row,) = lake_of(tmp_path, *(allow(StringLike=keys) for keys in agents))
    assert (row["verdict"], row["witness"], row["is_proven"]) == ("conditional", None, False)


def test_a_witness_passes_a_role_for_a_resource_of_its_own_account(tmp_path: Path) -> None:
    account = "222222222222"
    condition = {"ArnLike": {"iam:AssociatedResourceArn": "arn:aws:sagemaker:*:*:notebook-instance/*"}}
    policy = document("iam:PassRole", Condition=condition)
    users = (user("ana", Arn=arn("user/ana", account), UserPolicyList=[inline("pass", policy)]),)
    write(tmp_path, "a.json", export(users))
    build_lake([tmp_path / "a.json"], tmp_path / "lake")
    (row,) = open_lake(tmp_path / "lake").query("select witness from access").to_pylist()
    line = json.loads(row["witness"])
    assert line["resource"].split(":")[4] == line["context"]["iam:AssociatedResourceArn"].split(":")[4] == account


def test_a_change_is_a_request_that_there_is(tmp_path: Path) -> None:
    keys = {"iam:AssociatedResourceArn": "arn:aws:ssm:us-east-1:111122223333:document/*"}
    condition = {"ArnLike": keys, "StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}
    write(tmp_path, "p.json", document("iam:PassRole", Condition=condition))
    build_lake([tmp_path / "p.json"], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    (row,) = lake.query("select * from residual_conditions").to_pylist()
    changed = {**json.loads(row["witness"])["context"], **json.loads(row["smallest_change"])["context"]}
    line = {**json.loads(row["witness"]), "context": changed}
    assert [answer["decision"] for answer in answers([line], lake)] == ["implicitDeny"]


def test_credentials_are_issued_no_later_than_the_call_under_each_name_of_its_time(tmp_path: Path) -> None:
    moments = (
        {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}},
        {"DateLessThan": {"aws:EpochTime": "2026-01-01T00:00:00Z"}},
        {"NumericLessThan": {"aws:EpochTime": "1700000000"}},
    )
    signed_in = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    policies = [document("sagemaker:CreateModel", Condition={**signed_in, **moment}) for moment in moments]
    users = [user(f"u{n}", UserPolicyList=[inline("p", policy)]) for n, policy in enumerate(policies)]
    write(tmp_path, "a.json", export(users))
    build_lake([tmp_path / "a.json"], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    lines = [json.loads(row["witness"]) for row in lake.query("select witness from access").to_pylist()]
    assert ["aws:TokenIssueTime" in line["context"] for line in lines] == [True] * len(moments)
    assert [answer["decision"] for answer in answers(lines, lake)] == ["allowed"] * len(moments)


def test_a_fact_that_is_not_turned_round_is_that_of_the_principal_in_its_proof(tmp_path: Path) -> None:
    letters = "".join(map(chr, range(ord("a"), ord("z") + 1)))
    like = document(
        "sagemaker:CreateModel", Condition={"StringLike": {"aws:PrincipalTag/team": "*${aws:RequestTag/o}*"}}
    )
    one = user("ana", Tags=[{"Key": "team", "Value": letters}], UserPolicyList=[inline("p", like)])
    write(tmp_path, "a.json", export([one]))
    build_lake([tmp_path / "a.json"], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    (row,) = lake.query("select witness, smallest_change from residual_conditions").to_pylist()
    line, change = json.loads(row["witness"]), json.loads(row["smallest_change"])
    assert line["context"]["aws:PrincipalTag/team"] == letters
    changed = {**line, "context": {**line["context"], **change["context"]}}
    assert [answer["decision"] for answer in answers([line, changed], lake)] == ["allowed", "implicitDeny"]


def test_another_resource_is_named_where_no_context_changes_the_answer(tmp_path: Path) -> None:
    (row,) = lake_of(tmp_path, allow(StringEquals={"aws:RequestedRegion": "eu-west-1"}))
    assert ":eu-west-1:" in json.loads(row["witness"])["resource"]
    change = json.loads(row["smallest_change"])
    assert f":{change['context']['aws:RequestedRegion']}:" in change["resource"]


def test_a_region_that_the_resource_names_is_the_one_called(tmp_path: Path) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:model/*"
    called = allow(StringEquals={"aws:RequestedRegion": "eu-west-1"}) | {"Resource": arn}
    other = allow(StringEquals={"aws:RequestedRegion": "us-east-1"}) | {"Resource": arn}
    (row,) = lake_of(tmp_path, called)
    assert row["verdict"] == "allowed"
    assert lake_of(tmp_path, other) == []


def test_a_witness_by_a_session_has_the_name_of_that_session_in_its_user_id(tmp_path: Path) -> None:
    group = "arn:aws:sagemaker:us-east-1:111122223333:model-package-group/shared"
    named = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/worker/s0"},
        "Action": "sagemaker:DescribeModelPackageGroup",
        "Resource": group,
        "Condition": {"StringLike": {"aws:userid": "*:s*"}},
    }
    document = {"Version": "2012-10-17", "Statement": [named]}
    write(tmp_path, "export.json", export(roles=[role("worker", RoleId="AROAWORKER")]))
    write(tmp_path, "shared.json", {"ResourceArn": group, "ResourcePolicy": document})
    build_lake([tmp_path], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    rows = lake.query(
        "select witness from access where principal_arn = $role", {"role": arn("role/worker")}
    ).to_pylist()
    (line,) = [json.loads(row["witness"]) for row in rows]
    assert line["principal"].endswith(":assumed-role/worker/s0")
    assert line["context"]["aws:userid"] == "AROAWORKER:s0"
