"""The commands as a user meets them: what they print where, and with which exit code."""

import csv
import io
import json
import os
import pty
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import openpyxl
import pyarrow.parquet as pq
import pytest
from cli_run import rows_of, run
from ingest_inputs import export, user, write

from pipeline.cli.common import FailOnOption
from pipeline.cli.diff import Gate
from pipeline.controls import SEVERITIES
from pipeline.diff.gate import GATES

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "organization"
ANA = "arn:aws:iam::333344445555:user/ana"
NOTEBOOK = "arn:aws:sagemaker:us-east-1:{}:notebook-instance/vision-01"
COMMANDS = {
    "build", "report", "serve", "who-can", "principal-can", "explain", "gc", "simulate", "sql", "query", "tables",
    "scenarios", "reference", "export", "check", "controls", "diff",
}  # fmt: skip


def test_choices_that_options_write_out_are_those_of_the_code():
    severities, _ = get_args(get_args(FailOnOption)[0])
    assert get_args(severities) == SEVERITIES
    assert {*get_args(Gate)} == {*GATES}


@pytest.fixture
def cli(monkeypatch, sample_lake):
    monkeypatch.setenv("POLICYLAKE_LAKE", str(sample_lake))
    return lambda *arguments, stdin="": run(monkeypatch, *arguments, stdin=stdin)


def process(*arguments, lake, **options):
    code = "import sys; from pipeline.cli import main; print('ready', file=sys.stderr, flush=True); main()"
    command = [sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "POLICYLAKE_LAKE": str(lake)}
    running = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, **options)
    assert running.stderr.readline() == b"ready\n"
    return running


@pytest.mark.parametrize("command", [("who-can",), ("explain", "ana")], ids=["who-can", "explain"])
def test_a_context_that_no_request_has_is_wrong_usage_and_an_odd_one_is_told(command, cli):
    asked = (*command, "sagemaker:StopNotebookInstance", "--resource", NOTEBOOK.format("333344445555"), "--context")
    for context, message in (
        (
            "aws:SourceVcp=vpc-1",
            "aws:SourceVcp: the service reference does not know this condition key; did you",
        ),
        (
            "aws:SourceIp=office",
            "aws:SourceIp: 'office' is no value of the type IPAddress; write one address",
        ),
        ("aws:RequestTag/=x", "aws:RequestTag/: the service reference does not know this condition key"),
        ("aws:SourceIp", "aws:SourceIp: KEY=VALUE is expected"),
        ("=x", "=x: KEY=VALUE is expected"),
    ):
        done = cli(*asked, context)
        assert (done.code, done.text) == (2, "")
        assert done.err.startswith(f"policylake: --context {message}")
    odd = cli(*asked, "sagemaker:InstanceTypes=ml.t3.medium", "--context", "aws:SourceVpc=vpc-1")
    expected = (
        "--context sagemaker:InstanceTypes: AWS sends no such key with sagemaker:StopNotebookInstance; leave it out"
    )
    assert (odd.code, odd.err.splitlines()) == (0, [expected])


