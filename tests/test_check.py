"""The command check: what it prints, what it exits with, and what it says of wrong usage."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cli_run import run
from ingest_inputs import document, export, inline, line_of, role, user, write

from pipeline.build import build_lake
from pipeline.controls import FINDINGS
from pipeline.export.annotations import annotations_text
from pipeline.export.records import findings_of

GRANT = "service-wide-grant"
EXCEPTION = """[[exception]]
control = "service-wide-grant"
subject = "*user/ana own*"
reason = "she looks after it"
approver = "the owner"
expiry = 2027-01-01
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a lake in it: ana may do all with SageMaker, a role names an action that there is not."""
    people = [user(UserPolicyList=[inline("own", document("sagemaker:*"))])]
    roles = [role(RolePolicyList=[inline("own", document("sagemaker:CreateTags"))])]
    write(tmp_path, "in/a.json", export(people, roles=roles))
    monkeypatch.chdir(tmp_path)
    build_lake([Path("in")], tmp_path / "lake")
    return tmp_path


def check(monkeypatch, *arguments):
    return run(monkeypatch, "check", "--only", GRANT, "--only", "unknown-action", *arguments)


@pytest.mark.parametrize(
    ("limit", "code"),
    [("critical", 0), ("high", 1), ("medium", 1), ("info", 1)],
)
def test_it_fails_from_the_severity_on_that_it_is_told(limit, code, place, monkeypatch):
    done = check(monkeypatch, "--fail-on", limit)
    assert done.code == code
    assert "2 open findings: 1 high, 1 medium; 0 accepted" in done.err
    assert GRANT in done.text
    assert check(monkeypatch, "--fail-on", limit, "--no-fail").code == 0


@pytest.mark.parametrize(("limit", "code"), [("critical", 3), ("high", 1)])
def test_it_says_that_inputs_were_rejected_whatever_it_ends_with(limit, code, place, monkeypatch):
    write(place, "in/bad.json", "{")
    build_lake([Path("in")], place / "lake")
    done = check(monkeypatch, "--fail-on", limit)
    assert done.code == code
    assert "some inputs were rejected and not looked at" in done.err


def test_an_accepted_finding_is_printed_marked_and_does_not_fail(place, monkeypatch):
    (place / "exceptions.toml").write_text(EXCEPTION)
    done = check(monkeypatch, "--format", "csv", "--today", "2026-12-31")
    rows = list(csv.DictReader(io.StringIO(done.text)))
    assert list(rows[0]) == FINDINGS.names
    assert {row["control_id"]: row["status"] for row in rows} == {GRANT: "accepted", "unknown-action": "open"}
    assert done.code == 0
    late = check(monkeypatch, "--format", "csv", "--today", "2027-01-02")
    assert late.code == 1
    assert "exception-expired" in late.text


def test_an_exception_of_a_control_that_does_not_run_is_not_called_unmatched(place, monkeypatch):
    (place / "exceptions.toml").write_text(EXCEPTION)
    done = run(monkeypatch, "check", "--only", "unknown-action")
    assert (done.code, "exception" in done.text) == (0, False)


def test_a_lake_with_rejects_is_told_by_the_exit_code(place, monkeypatch):
    write(place, "in/b.json", "{")
    build_lake([place / "in"], place / "lake")
    assert check(monkeypatch).code == 1
    done = check(monkeypatch, "--fail-on", "critical")
    assert (done.code, "some inputs were rejected" in done.err) == (3, True)


def test_github_is_told_the_line_of_the_statement(place, monkeypatch):
    done = check(monkeypatch, "--format", "github")
    line = line_of(place / "in" / "a.json", '"Effect": "Allow"') - 1
    first, second = done.text.splitlines()
    assert first.startswith(f"::error file=in/a.json,line={line},")
    assert "title=service-wide-grant%3A A whole service%2C or everything" in first
    assert "%0AName the actions" in first
    assert second.startswith("::warning file=in/a.json,line=")


def test_names_cannot_end_a_command_of_github(place):
    row = dict.fromkeys(FINDINGS.names, "") | {
        "severity": "low", "status": "open", "control_id": "a", "title": "t,::b", "subject": "x\n::error::y%",
        "message": "\x1b[31mred",
    }  # fmt: skip
    import pyarrow as pa

    (line,) = annotations_text(findings_of(pa.Table.from_pylist([row]))).splitlines()
    assert line == "::notice title=a%3A t%2C%3A%3Ab::x%0A::error::y%25: \\u001b[31mred"


def test_junit_and_sarif_are_written_whole(place, monkeypatch):
    root = ET.fromstring(check(monkeypatch, "--format", "junit").text)
    assert {suite.get("name"): suite.get("failures") for suite in root} == {GRANT: "1", "unknown-action": "1"}
    (made,) = json.loads(check(monkeypatch, "--format", "sarif").text)["runs"]
    assert {result["ruleId"] for result in made["results"]} == {GRANT, "unknown-action"}
    assert check(monkeypatch, "--format", "sarif", "--out", "found.sarif").code == 1
    assert json.loads((place / "found.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "none"), "--only none: there is no such control"),
        (("--skip", "none"), "--skip none: there is no such control"),
        (("--skip", GRANT, "--skip", "unknown-action"), "leave no control"),
        (("--set", "unused-role.days=1"), "no parameter of a control"),
        (("--today", "soon"), "--today soon: no day"),
        (("--exceptions", "none.toml"), "none.toml: No such file"),
        (("--controls", "none"), "none: no such folder"),
    ],
)
def test_wrong_usage_is_told(arguments, said, place, monkeypatch):
    done = check(monkeypatch, *arguments)
    assert (done.code, said in done.err) == (2, True), done.err


def test_a_glob_in_the_control_of_an_exception_is_told(place, monkeypatch):
    (place / "exceptions.toml").write_text(EXCEPTION.replace("service-wide-grant", "service-*"))
    done = check(monkeypatch)
    assert done.code == 2
    assert "exceptions.toml:1: control service-*: there is none of that id; wildcards hold for subject only" in done.err


def test_an_exception_of_no_control_is_told_with_its_line(place, monkeypatch):
    (place / "exceptions.toml").write_text(EXCEPTION.replace("service-wide-grant", "service-wide-grants"))
    done = check(monkeypatch)
    assert done.code == 2
    assert "exceptions.toml:1: control service-wide-grants: there is none of that id; did you mean" in done.err


def test_parameters_are_set_by_control(place, monkeypatch):
    sized = ("check", "--only", "policy-near-size-limit", "--format", "csv", "--fail-on", "low")
    assert run(monkeypatch, *sized).code == 0
    assert run(monkeypatch, *sized, "--set", "policy-near-size-limit.percent=1").code == 1


def test_a_finding_keeps_its_id_when_the_rest_of_the_policy_changes(place, monkeypatch):
    def ids():
        rows = csv.DictReader(io.StringIO(check(monkeypatch, "--format", "csv").text))
        return {row["control_id"]: row["finding_id"] for row in rows}

    before = ids()
    more = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    policy = document("sagemaker:*")
    policy["Statement"].insert(0, more)
    roles = [role(RolePolicyList=[inline("own", document("sagemaker:CreateTags", Resource="arn:aws:s3:::a"))])]
    write(place, "in/a.json", export([user(UserPolicyList=[inline("own", policy)])], roles=roles))
    build_lake([place / "in"], place / "lake")
    after = ids()
    assert before[GRANT] == after[GRANT]
    assert before["unknown-action"] != after["unknown-action"]


def test_files_are_checked_without_a_lake(place, monkeypatch):
    write(place, "policies/wide.json", document("sagemaker:*"))
    write(place, "policies/narrow.json", document("sagemaker:ListModels"))
    wide = run(monkeypatch, "check", "policies/wide.json", "--lake", "none", "--only", GRANT, "--format", "github")
    assert (wide.code, "file=policies/wide.json,line=" in wide.text) == (1, True)
    assert run(monkeypatch, "check", "policies/narrow.json", "--lake", "none", "--only", GRANT).code == 0
    write(place, "policies/broken.json", "{")
    broken = run(monkeypatch, "check", "policies/broken.json", "policies/narrow.json", "--only", GRANT)
    assert (broken.code, "policies/broken.json:1:" in broken.err) == (3, True)
    assert not (place / "none").exists()


def test_the_hook_and_the_workflow_run_commands_that_there_are(place, monkeypatch):
    root = Path(__file__).resolve().parents[1]
    hook = (root / ".pre-commit-hooks.yaml").read_text()
    (entry,) = re.findall(r"^  entry: policylake (.+)$", hook, re.MULTILINE)
    write(place, "policies/narrow.json", document("sagemaker:ListModels", Resource="*"))
    assert run(monkeypatch, *entry.split(), "policies/narrow.json").code == 0
    workflow = (root / ".github" / "workflows" / "check.yml").read_text()
    helped = run(monkeypatch, "check", "--help").text
    options = set(re.findall(r"(--[a-z][a-z-]+)", workflow)) - {"--quiet"}
    assert {"--fail-on", "--format", "--out"} <= options
    for option in options:
        assert option in helped, option


def test_a_control_that_fails_as_it_runs_leaves_the_others_running(place, monkeypatch):
    own = (Path(__file__).parents[1] / "sql" / "controls" / "unknown-action.sql").read_text()
    text = own.replace('id = "unknown-action"', 'id = "own"').replace("matched_action_count = 0", "no_such_column = 0")
    write(place, "mine/own.sql", text)
    arguments = ("--controls", "mine", "--only", "own", "--no-fail", "--format", "csv")
    done = check(monkeypatch, *arguments)
    assert done.code == 2
    assert {row["control_id"] for row in csv.DictReader(io.StringIO(done.text))} == {
        GRANT,
        "unknown-action",
        "control-not-run",
    }
    assert "mine/own.sql: The control own did not run: " in done.err
    assert "no_such_column" in done.err


def test_a_control_that_fails_with_a_value_of_the_command_line_names_it(place, monkeypatch):
    write(place, "policies/wide.json", document("sagemaker:*"))
    only = ("--only", "full-access-principal", "--no-fail")
    done = run(monkeypatch, "check", "policies/wide.json", *only, "--set", "full-access-principal.percent=101")
    assert done.code == 2
    assert "(it ran with --set full-access-principal.percent=101)" in done.err


def test_a_file_that_is_no_control_leaves_the_others_to_run(place, monkeypatch):
    write(place, "policies/wide.json", document("sagemaker:*"))
    (place / "own").mkdir()
    (place / "own" / "broken.sql").write_text("select 1")
    given = ("check", "policies/wide.json", "--controls", "own", "--only", GRANT, "--format", "jsonl")
    both = run(monkeypatch, *given, "--only", "broken", "--set", "broken.days=3")
    found = [json.loads(line)["control_id"] for line in both.text.splitlines()]
    assert (both.code, found) == (2, ["control-not-run", GRANT])
    assert "own/broken.sql:1: The control broken did not run: a control begins with a comment of TOML" in both.err
    assert "Mend the control, or the values that it is given, or take its file out of the folder" in both.err
    assert run(monkeypatch, *given).code == 1
    assert run(monkeypatch, "controls", "--controls", "own").code == 2
