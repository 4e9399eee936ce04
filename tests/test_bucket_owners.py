"""Whose a bucket is its ARN does not name: the input may, and then another account's bucket is another account's."""

import json
from pathlib import Path

import pytest
from asking import answers
from cli_run import run
from ingest_inputs import arn, document, export, inline, user, write

from pipeline.build import build_lake
from pipeline.ingest import read_inputs
from pipeline.lake import open_lake

OWNER, OTHER, THIRD = "333333333333", "222222222222", "444444444444"
#: Accounts whose policies name buckets otherwise than by their ARNs alone; the first has both buckets.
WITH_VARIABLES, WITHOUT_BUCKETS = "555555555555", "666666666666"
BUCKETS = {name: f"arn:aws:s3:::{name}" for name in ("listed", "governed", "unknown")}
NAMING = document("s3:*", Resource=[text for bucket in BUCKETS.values() for text in (bucket, f"{bucket}/*")])
LOGS = f"arn:aws:s3:::logs-{THIRD}"
MODEL = f"arn:aws:sagemaker:us-east-1:{OWNER}:model/m"


def account(number):
    policies = {"naming": NAMING, "star": document("s3:GetObject", Resource="*")}
    policies["logs"] = document("s3:GetObject", Resource=f"{LOGS}/*")
    users = (
        user(name, Arn=arn(f"user/{name}", number), UserPolicyList=[inline(name, policy)])
        for name, policy in policies.items()
    )
    return export(tuple(users))


def otherwise(number):
    patterns = {
        "variable": "arn:aws:s3:::${aws:username}/*",
        "tag": "${aws:PrincipalTag/all}",
        "open": "arn:*:s3:*:*:open/*",
        "nobodys": "arn:*:s3:::nobodys/*",
    }
    users = (
        user(name, Arn=arn(f"user/{name}", number), Tags=[{"Key": "all", "Value": "arn:aws:s3:::open/x"}],
             UserPolicyList=[inline("p", document("s3:GetObject", Resource=pattern))])
        for name, pattern in patterns.items()
    )  # fmt: skip
    return export(tuple(users))


def tagged(*arns):
    return {"ResourceTagMappingList": [{"ResourceARN": one, "Tags": []} for one in arns]}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("buckets")
    for number in (OWNER, OTHER, THIRD):
        write(folder, f"inputs/{number}.json", account(number))
    for number in (WITH_VARIABLES, WITHOUT_BUCKETS):
        write(folder, f"inputs/{number}.json", otherwise(number))
    held = tagged("arn:aws:s3:::variable", "arn:aws:s3:::open")
    write(folder, f"inputs/tags.{WITH_VARIABLES}.json", held)
    write(folder, "inputs/tags.json", tagged(MODEL, BUCKETS["listed"], LOGS))
    allow = document("s3:GetObject", Principal={"AWS": arn("user/naming", OTHER)}, Resource=f"{BUCKETS['governed']}/*")
    policies = [{"ResourceArn": BUCKETS["governed"], "ResourcePolicy": allow}]
    write(folder, f"inputs/policies-{OWNER}.json", policies)
    build_lake([folder / "inputs"], folder / "lake", services=["s3"])
    return open_lake(folder / "lake")


def reached(lake, name, action):
    """Return by account which of the buckets a user who names them all reaches."""
    sql = (
        "select account_id, resource_pattern from access "
        f"where action = '{action}' and ends_with(principal_arn, 'user/{name}') order by all"
    )
    found = {}
    for row in lake.query(sql).to_pylist():
        found.setdefault(row["account_id"], []).append(row["resource_pattern"].split(":")[-1])
    return found


def test_a_bucket_of_another_account_is_reached_only_where_its_policy_allows(lake):
    assert reached(lake, "naming", "s3:GetObject") == {
        OTHER: ["governed/*", "unknown/*"],
        OWNER: ["governed/*", "listed/*", "unknown/*"],
        THIRD: ["unknown/*"],
    }
    assert reached(lake, "naming", "s3:DeleteBucket") == {
        OTHER: ["unknown"],
        OWNER: ["governed", "listed", "unknown"],
        THIRD: ["unknown"],
    }


@pytest.mark.parametrize(("name", "pattern"), [("variable", "variable/*"), ("tag", "open/x"), ("open", "open/*")])
def test_however_a_policy_names_a_bucket_it_is_its_owners_alone(lake, name, pattern):
    assert reached(lake, name, "s3:GetObject") == {WITH_VARIABLES: [pattern]}
    asked = {"action": "s3:GetObject", "resource": f"arn:aws:s3:::{pattern.replace('*', 'x')}"}
    lines = [{**asked, "principal": arn(f"user/{name}", number)} for number in (WITH_VARIABLES, WITHOUT_BUCKETS)]
    assert [answer["decision"] for answer in answers(lines, lake)] == ["allowed", "implicitDeny"]


