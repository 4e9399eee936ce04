"""Every named query answers on the sample, with the grain that it declares."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import PolicylakeError
from pipeline.evaluate.named import run
from pipeline.lake import open_lake
from pipeline.lake.parameters import KINDS, settled
from pipeline.lake.queries import command_query, front_matter, named_queries, named_query

ROOT = Path(__file__).resolve().parents[1]
QUERIES = named_queries()
#: The sample has no such case.
EMPTY = {"incomplete_principals"}
ML_DEV = "arn:aws:iam::333344445555:"


@pytest.fixture(scope="module")
def lake(sample_lake):
    return open_lake(sample_lake)


def answer(lake, name, **values):
    return run(lake, named_query(name), values).to_pylist()


def examples(query):
    return {p.name: p.example for p in query.parameters if p.default is None}


def test_there_are_eighteen_queries_or_more():
    assert len(QUERIES) >= 18


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.name)
def test_every_parameter_of_a_query_has_a_default_or_an_example(query):
    assert all(value is not None for value in examples(query).values())


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.name)
def test_a_query_uses_each_parameter_that_it_declares_and_no_other(query):
    body = query.sql.split("*/", 1)[1]
    assert set(re.findall(r"\$([a-z_]+)", body)) == {p.name for p in query.parameters}


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.name)
def test_the_grain_of_a_query_is_unique_and_not_null(query, lake):
    rows = run(lake, query, examples(query)).to_pylist()
    keys = [tuple(row[name] and str(row[name]) for name in query.grain) for row in rows]
    assert len(set(keys)) == len(keys)
    assert not any(part is None for key in keys for part in key)
    assert bool(rows) == (query.name not in EMPTY)


@pytest.mark.parametrize("path", sorted((ROOT / "sql" / "commands").glob("*.sql")), ids=lambda p: p.stem)
def test_the_queries_of_commands_say_what_they_answer(path):
    header = front_matter(path.read_text(encoding="utf-8"))
    assert header["description"]
    assert header["grain"]


#: Allowed on endpoint configurations; on endpoints, which the call needs too, denied and conditional.
PRINTED, INTENDED = "role/endpoint-deployer-as-printed", "role/endpoint-deployer-as-intended"

CASES = [
    ("role_passers", {}, "principal_arn", "role/model-author", True),
    ("role_passers", {}, "principal_arn", "role/console-engineer", True),
    ("role_passers", {"service": "lambda.amazonaws.com"}, "principal_arn", "role/model-author", True),
    ("role_passers", {"service": "lambda.amazonaws.com"}, "principal_arn", "role/console-engineer", False),
    ("unconditional_grants", {"action": "sagemaker:deletemodel"}, "principal_arn", "role/vacuous-condition", True),
    ("unconditional_grants", {"action": "sagemaker:describemodel"}, "principal_arn", "role/vpc-caller", False),
    ("unconditional_grants", {"action": "sagemaker:createendpoint"}, "principal_arn", "role/not-action", True),
    ("unconditional_grants", {"action": "sagemaker:createendpoint"}, "principal_arn", PRINTED, False),
    ("unconditional_grants", {"action": "sagemaker:createendpoint"}, "principal_arn", INTENDED, False),
    ("full_access_principals", {"percent": "100"}, "principal_arn", "role/break-glass", True),
    ("conditional_grants", {"key": "AWS:SourceVPC"}, "principal_arn", "role/vpc-caller", True),
    ("conditional_grants", {"key": "aws:SourceVpce"}, "principal_arn", "user/kai", True),
    ("conditional_grants", {"key": "aws:SourceIp"}, "principal_arn", "role/office-trainer", True),
    ("conditional_grants", {"key": "aws:SourceIp"}, "principal_arn", "role/vpc-caller", False),
    ("conditional_grants", {"key": "aws:ResourceTag"}, "principal_arn", "user/ana", True),
    ("conditional_grants", {"key": "sagemaker:ResourceTag/Project"}, "principal_arn", "user/ana", True),
    ("conditional_grants", {"key": "aws:RequestTag"}, "principal_arn", "role/endpoint-deployer-as-intended", True),
    ("unused_roles", {}, "principal_arn", "role/legacy-etl", True),
    ("unused_roles", {"days": "3000"}, "principal_arn", "role/legacy-etl", False),
    ("layer_losses", {"action": "sagemaker:createendpoint"}, "principal_arn", "user/opal", True),
    ("layer_losses", {"action": "sagemaker:createtrainingjob"}, "principal_arn", "user/opal", False),
    ("explicit_denials", {"action": "sagemaker:describemodel"}, "principal_arn", "role/two-vpcs", True),
    ("full_access_principals", {}, "principal_arn", "role/break-glass", True),
    ("full_access_principals", {"percent": "5"}, "principal_arn", "role/model-author", False),
    ("full_access_policies", {}, "principal_arn", "role/break-glass", True),
    ("full_access_policies", {}, "principal_arn", "role/model-author", False),
    ("endpoint_invokers", {}, "principal_arn", "role/vpc-caller", True),
    ("service_roles", {}, "principal_arn", "role/service-role/AmazonSageMaker-ExecutionRole-20240115T101500", True),
    ("tag_changers", {"action": "sagemaker:addtags"}, "principal_arn", "user/ana", True),
    ("action_callers", {"action": "sagemaker:StopNotebookInstanc?"}, "principal_arn", "user/ana", True),
    ("action_callers", {"action": "sagemaker:Put*Policy"}, "principal_arn", "role/model-author", False),
]


@pytest.mark.parametrize(("name", "values", "column", "principal", "is_there"), CASES)
def test_a_query_finds_the_principals_of_the_sample(name, values, column, principal, is_there, lake):
    found = {row[column] for row in answer(lake, name, **values)}
    assert (ML_DEV + principal in found) == is_there


def test_the_wildcard_grants_of_an_action_that_is_refused_as_a_whole_are_none(lake):
    rows = [row for row in answer(lake, "wildcard_grants") if row["action"] == "sagemaker:CreateEndpoint"]
    verdicts = {row["principal_arn"]: row["verdict"] for row in rows}
    assert ML_DEV + PRINTED not in verdicts
    assert verdicts[ML_DEV + INTENDED] == "conditional"


def test_full_access_counts_an_action_once_every_type_that_it_needs_is_granted(lake):
    counts = {row["principal_arn"]: row for row in answer(lake, "full_access_principals", percent="50")}
    printed, intended = counts[ML_DEV + PRINTED], counts[ML_DEV + INTENDED]
    assert printed["allowed_actions"] + printed["conditional_actions"] == 545
    assert (intended["allowed_actions"], intended["conditional_actions"]) == (544, 2)


def test_every_grant_that_a_query_shows_is_of_an_action_that_can_be_performed(lake):
    stored = lake.query("select principal_arn, action, verdict from access_matrix").to_pylist()
    whole = {(row["principal_arn"], row["action"]): row["verdict"] for row in stored}
    for row in lake.query("from access").to_pylist():
        assert row["action_verdict"] == whole[row["principal_arn"], row["action"]]
    for query in QUERIES:
        if {"principal_arn", "action", "resource_pattern"} <= set(query.grain):
            for row in run(lake, query, examples(query)).to_pylist():
                assert whole[row["principal_arn"], row["action"]] in ("allowed", "conditional"), query.name


def test_roles_are_passed_to_a_service_on_the_scopes_that_are_open_to_it(lake):
    rows = answer(lake, "role_passers", service="glue.amazonaws.com")
    scopes = {row["resource_pattern"] for row in rows if row["principal_arn"] == ML_DEV + "user/hana"}
    assert ML_DEV + "user/opal" not in {row["principal_arn"] for row in rows}
    assert len(scopes) == 5
    assert "*" not in scopes


def test_a_query_finds_what_an_scp_takes_away(lake):
    rows = answer(lake, "layer_losses", layer="scp", action="sagemaker:putmodelpackagegrouppolicy")
    assert {row["loss"] for row in rows} == {"blocked"}


def test_a_query_finds_actions_that_do_not_exist(lake):
    assert {"sagemaker:CreateTags", "sagemaker:CreateNotebook"} <= {
        r["action_pattern"] for r in answer(lake, "unknown_actions")
    }


def test_a_query_finds_tag_conditions_on_actions_that_tags_cannot_restrict(lake):
    rows = answer(lake, "unavailable_condition_keys", key="*resourcetag*")
    useless = {action for row in rows if row["actions_with_key"] == 0 for action in row["actions"]}
    assert useless == {"sagemaker:ListModels", "sagemaker:ListNotebookInstances"}
    assert {row["condition_key"] for row in rows} == {"aws:ResourceTag/Project", "sagemaker:ResourceTag/Project"}


def test_a_query_finds_conditions_that_do_nothing(lake):
    found = {(target, row["reason"]) for row in answer(lake, "idle_conditions") for target in row["targets"]}
    assert (ML_DEV + "role/vacuous-condition", "always true") in found
    assert (ML_DEV + "role/subnet-trainer-trap", "true without the key") in found
    assert ML_DEV + "role/subnet-trainer" not in {target for target, _ in found}


def test_a_query_finds_training_jobs_whose_tags_drifted(lake):
    rows = answer(lake, "drifted_tuning_job_tags")
    jobs = [row["training_job_arn"].rsplit("/", 1)[1] for row in rows]
    assert jobs == [f"churn-tune-{number:03}" for number in range(1, 5)]
    assert {(row["training_job_value"], row["tuning_job_value"]) for row in rows} == {("A", "B")}


def test_a_query_reaches_resources_of_another_account_only_where_it_is_written_out(lake):
    endpoint = "arn:aws:sagemaker:us-east-1:444455556666:endpoint/fraud"
    accounts = {row["account_id"] for row in answer(lake, "endpoint_invokers", endpoint=endpoint)}
    assert "444455556666" in accounts
    assert accounts <= {"444455556666", None}


def test_a_query_shows_the_statements_behind_an_answer(lake):
    rows = answer(lake, "answer_statements", principal=ML_DEV + "user/ana", action="sagemaker:describenotebookinstance")
    assert {(row["effect"], row["counts_as"]) for row in rows} >= {("Allow", "grants"), ("Deny", "limits")}
    assert any("sagemaker:ResourceTag/Project" in row["statement"] for row in rows)


#: An explicit Deny of an identity policy, and a boundary's Deny.
DECIDED = [
    (ML_DEV + "role/two-vpcs", "sagemaker:DescribeModel", "explicit_denials", {}),
    (ML_DEV + "user/opal", "sagemaker:StopPipelineExecution", "layer_losses", {"layer": "boundary"}),
]


@pytest.mark.parametrize(("principal", "action", "query", "values"), DECIDED)
def test_the_statements_that_deny_or_block_are_named_wherever_a_verdict_is_explained(
    principal, action, query, values, lake
):
    pair = {"principal": principal, "action": action}
    (verdict,) = lake.query(command_query("explained_verdicts"), pair).to_pylist()
    listed = [
        row for row in answer(lake, query, **values) if (row["principal_arn"], row["action"]) == (*pair.values(),)
    ]
    behind = [row["statement_id"] for row in answer(lake, "answer_statements", **pair) if row["counts_as"] == "decides"]
    assert verdict["statement_ids"]
    assert [row["statement_ids"] for row in listed] == [verdict["statement_ids"]]
    assert sorted(behind) == sorted(verdict["statement_ids"])


WRONG = [
    ("nope", {}, "known: action_callers, answer_statements"),
    ("answer_statements", {}, "the parameter principal is missing; give --set principal="),
    ("unused_roles", {"day": "1"}, "no parameter day; it takes days"),
    ("rejects_by_file", {"day": "1"}, "no parameter day; it takes none"),
    ("unused_roles", {"days": "soon"}, "query unused_roles: --set days=soon: a whole number of days is expected"),
]


WRONG += [
    ("endpoint_invokers", {"endpoint": "fo*"}, "the name or the ARN of one endpoint is expected"),
    (
        "endpoint_invokers",
        {"endpoint": "arn:aws:sagemaker:*:*:endpoint/x"},
        "one whole ARN without wildcards is expected",
    ),
    ("layer_losses", {"layer": "foo"}, "--set layer=foo: one of these is expected: boundary, scp, rcp"),
    ("layer_losses", {"action": "sagemaker:CreatModel"}, "did you mean sagemaker:CreateModel"),
    ("wildcard_grants", {"access_level": "Writ"}, "one of these is expected: List, Read, Write"),
    ("answer_statements", {"principal": "nobody", "action": "iam:PassRole"}, "no such user or role"),
    ("answer_statements", {"principal": "opal", "action": "sagemaker:*"}, "one action is expected"),
    ("answer_statements", {"principal": "break-glass", "action": "iam:PassRole"}, "3 principals have this name"),
    ("explicit_denials", {"action": "s3:GetObject"}, "build it again with --services s3"),
    ("unconditional_grants", {"action": "sagemaker:Creat"}, "no such action"),
    ("tag_changers", {"action": "sagemaker:Creat"}, "no such action"),
    (
        "conditional_grants",
        {"key": "aws:SourceVp"},
        "neither the service reference nor a policy has such a condition key",
    ),
    ("unavailable_condition_keys", {"key": "foo*"}, "neither the service reference nor a policy"),
    ("role_passers", {"service": "sagemaker"}, "a service principal is expected, such as sagemaker.amazonaws.com"),
    ("service_roles", {"service": "*"}, "a service principal is expected"),
    ("unknown_actions", {"service": "foo"}, "no policy and no reference has this service"),
    ("unused_roles", {"days": "-1"}, "a whole number of days is expected"),
    ("full_access_principals", {"percent": "101"}, "a number from 0 to 100 is expected"),
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.name)
def test_every_parameter_says_what_its_values_are_and_takes_its_default(query, lake):
    for parameter in query.parameters:
        assert bool(parameter.values) != (parameter.kind in KINDS)
        given = examples(query) | {parameter.name: parameter.default or parameter.example}
        assert settled(lake, query, given)[parameter.name] == given[parameter.name]


def test_values_are_taken_in_any_case_and_by_name(lake):
    assert answer(lake, "layer_losses", layer="SCP") == answer(lake, "layer_losses", layer="scp") != []
    assert answer(lake, "wildcard_grants", access_level="TAGGING")
    named = {"principal": "opal", "action": "sagemaker:createendpoint"}
    full = {"principal": ML_DEV + "user/opal", "action": "sagemaker:CreateEndpoint"}
    assert answer(lake, "answer_statements", **named) == answer(lake, "answer_statements", **full)


def test_an_endpoint_may_be_named_without_its_account(lake):
    by_arn = [
        answer(lake, "endpoint_invokers", endpoint=f"arn:aws:sagemaker:us-east-1:{account}:endpoint/fraud")
        for account in lake.query("select account_id from accounts")["account_id"].to_pylist()
    ]
    found = answer(lake, "endpoint_invokers", endpoint="fraud")
    for rows in by_arn:
        assert all(row in found for row in rows)
    assert all(any(row in rows for rows in by_arn) for row in found)
    assert len(found) < len(answer(lake, "endpoint_invokers"))


@pytest.mark.parametrize(("name", "values", "message"), WRONG)
def test_a_wrong_name_or_value_says_what_to_do(name, values, message, lake):
    with pytest.raises(PolicylakeError, match=re.escape(message)):
        answer(lake, name, **values)


def test_all_sql_passes_sqlfluff():
    command = [Path(sys.executable).with_name("sqlfluff"), "lint", "sql"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
