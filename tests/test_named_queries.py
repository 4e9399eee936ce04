"""What named queries make of formulas and conditions, on principals made for each case."""

import json

import pytest

from pipeline import reference
from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.evaluate.formula import as_json
from pipeline.evaluate.given import decision, depends_on, formula_of
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.named import run
from pipeline.evaluate.solver import Solver
from pipeline.lake import open_lake
from pipeline.lake.queries import named_query

ACCOUNT = "111122223333"
SERVICE = "iam:PassedToService"


def allow(action="iam:PassRole", **condition):
    return {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}


def deny(**condition):
    return {**allow(**condition), "Effect": "Deny"}


#: Role -> its statements, its boundary's; the verdict for SageMaker, for Lambda; whether it is open to any service.
PASSERS = {
    "plain": ([allow()], None, "allowed", "allowed", True),
    "sagemaker-only": ([allow(StringEquals={SERVICE: "sagemaker.amazonaws.com"})], None, "allowed", None, False),
    "bounded-to-lambda": (
        [allow()], [allow(StringEquals={SERVICE: "lambda.amazonaws.com"})], None, "allowed", False,
    ),
    "denied-sagemaker": (
        [allow(), deny(StringEquals={SERVICE: "sagemaker.amazonaws.com"})], None, None, "allowed", False,
    ),
    "all-but-sagemaker": (
        [allow(StringLike={SERVICE: "*.amazonaws.com"}, StringNotEquals={SERVICE: "sagemaker.amazonaws.com"})],
        None, None, "allowed", False,
    ),
    "literal-star": ([allow(StringEquals={SERVICE: "*"})], None, None, None, None),
    "any-service": ([allow(Null={SERVICE: "false"})], None, "allowed", "allowed", True),
    "any-case": (
        [allow(StringEqualsIgnoreCase={SERVICE: "SageMaker.amazonaws.com"})], None, "allowed", None, False,
    ),
    "two-statements": (
        [allow(StringEquals={SERVICE: f"{name}.amazonaws.com"}) for name in ("sagemaker", "lambda")],
        None, "allowed", "allowed", False,
    ),
    "with-mfa": (
        [allow(StringEquals={SERVICE: "sagemaker.amazonaws.com"}, Bool={"aws:MultiFactorAuthPresent": "true"})],
        None, "conditional", None, False,
    ),
}  # fmt: skip