def test_a_bucket_that_has_the_callers_account_in_its_name_may_be_anothers(lake):
    assert reached(lake, "logs", "s3:GetObject") == {OWNER: [f"logs-{THIRD}/*"]}
    line = {"action": "s3:GetObject", "resource": f"{LOGS}/x", "principal": arn("user/logs", THIRD)}
    assert answers([line], lake)[0]["decision"] == "implicitDeny"


def unproven(lake):
    sql = "select account_id, resource_pattern, is_proven from access where action = 'ACTION' order by all"
    found = lake.query(sql.replace("ACTION", "s3:GetObject")).to_pylist()
    return {row["resource_pattern"].split(":")[-1] for row in found if not row["is_proven"]}


def test_a_row_of_a_bucket_of_which_nobody_knows_the_owner_is_not_proven(lake, monkeypatch):
    assert unproven(lake) == {"unknown/*", "nobodys/*"}
    asked = ("--lake", str(lake.path))
    done = run(monkeypatch, "who-can", "s3:GetObject", *asked)
    assert "not proven, in 5 of" in done.err
    assert "input does not tell whose the bucket is" in done.err
    done = run(monkeypatch, "explain", arn("user/naming", THIRD), "s3:GetObject", *asked)
    assert f"not proven on {BUCKETS['unknown']}/*: the input does not tell whose the bucket is" in done.text


def test_no_scenario_proves_whose_a_bucket_is(lake, monkeypatch):
    asked = ("who-can", "s3:GetObject", "--scenario", "internet", "--format", "json", "--lake", str(lake.path))
    found = json.loads(run(monkeypatch, *asked).text)
    shown = {row["resource_pattern"].split(":")[-1] for row in found if not row["is_proven"]}
    assert shown == {"unknown/*", "nobodys/*"}


@pytest.mark.parametrize(
    ("number", "bucket", "decision"),
    [
        (OWNER, "listed", "allowed"),
        (OTHER, "listed", "implicitDeny"),
        (OTHER, "governed", "allowed"),
        (THIRD, "governed", "implicitDeny"),
        (THIRD, "unknown", "allowed"),
    ],
)
def test_the_concrete_evaluator_agrees(lake, number, bucket, decision):
    line = {"action": "s3:GetObject", "resource": f"{BUCKETS[bucket]}/x", "principal": arn("user/naming", number)}
    (answer,) = answers([line], lake, is_strict=True)
    assert answer["decision"] == decision
    assert [f"whose {BUCKETS['unknown']} is" in text for text in answer["warnings"]] == [True] * (bucket == "unknown")


def test_a_line_may_say_whose_an_unknown_bucket_is_and_not_contradict_the_lake(lake):
    line = {"action": "s3:GetObject", "principal": arn("user/naming", THIRD), "resource_account": OTHER}
    unknown, listed = answers([{**line, "resource": f"{BUCKETS[name]}/x"} for name in ("unknown", "listed")], lake)
    assert (unknown["decision"], listed["decision"]) == ("implicitDeny", "error")
    assert f"by the lake {BUCKETS['listed']} is of {OWNER}" in listed["detail"]


@pytest.mark.parametrize(
    ("bucket", "expected"),
    [("listed", {OWNER}), ("governed", {OWNER, OTHER}), ("unknown", {OWNER, OTHER, THIRD})],
)
def test_a_grant_on_everything_reaches_no_bucket_of_another_account(lake, bucket, expected, monkeypatch):
    asked = ("who-can", "s3:GetObject", "--resource", f"{BUCKETS[bucket]}/x", "--lake", str(lake.path))
    done = run(monkeypatch, *asked, "--format", "json")
    found = json.loads(done.text)
    assert {row["account_id"] for row in found} == expected
    named = {row["account_id"] for row in found if row["principal_arn"].endswith("star")}
    assert named == (expected if bucket == "unknown" else {OWNER})
    assert ("does not tell whose" in done.err) == (bucket == "unknown")


def owner_of(folder: Path, name: str, *arns: str) -> str | None:
    write(folder, name, tagged(*arns))
    (bucket,) = [r for r in read_inputs([folder]).inventory if r.resource_arn == BUCKETS["listed"]]
    return bucket.owner


@pytest.mark.parametrize(
    ("name", "beside", "owner"),
    [
        ("tags.json", [MODEL], OWNER),
        (f"tags-{OTHER}-us-east-1.json", [MODEL], OWNER),
        (f"tags-{OTHER}-us-east-1.json", [], OTHER),
        ("tags.json", [], None),
        (f"tags-{OTHER}.json", [MODEL, MODEL.replace(OWNER, THIRD)], None),
    ],
)
def test_an_owner_is_taken_from_the_page_else_from_the_name_of_the_file(name, beside, owner, tmp_path):
    assert owner_of(tmp_path, name, BUCKETS["listed"], *beside) == owner