@pytest.mark.parametrize("command", [("who-can",), ("explain", "ana")], ids=["who-can", "explain"])
@pytest.mark.parametrize("key", ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"])
def test_a_request_that_comes_through_a_service_is_answered_by_any_of_the_keys_that_tell_it(command, key, cli):
    asked = (*command, "sagemaker:StopNotebookInstance", "--resource", NOTEBOOK.format("333344445555"), "--context")
    done = cli(*asked, f"{key}=athena.amazonaws.com")
    assert (done.code, done.err) == (0, "")
    other = ("--context", f"aws:CalledVia{'Last' if key == 'aws:CalledViaFirst' else 'First'}=glue.amazonaws.com")
    two = cli(*asked, "aws:CalledVia=athena.amazonaws.com", *other)
    assert (two.code, two.text) == (2, "")
    assert two.err.startswith(f"policylake: {other[0]} {other[1].replace('=', ' is ')}, but aws:CalledVia is athena")


@pytest.mark.parametrize("command", [("who-can",), ("explain", "ana")], ids=["who-can", "explain"])
def test_a_resource_that_is_none_of_the_action_is_told(command, cli):
    done = cli(*command, "sagemaker:CreateModel", "--resource", "arn:aws:s3:::bucket")
    said = "arn:aws:s3:::bucket is of no resource type of sagemaker:CreateModel: no such request is made"
    assert (done.code, done.err.splitlines()[0]) == (0, f"--resource: {said}")
    if command[0] == "explain":
        changes = done.out.decode().split("What would change it\n")[1].split("\n\n")[0]
        model = "arn:${Partition}:sagemaker:${Region}:${Account}:model/${ModelName}"
        assert changes == f"  {said}; name one of {model}"
    done = cli(*command, "sagemaker:ListModels", "--resource", NOTEBOOK.format("333344445555"))
    assert done.err.splitlines()[0] == '--resource: sagemaker:ListModels has no resource types: decided on "*"'
    for wrong in ("arn:aws:sagemaker", "arn:aws:sagemaker:us-east-1:333344445555:", "model/m", "arn:aws:s3:::a*"):
        done = cli(*command, "sagemaker:CreateModel", "--resource", wrong)
        message = f"policylake: {wrong}: one whole ARN without wildcards is expected, or * alone\n"
        assert (done.code, done.err) == (2, message)


def test_a_resource_of_one_of_several_actions_is_not_odd(cli):
    assert cli("who-can", "sagemaker:Stop*", "--resource", NOTEBOOK.format("333344445555")).err == ""


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("principal-can", "anna"), "anna: no such user or role; did you mean ana? list them with"),
        (
            ("explain", ANA.replace("ana", "anna"), "sagemaker:ListModels"),
            f"user or role; did you mean {ANA}? ",
        ),
        (("principal-can", "zzzzzz"), "zzzzzz: no such user or role; list them with"),
        (("query", "conditional_grants", "--set", "key=aws:SourceVcp"), "did you mean aws:SourceVpc? list them with"),
        (("query", "conditional_grants", "--set", "key=nothing"), "has such a condition key; list them with"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest_one(arguments, hint, cli):
    done = cli(*arguments)
    assert (done.code, hint in done.err) == (2, True), done.err


def test_a_key_that_one_of_several_actions_takes_is_not_odd(cli):
    asked = ("--resource", NOTEBOOK.format("333344445555"), "--context", "sagemaker:InstanceTypes=ml.t3.medium")
    assert cli("who-can", "sagemaker:*NotebookInstance", *asked).err == ""
    assert "AWS sends no such key with " in cli("who-can", "sagemaker:St*NotebookInstance", *asked).err


def many_agents():
    """Statements on ten texts within two keys: what these can hold together is more than the method tries."""
    return [
        {
            "Effect": "Allow",
            "Action": "sagemaker:ListModels",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:UserAgent": f"*x{number}*", "aws:Referer": f"*y{number}*"}},
        }
        for number in range(10)
    ]


def test_a_row_that_is_not_proven_is_told_to_people_and_marked_in_files(monkeypatch, tmp_path):
    known = {"Effect": "Allow", "Action": "sagemaker:ListTags", "Resource": "*"}
    for name, statements in (("hard", [*many_agents(), known]), ("plain", [known])):
        document = {"Version": "2012-10-17", "Statement": statements}
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{name}.json").write_text(json.dumps(document))
    lake = ("--lake", str(tmp_path / "lake"))
    assert run(monkeypatch, "build", str(tmp_path / "in"), *lake).code == 0
    for arguments, is_told in (
        (("who-can", "sagemaker:ListModels"), True),
        (("principal-can", "policy/hard"), True),
        (("who-can", "sagemaker:ListTags"), False),
        (("principal-can", "policy/plain"), False),
    ):
        shown = run(monkeypatch, *arguments, *lake)
        assert ("is_proven" in shown.text, "not proven, in 1 of " in shown.err) == (is_told, is_told), arguments
        rows = json.loads(run(monkeypatch, *arguments, *lake, "--format", "json").text)
        assert (False in {row["is_proven"] for row in rows}) == is_told


def test_help_lists_the_commands_that_exist(cli):
    listed = cli("--help").text.split("Commands:")[1]
    assert set(re.findall(r"^  ([a-z-]+)", listed, re.MULTILINE)) == COMMANDS


def test_without_a_command_there_is_help(cli):
    assert cli().text == cli("--help").text


def test_the_version_is_shown(cli):
    assert re.fullmatch(r"policylake \d+\.\d+\.\d+\n", cli("--version").text)


def test_build_lists_rejects_errors_first_and_exits_with_3(cli, tmp_path):
    done = cli("build", str(SAMPLE / "policies"), "--lake", str(tmp_path / "lake"))
    rejects = [line for line in done.err.splitlines() if ": error: " in line or ": warning: " in line]
    assert done.code == 3
    assert done.out == b""
    assert re.search(
        r"07-source-vpc\.json:9:29: error: a string is never closed.*; add the closing double quote", rejects[0]
    )
    assert all(": warning: " in line for line in rejects[1:])
    assert re.search(r"snapshot [0-9a-f]{16}: .*; 1 error, \d+ warnings$", done.err.splitlines()[-1])


def test_build_of_an_export_that_lacks_what_it_names_exits_with_3(cli, tmp_path):
    path = write(tmp_path, "a.json", export([user(GroupList=["here"])]))
    done = cli("build", str(path), "--lake", str(tmp_path / "lake"))
    assert done.code == 3
    assert re.search(r"a\.json:\d+:\d+: error: .*its group here is not in the export; ", done.err)


def test_build_of_good_input_exits_with_0_and_is_silent_if_asked(cli, tmp_path):
    done = cli("build", str(SAMPLE / "policies" / "01-basic-models.json"), "--lake", str(tmp_path / "lake"), "--quiet")
    assert (done.code, done.out, done.err) == (0, b"", "")


def test_build_shows_some_of_many_rejects_and_says_where_the_others_are(cli, tmp_path):
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for number in range(40):
        (inputs / f"{number:02}.json").write_text("{", encoding="utf-8")
    arguments = ("build", str(inputs), "--lake", str(tmp_path / "lake"))
    few, all_of_them = cli(*arguments), cli(*arguments, "--verbose")
    assert few.code == all_of_them.code == 3
    assert few.err.count(": error: ") == 25
    assert "and 15 more: --verbose lists them all, so does: policylake sql 'from rejects'" in few.err
    assert all_of_them.err.count(": error: ") == 40


def test_build_answers_for_more_services_if_asked(cli, tmp_path):
    lake = str(tmp_path / "lake")
    policy = tmp_path / "p.json"
    policy.write_text(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', "utf-8"
    )
    assert cli("build", str(policy), "--lake", lake, "--services", "sts, SNS", "--services", "sqs").code == 0
    found = rows_of(cli("who-can", "*:GetCallerIdentity", "--lake", lake, "--format", "json"))
    assert [row["action"] for row in found] == ["sts:GetCallerIdentity"]
    assert rows_of(cli("who-can", "sqs:SendMessage", "--lake", lake, "--format", "json"))


def test_who_can_takes_an_action_in_any_case_and_wildcards(cli):
    exact = rows_of(cli("who-can", "SAGEMAKER:describemodel", "--format", "json"))
    many = rows_of(cli("who-can", "sagemaker:Describe*", "--format", "json"))
    assert {row["action"] for row in exact} == {"sagemaker:DescribeModel"}
    assert [row for row in many if row["action"] == "sagemaker:DescribeModel"] == exact


def test_who_can_has_verdict_condition_scope_and_reasons(cli):
    (ana,) = (
        r
        for r in rows_of(cli("who-can", "sagemaker:DescribeNotebookInstance", "--format", "json"))
        if r["principal_arn"] == ANA
    )
    assert (ana["verdict"], ana["scope_verdict"]) == ("conditional", "conditional")
    assert ana["condition"] == "only on resources not tagged Project = B (untagged ones included)"
    assert ana["granted_by"]
    assert ana["limited_by"]
    assert ana["is_incomplete"] is False


@pytest.mark.parametrize(("account", "is_reached"), [("333344445555", True), ("444455556666", False)])
def test_a_scope_reaches_resources_of_the_own_account_only(account, is_reached, cli):
    done = cli(
        "who-can", "sagemaker:DescribeNotebookInstance", "--resource", NOTEBOOK.format(account), "--format", "json"
    )
    assert (ANA in {row["principal_arn"] for row in rows_of(done)}) == is_reached


@pytest.mark.parametrize(("name", "is_reached"), [("prod-1", False), ("dev-1", True)])
def test_a_scope_does_not_reach_what_is_excepted_from_it(name, is_reached, cli):
    arn = NOTEBOOK.format("333344445555").replace("vision-01", name)
    found = rows_of(cli("who-can", "sagemaker:DeleteNotebookInstance", "--resource", arn, "--format", "json"))
    assert ("arn:aws:iam::333344445555:role/not-resource" in {row["principal_arn"] for row in found}) == is_reached


def test_a_scope_of_another_account_that_is_written_out_is_reached(cli):
    shared = "arn:aws:sagemaker:us-east-1:555566667777:model-package-group/public-models"
    found = rows_of(cli("who-can", "sagemaker:DescribeModelPackageGroup", "--resource", shared, "--format", "json"))
    assert "arn:aws:iam::333344445555:role/registry-reader" in {row["principal_arn"] for row in found}


DEPLOYERS = "arn:aws:iam::333344445555:role/endpoint-deployer-as-"
ENDPOINT = "arn:aws:sagemaker:us-east-1:333344445555:endpoint/dev-churn"


def test_who_can_lists_nobody_who_is_refused_another_type_that_the_action_needs(cli):
    found = rows_of(cli("who-can", "sagemaker:CreateEndpoint", "--format", "json"))
    assert DEPLOYERS + "printed" not in {row["principal_arn"] for row in found}
    types = {r["resource_type"]: (r["verdict"], r["scope_verdict"]) for r in found
             if r["principal_arn"] == DEPLOYERS + "intended"}  # fmt: skip
    assert types == {"endpoint": ("conditional", "conditional"), "endpoint-config": ("conditional", "allowed")}


@pytest.mark.parametrize("context", [(), ("--context", "aws:RequestTag/environment=dev")])
def test_who_can_keeps_to_the_types_that_the_resource_can_be_of(context, cli):
    done = cli("who-can", "sagemaker:CreateEndpoint", "--resource", ENDPOINT, *context, "--format", "json")
    assert {row["resource_type"] for row in rows_of(done)} == {"endpoint"}
    assert DEPLOYERS + "printed" not in {row["principal_arn"] for row in rows_of(done)}


def test_explain_keeps_to_the_types_that_the_resource_can_be_of(cli):
    done = cli("explain", "ana", "sagemaker:CreateEndpoint", "--resource", ENDPOINT, "--format", "json")
    assert {row["resource_type"] for row in rows_of(done) if row["part"] == "scope"} == {"endpoint"}


def test_principal_can_has_each_action_with_its_verdict(cli):
    found = {row["action"]: row for row in rows_of(cli("principal-can", "opal", "--format", "json"))}
    assert found["sagemaker:CreateEndpoint"]["verdict"] == "blocked"
    assert found["sagemaker:CreateEndpoint"]["decided_by"][0] == "boundary"
    assert found["sagemaker:CreateEndpoint"]["resource_pattern"] is None
    assert found["sagemaker:CreateTrainingJob"]["verdict"] == "allowed"
    assert found["iam:PassRole"]["condition"]


def test_a_principal_may_be_named_by_the_arn_of_a_session(cli):
    session = "arn:aws:sts::333344445555:assumed-role/vpc-caller/me"
    assert rows_of(cli("principal-can", session, "--format", "json")) == rows_of(
        cli("principal-can", "vpc-caller", "--format", "json")
    )


def test_a_principal_whose_policies_are_missing_is_said_to_be_incomplete(cli, tmp_path):
    user = {
        "UserName": "zoe", "Arn": "arn:aws:iam::111122223333:user/zoe", "Path": "/", "UserId": "AIDAZOE",
        "CreateDate": "2026-01-01T00:00:00Z", "GroupList": ["gone"], "AttachedManagedPolicies": [],
    }  # fmt: skip
    export = {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    (tmp_path / "export.json").write_text(json.dumps(export), "utf-8")
    lake = str(tmp_path / "lake")
    assert cli("build", str(tmp_path / "export.json"), "--lake", lake).code in (0, 3)
    assert (
        "Incomplete, the answer may be wrong. Missing: "
        in cli("explain", "zoe", "sagemaker:ListModels", "--lake", lake).text
    )
    (found,) = rows_of(cli("query", "incomplete_principals", "--lake", lake, "--format", "json"))
    assert found["principal_arn"] == user["Arn"]
    # Nothing that is there grants it anything, so it has no row that could say so.
    assert "a policy of this principal is missing" in cli("principal-can", "zoe", "--lake", lake).err
    told = cli("who-can", "sagemaker:ListModels", "--lake", lake).err
    assert "answers about principals that are not listed may be wrong" in told


def test_explain_has_every_layer_with_its_statements_and_their_source(cli):
    found = rows_of(cli("explain", "opal", "sagemaker:StopPipelineExecution", "--format", "json"))
    statements = [row for row in found if row["part"] == "statement"]
    assert [row["verdict"] for row in found if row["part"] == "verdict"] == ["blocked"]
    layers = ["identity", "boundary", "scp", "rcp", "resource", "endpoint"]
    assert list(dict.fromkeys(row["layer"] for row in statements)) == layers
    assert sorted({row["level"] for row in statements if row["layer"] == "scp"}) == [0, 1, 2, 3]
    (deny,) = (row for row in statements if row["effect"] == "Deny")
    assert deny["layer"] == "boundary"
    assert deny["source"].endswith("333344445555.json")
    assert "sagemaker:StopPipelineExecution" in json.loads(deny["statement"])["Action"]


def test_explain_names_the_group_that_brings_a_policy(cli):
    found = rows_of(cli("explain", ANA, "sagemaker:describenotebookinstance", "--format", "json"))
    targets = {row["target_arn"]: row for row in found if row["layer"] == "identity" and row["part"] == "statement"}
    assert targets["arn:aws:iam::333344445555:group/DevTeam1"]["policy_name"] == "DevTeam1TagAccess"
    assert {row["counts_as"] for row in found if row["effect"]} >= {"grants", "limits"}


def test_explain_reads_like_a_text_on_a_terminal(cli):
    done = cli("explain", "ana", "sagemaker:DescribeNotebookInstance")
    arn, decision = done.text.splitlines()[:2]
    assert arn == ANA
    assert re.fullmatch(
        r"sagemaker:DescribeNotebookInstance: conditional, decided by identity \([0-9a-f]+#0\)", decision
    )
    headings = [line for line in done.text.splitlines() if line.startswith("Layer ")]
    layers = ["identity", "boundary", "scp", "rcp", "resource"]
    only_through = "Layer endpoint: only for calls through that VPC endpoint, so no verdict counts it"
    assert headings == [*(f"Layer {layer}" for layer in layers), only_through]


def test_sql_prints_the_rows_of_a_query(cli):
    assert cli("sql", "select 1 as n, 'x' as t", "--format", "csv").text == "n,t\n1,x\n"


@pytest.mark.parametrize("comment", ["-- hi", "-- n = 1", "--out", "/* hi */"])
def test_a_query_may_begin_with_a_comment(comment, cli):
    assert cli("sql", f"{comment}\nselect 1 as n", "--format", "csv").text == "n\n1\n"


def test_query_without_a_name_lists_queries_with_parameters(cli):
    listed = {row["query"]: row["parameters"] for row in rows_of(cli("query", "--format", "json"))}
    assert "[aws:SourceVpc]" in listed["conditional_grants"]
    assert "(must be given)" in listed["answer_statements"]


def test_query_takes_values_for_its_parameters(cli):
    found = rows_of(cli("query", "conditional_grants", "--set", "key=aws:SourceIp", "--format", "json"))
    assert found
    assert all("never through a VPC endpoint" in row["condition"] for row in found)


def test_tables_shows_the_dictionary_without_a_lake(cli, tmp_path):
    listed = {row["relation"] for row in rows_of(cli("tables", "--format", "json"))}
    assert {"access", "access_matrix", "residual_conditions", "rejects"} <= listed
    columns = [row["column"] for row in rows_of(cli("tables", "memberships", "--format", "json"))]
    assert columns == ["user_arn", "group_arn"]


def test_reference_shows_version_and_age(cli):
    shown = {row["item"]: row["value"] for row in rows_of(cli("reference", "--format", "json"))}
    assert {"version", "age in days", "origin"} <= shown.keys()


def test_a_refresh_that_leaves_a_part_out_says_so_and_exits_with_3(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("POLICYLAKE_REFERENCE", str(tmp_path / "reference"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "tiny.json").write_text('{"Name": "tiny", "Actions": [{"Name": "Do"}]}')
    assert cli("reference", "refresh", str(tmp_path / "in")).code == 0
    (tmp_path / "in" / "broken.json").write_text("{")
    done = cli("reference", "refresh", str(tmp_path / "in"), "--format", "json")
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "broken.json" in done.err
    assert {"item": "refreshed services", "value": "1"} in json.loads(done.text)


def test_each_format_is_written_to_a_file_of_its_ending(cli, tmp_path):
    for ending in ("csv", "json", "jsonl", "parquet", "xlsx", "md", "txt"):
        done = cli("sql", "from memberships", "--out", str(tmp_path / f"m.{ending}"))
        assert (done.code, done.out) == (0, b"")
    count = len((tmp_path / "m.jsonl").read_text("utf-8").splitlines())
    assert count == len(json.loads((tmp_path / "m.json").read_text("utf-8")))
    assert count == pq.read_table(tmp_path / "m.parquet").num_rows
    assert count == len(list(csv.reader((tmp_path / "m.csv").open(encoding="utf-8")))) - 1
    assert count == openpyxl.load_workbook(tmp_path / "m.xlsx").active.max_row - 1
    assert count == len((tmp_path / "m.md").read_text("utf-8").splitlines()) - 2
    assert count == len((tmp_path / "m.txt").read_text("utf-8").splitlines()) - 2


def test_a_binary_format_goes_into_a_pipe(cli):
    assert pq.read_table(io.BytesIO(cli("sql", "select 1 as n", "--format", "parquet").out)).to_pylist() == [{"n": 1}]


def test_a_failed_write_leaves_no_file_behind(cli, tmp_path):
    done = cli("sql", "select interval 1 month as v", "--format", "parquet", "--out", str(tmp_path / "x.parquet"))
    assert done.code == 2
    assert list(tmp_path.iterdir()) == []


def test_no_rows_are_said_on_standard_error(cli):
    done = cli("sql", "select 1 as n where false")
    assert (done.code, done.err) == (0, "no rows\n")


WRONG = [
    (("sql", "select 1", "--fromat", "csv"), "unexpected extra argument"),
    (("query", "layer_losses", "--set", "layer=foo"), "one of these is expected: boundary, scp, rcp"),
    (("query", "unused_roles", "--set", "days=abc"), "a whole number of days is expected"),
    (("who-can", "CreateModel"), "did you mean sagemaker:CreateModel"),
    (("who-can", "sagemaker:CreatModel"), "did you mean sagemaker:CreateModel"),
    (("who-can", "s3:GetObject"), "build it again with --services s3"),
    (("who-can", "sagemaker:*["), "no such action"),
    (("who-can", "sagemaker:*", "--resource", "vision-01"), "one whole ARN without wildcards is expected"),
    (("who-can", "sagemaker:*", "--context", "a=b"), "--context needs --resource ARN"),
    (("who-can", "sagemaker:*", "--resource", "*", "--context", "ab"), "KEY=VALUE is expected"),
    (("explain", "ana", "sagemaker:*"), "one action is expected"),
    (
        ("explain", "break-glass", "sagemaker:CreateModel"),
        "3 principals have this name; give one ARN: arn:aws:iam::1111",
    ),
    (("principal-can", "DevTeam1"), "a group makes no requests"),
    (("principal-can", "nobody\x1b[31m"), "nobody\\x1b[31m: no such user or role"),
    (("sql", "select"), "sql: Parser Error"),
    (("sql", "from nowhere"), "nowhere does not exist"),
    (("sql", "drop view access"), "one query is expected"),
    (("query", "nope"), "there is none of that name; known: "),
    (("query", "unused_roles", "--set", "days=1", "--set", "days=2"), "--set days: given 2 times"),
    (("query", "unused_roles", "--set", "days"), "KEY=VALUE is expected"),
    (("tables", "acces"), "did you mean access"),
    (("tables", "--format", "xml"), "'xml' is not one of 'table'"),
    (("tables", "--out", "/nowhere/x.csv"), "give --out a file that can be written"),
    (("tables", "--out", "/"), "give --out a file name"),
    (("chek",), "No such command 'chek'"),
    (("build",), "Missing argument 'INPUT'"),
    (("build", "/nowhere"), "/nowhere: no such file or folder"),
    (("build", "/nowhere", "--services", "nope"), "--services nope: no such service"),
    (("sql", "select 1", "--lake", "/nowhere"), "/nowhere: no snapshot here; run: policylake build"),
    (("report", "--lake", "/nowhere"), "/nowhere: no snapshot here; run: policylake build"),
    (("simulate", "--requests", "/nowhere"), "--requests /nowhere: No such file or directory"),
    (("reference", "refresh", "/nowhere"), "/nowhere"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_wrong_usage_is_one_line_that_says_what_to_do_and_exits_with_2(arguments, message, cli):
    done = cli(*arguments)
    assert done.code == 2
    assert done.out == b""
    assert done.err.startswith("policylake: ")
    assert done.err.count("\n") == 1
    assert message in done.err


def test_simulate_answers_lines_from_the_lake_and_from_themselves_in_order(cli):
    allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    request = {"principal": ANA, "action": "sagemaker:ListModels", "resource": "*", "context": {}}
    lines = [{"id": 1, **request}, "no json", {"id": 3, **request, "identity_policies": [allow]}, {"id": 4, **request}]
    text = "\n\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    answers = [json.loads(line) for line in cli("simulate", stdin=text).text.splitlines()]
    assert [answer["decision"] for answer in answers] == ["allowed", "error", "allowed", "allowed"]
    assert [answer["id"] for answer in answers] == [1, None, 3, 4]
    assert answers[1]["detail"].startswith("line 3: ")


def test_simulate_needs_no_lake_for_lines_with_their_own_policies(cli):
    line = {"principal": ANA, "action": "sagemaker:ListModels", "resource": "*", "identity_policies": []}
    done = cli("simulate", "--lake", "/nowhere", stdin=json.dumps(line))
    assert json.loads(done.text)["decision"] == "implicitDeny"
    without = cli("simulate", "--lake", "/nowhere", stdin=json.dumps({**line, "identity_policies": None}))
    assert without.code == 2
    assert "/nowhere: no snapshot here; run: policylake build" in without.err


@pytest.mark.parametrize(("tag", "decision"), [("A", "allowed"), ("B", "explicitDeny")])
def test_who_can_asks_the_concrete_evaluator_about_a_request(tag, decision, cli):
    arn = NOTEBOOK.format("333344445555").replace("vision-01", "not-in-the-inventory")
    arguments = ("--resource", arn, "--context", f"sagemaker:ResourceTag/Project={tag}", "--format", "json")
    found = {
        r["principal_arn"]: r["decision"]
        for r in rows_of(cli("who-can", "sagemaker:DescribeNotebookInstance", *arguments))
    }
    assert found[ANA] == decision


def test_report_prints_where_its_first_page_is(cli, tmp_path):
    done = cli("report", "--out", str(tmp_path / "out"))
    assert done.code == 0, done.err
    assert Path(done.text.strip()).is_file()


def test_ctrl_c_ends_a_long_query_without_a_word(sample_lake):
    query = "select count(*) from range(3000000) a(x), range(3000000) b(y) where x * y = 17"
    running = process("sql", query, lake=sample_lake, stdout=subprocess.DEVNULL)
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode in (130, -signal.SIGINT)
    assert err == b""


def test_a_link_stays_and_the_file_behind_it_is_replaced_with_its_mode(cli, tmp_path):
    held, link = tmp_path / "held.csv", tmp_path / "link.csv"
    held.write_text("old")
    held.chmod(0o640)
    link.symlink_to(held.name)
    assert cli("sql", "select 1 as n", "--out", str(link)).code == 0
    assert link.is_symlink()
    assert held.read_text() == "n\n1\n"
    assert stat.S_IMODE(held.stat().st_mode) == 0o640
    assert sorted(tmp_path.iterdir()) == [held, link]


def test_a_link_to_nothing_gets_a_file(cli, tmp_path):
    (tmp_path / "link.csv").symlink_to("made.csv")
    assert cli("sql", "select 1 as n", "--out", str(tmp_path / "link.csv")).code == 0
    assert (tmp_path / "made.csv").read_text() == "n\n1\n"


def test_a_pipe_and_a_device_are_written_to_and_stay(cli, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    assert cli("sql", "select 1 as n", "--format", "csv", "--out", str(pipe)).code == 0
    assert reading.communicate(timeout=60)[0] == b"n\n1\n"
    assert pipe.is_fifo()
    (tmp_path / "null").symlink_to("/dev/null")
    assert cli("sql", "select 1 as n", "--out", str(tmp_path / "null")).code == 0
    assert Path("/dev/null").is_char_device()


def test_a_pipe_whose_reader_stops_early_is_no_failure(cli, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reading = subprocess.Popen(["head", "-c", "1", str(tmp_path / "pipe")], stdout=subprocess.DEVNULL)
    done = cli("sql", "from range(300000)", "--format", "csv", "--out", str(tmp_path / "pipe"))
    assert (done.code, done.err) == (0, "")
    assert reading.wait(timeout=60) == 0


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl", "md", "parquet", "xlsx"])
def test_a_reader_that_stops_early_is_no_failure(form, sample_lake):
    query = "select x, hash(x) as y from range(20000) t(x)"
    running = process("sql", query, "--format", form, lake=sample_lake, stdout=subprocess.PIPE)
    running.stdout.read(1)
    running.stdout.close()
    assert running.wait(timeout=60) == 0
    assert running.stderr.read() == b""


def test_a_binary_format_is_kept_from_a_terminal(sample_lake):
    leader, follower = pty.openpty()
    running = process("tables", "--format", "xlsx", lake=sample_lake, stdout=follower)
    _, err = running.communicate(timeout=60)
    os.close(follower)
    os.close(leader)
    assert running.returncode == 2
    assert b"give --out FILE or send it to a pipe" in err


def test_the_command_is_installed():
    assert shutil.which("policylake", path=str(Path(sys.executable).parent)) or shutil.which("policylake")
