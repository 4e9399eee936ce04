"""Which scopes of access a resource is in, policy variables that nobody knows among them."""

import pytest
from ingest_inputs import arn, document, export, inline, role, write

from pipeline.build import build_lake
from pipeline.evaluate.named import run
from pipeline.evaluate.statements import shown
from pipeline.lake import open_lake
from pipeline.lake.queries import command_query, named_query

MODEL = "arn:aws:sagemaker:us-east-1:111122223333:model/"
PREFIX = "arn:aws:sagemaker:*:*:model/"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "111122223333"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    },
}


def deletes(name, version="2012-10-17"):
    policy = document("sagemaker:DeleteModel", Resource=PREFIX + name) | {"Version": version}
    return {"RolePolicyList": [inline("p", policy)]}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scopes")
    invoker = document("sagemaker:InvokeEndpoint", Resource="arn:aws:sagemaker:*:*:endpoint/${aws:SourceIdentity}-*")
    roles = (
        role("source-identity", **deletes("${aws:SourceIdentity}-*")),
        role("tagged", AssumeRolePolicyDocument=TRUST, **deletes("${aws:PrincipalTag/team, 'none'}-*")),
        role("character", **deletes("${*}-1")),
        role("old", **deletes("${team}-*", "2008-10-17")),
        role("escaped", **deletes("${$}{team}-*")),
        role("invoker", RolePolicyList=[inline("p", invoker)]),
    )
    write(folder, "export.json", export(roles=roles))
    build_lake([folder], folder / "lake")
    return open_lake(folder / "lake")


def who_can(lake, name):
    asked = {"action": "sagemaker:DeleteModel", "resource": MODEL + name}
    return {row["principal_arn"].rsplit("/", 1)[1] for row in lake.query(command_query("who_can"), asked).to_pylist()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("red-1", {"source-identity", "tagged"}),
        ("red", set()),
        ("*-1", {"source-identity", "tagged", "character"}),
        ("${team}-1", {"source-identity", "tagged", "old", "escaped"}),
    ],
)
def test_a_scope_with_an_unknown_variable_reaches_whatever_it_may_stand_for(name, expected, lake):
    assert who_can(lake, name) == expected


def test_explain_and_named_queries_reach_them_too(lake):
    asked = {"principal": arn("role/source-identity"), "action": "sagemaker:DeleteModel", "resource": MODEL + "red-1"}
    assert lake.query(command_query("explained_scopes"), asked).num_rows == 1
    endpoint = MODEL.replace("model/", "endpoint/") + "red-1"
    found = run(lake, named_query("endpoint_invokers"), {"endpoint": endpoint}).to_pylist()
    assert arn("role/invoker") in {row["principal_arn"] for row in found}


def test_a_literal_dollar_and_brace_do_not_look_like_a_variable(lake):
    sql = "select principal_arn, resource_pattern from access where action = 'sagemaker:DeleteModel'"
    found = {row["principal_arn"]: row["resource_pattern"] for row in lake.query(sql).to_pylist()}
    assert found[arn("role/old")] == PREFIX + "${$}{team}-*"
    assert found[arn("role/escaped")] == PREFIX + "${$}{team}-*"
    assert found[arn("role/source-identity")] == PREFIX + "${aws:SourceIdentity}-*"
    assert found[arn("role/character")] == PREFIX + "${*}-1"


@pytest.mark.parametrize("pattern", ["a/${$}{x}", "a/${$}${aws:x}", "a$b*", "a${$}", "${?}${aws:x, 'y'}{z}"])
def test_a_pattern_that_is_shown_means_what_it_meant(pattern):
    assert shown(pattern) == pattern


@pytest.mark.parametrize(("excepted", "covers"), [(PREFIX + "${aws:x}-*", True), (PREFIX + "red-*", False)])
def test_an_exception_with_an_unknown_variable_takes_out_nothing(excepted, covers, lake):
    sql = "select scope_covers($pattern, json_array($excepted), '111122223333', $resource) as covers"
    asked = {"pattern": PREFIX + "*", "excepted": excepted, "resource": MODEL + "red-1"}
    assert lake.query(sql, asked).to_pylist() == [{"covers": covers}]