#: Role -> condition of its one statement, and what is said of it: None is nothing.
CONDITIONS = {
    "arn-present": ({"Null": {"aws:PrincipalArn": "false"}}, "always true"),
    "either-transport": ({"Bool": {"aws:SecureTransport": ["true", "false"]}}, "always true"),
    "either-mfa": ({"BoolIfExists": {"aws:MultiFactorAuthPresent": ["true", "false"]}}, "always true"),
    "two-stars": ({"StringLike": {"aws:PrincipalArn": "**"}}, "always true"),
    "any-arn": ({"ArnLike": {"aws:PrincipalArn": "arn:*:*:*:*:*"}}, "always true"),
    "any-arn-by-text": ({"StringLike": {"aws:PrincipalArn": "arn:*"}}, "always true"),
    "every-address": ({"IpAddressIfExists": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1", "::/0"]}}, "always true"),
    "all-tags": ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, "true without the key"),
    "some-address": ({"IpAddress": {"aws:SourceIp": ["0.0.0.0/0", "::/0"]}}, None),
    "one-partition": ({"ArnLike": {"aws:PrincipalArn": "arn:aws:*:*:*:*"}}, None),
    "either-mfa-present": ({"Bool": {"aws:MultiFactorAuthPresent": ["true", "false"]}}, None),
    "tag-present": ({"Null": {"aws:RequestTag/team": "false"}}, None),
    "all-tags-present": (
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}, "Null": {"aws:TagKeys": "false"}}, None,
    ),
    "any-tag-present": (
        {"StringLike": {"aws:RequestTag/team": "*"}, "Null": {"aws:RequestTag/team": "false"}}, "always true",
    ),
    "own-name": ({"StringLike": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}}, None),
    "expired": ({"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}, "in the past"),
    "expired-seconds": ({"NumericLessThanEquals": {"aws:EpochTime": ["1", "1577836799"]}}, "in the past"),
    "one-day": ({"DateEquals": {"aws:currentTime": "2019-12-31T23:59:59Z"}}, "in the past"),
    "still-open": ({"DateLessThan": {"aws:CurrentTime": ["2020-01-01", "2026-01-01T00:00:01Z"]}}, None),
    "begun": ({"DateGreaterThan": {"aws:CurrentTime": "2019-01-01"}}, None),
    "credentials": ({"DateLessThan": {"aws:TokenIssueTime": "2019-01-01"}}, None),
    "unknown-key": ({"StringEquals": {"myOwn:Key": "x"}}, None),
    "misfit": ({"NumericEquals": {"aws:PrincipalArn": "1"}}, None),
}  # fmt: skip


def _role(name, statements, boundary=False):
    role = {
        "RoleName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "Path": "/", "RoleId": f"AROA{name}".upper(),
        "CreateDate": "2026-01-01T00:00:00Z", "AttachedManagedPolicies": [], "InstanceProfileList": [], "Tags": [],
        "AssumeRolePolicyDocument": _document([]),
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": _document(statements)}],
    }  # fmt: skip
    if boundary:
        role["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}",
        }
    return role


def _document(statements):
    return {"Version": "2012-10-17", "Statement": statements}


def _boundary(name, statements):
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": _document(statements)}
    return {
        "PolicyName": name, "PolicyId": f"ANPA{name}".upper(), "Arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}",
        "Path": "/", "DefaultVersionId": "v1", "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 1,
        "IsAttachable": True, "CreateDate": "2026-01-01T00:00:00Z", "UpdateDate": "2026-01-01T00:00:00Z",
        "PolicyVersionList": [version],
    }  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    roles = [_role(name, own, bounds is not None) for name, (own, bounds, *_) in PASSERS.items()]
    roles += [_role(name, [allow("sagemaker:AddTags", **condition)]) for name, (condition, _) in CONDITIONS.items()]
    policies = [_boundary(name, bounds) for name, (_, bounds, *_) in PASSERS.items() if bounds]
    export = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": policies}
    (folder / "export.json").write_text(json.dumps(export), encoding="utf-8")
    build_lake([folder / "export.json"], folder / "lake")
    return open_lake(folder / "lake")


def passers(lake, service):
    rows = run(lake, named_query("role_passers"), {"service": service}).to_pylist()
    return {row["principal_arn"].rsplit("/", 1)[1]: row for row in rows}


@pytest.mark.parametrize("name", list(PASSERS))
def test_who_can_pass_a_role_is_decided_for_the_service(name, lake):
    *_, sagemaker, aws_lambda, is_open = PASSERS[name]
    for service, verdict in (("sagemaker.amazonaws.com", sagemaker), ("lambda.amazonaws.com", aws_lambda)):
        row = passers(lake, service).get(name)
        assert (row and row["verdict"]) == verdict
        assert row is None or row["is_open_to_any_service"] is is_open


@pytest.mark.parametrize("name", list(CONDITIONS))
def test_a_condition_does_nothing_where_every_request_meets_it(name, lake):
    rows = run(lake, named_query("idle_conditions"), {}).to_pylist()
    reasons = [row["reason"] for row in rows if row["targets"] == [f"arn:aws:iam::{ACCOUNT}:role/{name}"]]
    assert reasons == [CONDITIONS[name][1]] * (CONDITIONS[name][1] is not None)


def test_a_statement_is_unconditional_where_every_request_meets_all_of_its_conditions(lake):
    rows = run(lake, named_query("unconditional_statements"), {}).to_pylist()
    idle = [row for row in run(lake, named_query("idle_conditions"), {}).to_pylist() if row["reason"] == "always true"]
    told = [row["condition_count"] for row in rows]
    assert {0, 1} <= set(told)
    assert {row["statement_id"] for row in rows if row["condition_count"]} <= {row["statement_id"] for row in idle}
    limited = lake.query("select count(*) as n from statements where condition_count > 0").to_pylist()[0]["n"]
    assert 0 < sum(map(bool, told)) < limited


def test_what_lies_in_the_past_is_told_of_a_day_of_ones_own(lake):
    def expired(today):
        rows = run(lake, named_query("idle_conditions"), {"today": today}).to_pylist()
        return {name for row in rows if row["reason"] == "in the past" for name in row["targets"]}

    of_exports = expired("2026-01-01")
    assert {name.rsplit("/", 1)[1] for name in of_exports} == {"expired", "expired-seconds", "one-day"}
    assert {name.rsplit("/", 1)[1] for name in expired("1767225601")} == {
        "expired", "expired-seconds", "one-day", "still-open"
    }  # fmt: skip
    assert expired("1970-01-02") == set()
    with pytest.raises(PolicylakeError, match="exports, a day or a moment is expected"):
        expired("tomorrow")


def test_a_key_that_nobody_knows_is_spelt_as_its_policy_spells_it(lake):
    sql = "select condition, witness from access where principal_arn like '%/unknown-key'"
    rows = lake.query(sql).to_pylist()
    assert rows
    assert all("myOwn:Key" in row["condition"] and "myOwn:Key" in row["witness"] for row in rows)


def test_a_call_carries_the_keys_of_the_resources_that_it_is_made_on(lake):
    rows = run(lake, named_query("calls_with_value"), {"key": "aws:ResourceTag/team", "value": "red"}).to_pylist()
    assert {row["action"] for row in rows} == {"iam:PassRole", "sagemaker:AddTags"}


SOLVER = Solver(Knowledge(reference.load(), {}).domain)


def test_every_stored_formula_reads_back_as_it_was_written(sample_lake, lake):
    for opened in (open_lake(sample_lake), lake):
        for text in opened.query("select formula from residual_conditions")["formula"].to_pylist():
            assert as_json(formula_of(text)) == json.loads(text)


@pytest.mark.parametrize("text", ["", "[]", "1", "null", '{"and": 1}', '{"operator": "StringEquals"}', '"x"'])
def test_what_is_no_formula_is_said_to_be_none(text):
    with pytest.raises(PolicylakeError, match="a formula of residual_conditions is expected"):
        formula_of(text)


def written(operator, key, *values):
    return {"operator": operator, "set_qualifier": None, "if_exists": False, "key": key, "values": list(values)}


TAG_OR_MFA = {
    "or": [
        written("StringEquals", "aws:resourcetag/team", "${aws:username}"),
        {
            "and": [
                written("Bool", "aws:multifactorauthpresent", "true"),
                written("StringLike", "aws:sourcevpc", "vpc-*"),
            ]
        },
    ]
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "conditional"),
        ({"sagemaker:ResourceTag/team": ["x"], "aws:SourceVpc": []}, "conditional"),
        ({"aws:ResourceTag/team": [], "aws:SourceVpc": []}, "denied"),
        ({"aws:SourceVpc": ["vpc-1"]}, "conditional"),
        ({"aws:sourcevpc": ["vpc-1"], "AWS:MultiFactorAuthPresent": ["true"]}, "allowed"),
        ({"aws:SourceVpc": ["x"], "aws:ResourceTag/team": []}, "denied"),
    ],
)
def test_a_formula_is_decided_as_far_as_values_are_given(given, expected):
    assert decision(formula_of(json.dumps(TAG_OR_MFA)), given, SOLVER) == expected


def test_a_formula_depends_on_a_key_whose_values_make_a_difference():
    f = formula_of(json.dumps(TAG_OR_MFA))
    assert depends_on(f, "aws:SourceVpc", SOLVER)
    assert not depends_on(f, "aws:SourceIp", SOLVER)
    assert not depends_on(formula_of(json.dumps(written("Null", "aws:sourcevpc", "false"))), "aws:SourceVpc", SOLVER)
