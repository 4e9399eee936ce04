"""The command ``export`` as a night runs it: it builds, checks, writes, and says how it went by log and exit code."""

import json
import re
import sys
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from cli_run import run
from conftest import SAMPLE

from pipeline.export.publish import working_alone
from pipeline.export.run import FORMATS

ACCOUNT = "111122223333"
EXCEPTION = """
[[exception]]
control = "{}"
subject = "*"
reason = "Pilot"
approver = "CISO"
expiry = 2027-03-31
"""
DOCUMENTED = re.compile(r"What to write of ([a-z, ]+)\.")


def account(*statements):
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    user = {
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/ana",
        "UserName": "ana",
        "UserPolicyList": [{"PolicyName": "work", "PolicyDocument": document}],
    }
    return {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}


def allow(sid, action):
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": "*"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLICYLAKE_LAKE", raising=False)
    (tmp_path / "exports").mkdir()
    return tmp_path


def give(place, *statements):
    (place / "exports" / f"{ACCOUNT}.json").write_text(json.dumps(account(*statements), indent=1))


def night(monkeypatch, day, *more):
    formats = () if "--format" in more else ("--format", "md,sarif")
    return run(monkeypatch, "export", "exports", "--to", "to", "--today", day, *formats, *more)


def summary(place, name="latest"):
    return json.loads((place / "to" / name / "summary.json").read_text())


def test_the_next_night_shows_exactly_the_policy_that_changed(place, monkeypatch):
    give(place, allow("Everything", "sagemaker:*"), allow("Read", "sagemaker:ListModels"))
    assert night(monkeypatch, "2026-11-25").code == 0
    give(place, allow("Typo", "sagemaker:CreateTags"), allow("Everything", "sagemaker:*"),
         allow("Read", "sagemaker:ListModels"))  # fmt: skip
    done = night(monkeypatch, "2026-11-26")
    assert (done.code, done.text) == (0, "to/2026-11-26\n")
    told = summary(place)
    assert [one["control_id"] for one in told["new"]] == ["unknown-action"]
    assert "Typo" in told["new"][0]["subject"]
    assert (told["gone"], told["findings"]["gone"]) == ([], 0)
    assert told["findings"]["still_open"] == summary(place, "2026-11-25")["findings"]["open"] > 0
    assert told["inputs"] == {"added": [], "removed": [], "changed": [f"exports/{ACCOUNT}.json"]}
    give(place, allow("Typo", "sagemaker:CreateTags"), allow("Read", "sagemaker:ListModels"))
    assert night(monkeypatch, "2026-11-27").code == 0
    told = summary(place)
    assert told["new"] == []
    assert "service-wide-grant" in {one["control_id"] for one in told["gone"]}


def test_the_log_has_a_line_a_stage_in_json(place, monkeypatch):
    give(place, allow("Everything", "sagemaker:*"))
    done = night(monkeypatch, "2026-11-25", "--log-format", "json")
    lines = [json.loads(line) for line in done.err.splitlines()]
    assert all({"time", "level", "stage", "message"} <= set(line) for line in lines)
    stages = [line["stage"] for line in lines]
    assert {"reading", "evaluating", "controls", "findings as sarif", "publishing", "export"} <= set(stages)
    assert (lines[-1]["exit_status"], lines[-1]["stage"]) == (0, "export")


def test_what_fails_is_a_line_of_the_json_log_and_the_exit_code(place, monkeypatch):
    done = run(monkeypatch, "export", "--to", "to", "--lake", "none", "--log-format", "json")
    (line,) = [json.loads(line) for line in done.err.splitlines()]
    assert (done.code, line["level"], line["exit_status"]) == (2, "error", 2)
    assert "no snapshot here" in line["message"]


def test_a_rejected_input_is_a_warning_and_exit_code_3_and_the_export_is_there(place, monkeypatch):
    give(place, allow("Read", "sagemaker:ListModels"))
    (place / "exports" / "broken.json").write_text('{"Version": "2012-10-17", "Statement": [')
    done = night(monkeypatch, "2026-11-25")
    assert done.code == 3
    assert re.search(r"warning build: \S*broken.json:", done.err)
    assert summary(place)["exit_status"] == 3


def test_fail_on_ends_with_1_and_an_accepted_risk_does_not(place, monkeypatch):
    give(place, allow("Everything", "sagemaker:*"))
    assert night(monkeypatch, "2026-11-25", "--fail-on", "high", "--format", "md").code == 1
    findings = pq.read_table(place / "to" / "latest" / "findings.parquet").to_pylist()
    (place / "exceptions.toml").write_text(
        "".join(EXCEPTION.format(one["control_id"]) for one in findings if one["severity"] in ("critical", "high"))
    )
    done = night(monkeypatch, "2026-11-26", "--fail-on", "high", "--format", "xlsx")
    accepted = openpyxl.load_workbook(place / "to" / "latest" / "findings.xlsx")["accepted risks"]
    assert "CISO" in [cell.value for row in accepted.iter_rows() for cell in row]
    told = summary(place)
    assert (done.code, told["findings"]["accepted"], told["new"]) == (0, len(findings) - told["findings"]["open"], [])


def test_a_second_run_says_who_works_there(place, monkeypatch):
    give(place, allow("Read", "sagemaker:ListModels"))
    with working_alone(Path("to")):
        done = night(monkeypatch, "2026-11-25")
    assert done.code == 2
    assert re.search(r"--to to: process \d+ on \S+, since \S+, is exporting there; wait for its end", done.err)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--today", "tomorrow"), "--today tomorrow: no day; give one such as 2026-11-25"),
        (("--format", "docx"), "--format docx: no format of exports"),
        (("--format", "sarf"), "did you mean sarif?"),
        (("--keep", "0"), "--keep"),
        (("--exceptions", "none.toml"), "none.toml"),
    ],
)
def test_wrong_options_are_told_and_leave_no_folder(words, said, place, monkeypatch):
    give(place, allow("Read", "sagemaker:ListModels"))
    done = night(monkeypatch, "2026-11-25", *words) if "--today" not in words else run(
        monkeypatch, "export", "exports", "--to", "to", *words
    )  # fmt: skip
    assert done.code == 2
    assert said in done.err
    assert not list(place.glob("to/2*"))


def test_exports_among_the_inputs_are_refused(place, monkeypatch):
    give(place, allow("Read", "sagemaker:ListModels"))
    done = run(monkeypatch, "export", "exports", "--to", "exports/nightly")
    assert done.code == 2
    assert "--to exports/nightly: lies within the input exports" in done.err
    assert not (place / "exports" / "nightly").exists()


def test_the_help_names_every_format(monkeypatch):
    text = " ".join(run(monkeypatch, "export", "--help").text.split())
    assert DOCUMENTED.search(text)[1].split(", ") == list(FORMATS)


def test_the_whole_sample_in_every_format_is_one_folder(sample_lake, tmp_path, monkeypatch):
    to = tmp_path / "to"
    done = run(monkeypatch, "export", "--to", str(to), "--lake", str(sample_lake), "--today", "2026-11-25")
    assert done.code == 3, done.err
    names = {path.name for path in (to / "latest").iterdir()}
    assert names >= {
        "manifest.json", "summary.json", "summary.md", "findings.sarif", "findings.ocsf.jsonl", "findings.junit.xml",
        "findings.xlsx", "findings.md", "asff", "report", "access.parquet", "access.csv", "access.jsonl",
    }  # fmt: skip
    assert (to / "latest" / "report" / "index.html").is_file()
    assert "report.pdf" not in names
    log = json.loads((to / "latest" / "findings.sarif").read_text())
    places = [result["locations"][0].get("physicalLocation", {}) for result in log["runs"][0]["results"]]
    lines = {(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places if "region" in place}
    assert lines
    for file, line in lines:
        text = (SAMPLE / file).read_text().splitlines()[line - 1]
        assert text.lstrip().startswith(("{", '"')), (file, line)


PRINTS_TIME = """#!{}
import sys
for argument in sys.argv:
    if argument.startswith("--print-to-pdf="):
        open(argument.partition("=")[2], "wb").write(b"%PDF-1.4 /CreationDate (D:20261126031634+00) end")
"""


def test_a_pdf_is_written_where_it_is_asked_for_and_printed_before_anything_is_built(place, monkeypatch, tmp_path):
    give(place, allow("Read", "sagemaker:ListModels"))
    printed = tmp_path / "browser"
    printed.write_text(PRINTS_TIME.format(sys.executable))
    printed.chmod(0o755)
    monkeypatch.setenv("POLICYLAKE_BROWSER", str(printed))
    assert run(monkeypatch, "export", "exports", "--to", "to", "--format", "md,pdf").code == 0
    assert re.fullmatch(rb"%PDF-1.4  +end", (place / "to" / "latest" / "report.pdf").read_bytes())
    assert (place / "to" / "latest" / "findings.md").is_file()
    monkeypatch.setenv("POLICYLAKE_BROWSER", str(tmp_path / "none"))
    done = run(monkeypatch, "export", "exports", "--to", "other", "--lake", "new-lake", "--format", "pdf")
    assert (done.code, "no such program" in done.err) == (2, True)
    assert not (place / "other").exists()
    assert not (place / "new-lake").exists()


SCHEDULE = SAMPLE.parents[1] / "schedule"
#: A command of the files that lie ready, up to the end of the line or of the list.
READY = re.compile(r'policylake export ([^|>&;\n]*)|CMD \["export", ([^\]]*)\]')


def ready_commands():
    for path in sorted(SCHEDULE.iterdir()):
        for words, listed in READY.findall(path.read_text()):
            yield path.name, (words or listed.replace('"', "").replace(",", "")).split()


def test_every_ready_file_runs_the_export():
    assert {name for name, _ in ready_commands()} == {
        "policylake.cron", "policylake.service", "Containerfile", "github-export.yml",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "words"), list(ready_commands()), ids=lambda value: str(value)[:20])
def test_a_command_that_lies_ready_runs(name, words, place, monkeypatch):
    give(place, allow("Read", "sagemaker:ListModels"))
    (source,) = [word for word in words if word.strip("/") in ("inputs", "exports")][:1]
    given = ["exports" if word == source else word for word in words]
    to = given.index("--to") + 1
    given[to] = "published"
    done = run(monkeypatch, "export", *given, "--format", "md")
    assert (done.code, (place / "published" / "latest" / "findings.md").is_file()) == (0, True), done.err


def broken_control(place, *, is_broken):
    """An own control with a finding a user, which cannot be read where it is broken."""
    own = (Path(__file__).parents[1] / "sql" / "controls" / "unknown-action.sql").read_text()
    head = own[: own.index("*/")].replace('id = "unknown-action"', 'id = "own"')
    head = head.replace('severity = "', 'severity = "dire ') if is_broken else head
    body = "*/\nselect 'principal' as subject_kind, principal_arn, 'is there' as message from principals\n"
    (place / "mine").mkdir(exist_ok=True)
    (place / "mine" / "own.sql").write_text(head + body)


def test_what_a_control_found_that_did_not_run_is_neither_gone_nor_new_when_it_runs_again(place, monkeypatch):
    given = ("--controls", "mine", "--format", "md,sarif,asff,ocsf,junit,xlsx", "--set", "own.days=3")
    give(place, allow("Read", "sagemaker:ListModels"))
    broken_control(place, is_broken=False)
    assert night(monkeypatch, "2026-11-25", *given[:-2]).code == 0
    (own,) = [row for row in summary_rows(place) if row["control_id"] == "own"]
    broken_control(place, is_broken=True)
    done = night(monkeypatch, "2026-11-26", *given)
    assert (done.code, done.text) == (2, "to/2026-11-26\n")
    assert "mine/own.sql:4: The control own did not run: severity dire" in done.err
    told, folder = summary(place), place / "to" / "latest"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert told["not_run"] == manifest["not_run"]
    assert [one["control"] for one in told["not_run"]] == ["own"]
    assert (told["findings"]["gone"], told["findings"]["not_checked"], manifest["exit_status"]) == (0, 1, 2)
    assert [one["control_id"] for one in told["new"]] == ["control-not-run"]
    assert "own" not in manifest["controls"]
    assert "1 control did not run" in (folder / "summary.md").read_text()
    rows = {row["control_id"]: row for row in summary_rows(place)}
    assert (rows["own"]["status"], rows["own"]["finding_id"]) == ("not_checked", own["finding_id"])
    assert rows["control-not-run"]["status"] == "open"
    run_of_sarif = json.loads((folder / "findings.sarif").read_text())["runs"][0]
    assert run_of_sarif["invocations"][0]["executionSuccessful"] is False
    (result,) = [one for one in run_of_sarif["results"] if one["ruleId"] == "own"]
    assert (result["kind"], result["level"], result["baselineState"]) == ("open", "none", "unchanged")
    events = [json.loads(line) for line in (folder / "findings.ocsf.jsonl").read_text().splitlines()]
    (event,) = [one for one in events if one["metadata"]["event_code"] == "own"]
    assert (event["activity_name"], event["compliance"]["status"]) == ("Update", "Unknown")
    asff = json.loads((folder / "asff" / ACCOUNT / "0001.json").read_text())
    (one,) = [one for one in asff if one["GeneratorId"] == "policylake/own"]
    assert (one["RecordState"], one["Compliance"]["Status"]) == ("ACTIVE", "NOT_AVAILABLE")
    junit = (folder / "findings.junit.xml").read_text()
    assert 'errors="1"' in junit
    assert "not checked: its control did not run" in junit
    book = openpyxl.load_workbook(folder / "findings.xlsx")
    (line,) = [row for row in book["controls"].iter_rows(values_only=True) if row[0] == "own"]
    assert line[4:8] == (False, 0, 0, 1)
    broken_control(place, is_broken=False)
    assert night(monkeypatch, "2026-11-27", *given[:-2]).code == 0
    told = summary(place)
    assert (told["new"], told["not_run"]) == ([], [])
    assert [one["control_id"] for one in told["gone"]] == ["control-not-run"]
    (again,) = [row for row in summary_rows(place) if row["control_id"] == "own"]
    assert (again["status"], again["is_new"], again["first_seen"]) == ("open", False, "2026-11-25")
    (place / "mine" / "own.sql").unlink()
    assert night(monkeypatch, "2026-11-28", *given[2:-2]).code == 0
    events = [json.loads(line) for line in (place / "to/latest/findings.ocsf.jsonl").read_text().splitlines()]
    (event,) = [one for one in events if one["metadata"]["event_code"] == "own"]
    assert (event["activity_name"], event["compliance"]["status"]) == ("Close", "Unknown")


def test_findings_of_an_input_that_cannot_be_read_one_night_are_neither_gone_nor_new_the_next(place, monkeypatch):
    loose = place / "exports" / "loose.json"
    loose.write_text(json.dumps({"Version": "2012-10-17", "Statement": [allow("Typo", "sagemaker:CreateTags")]}))
    give(place, allow("Everything", "sagemaker:*"))
    assert night(monkeypatch, "2026-11-25").code == 0
    first = {row["finding_id"] for row in summary_rows(place) if row["file"] == f"exports/{ACCOUNT}.json"}
    whole = (place / "exports" / f"{ACCOUNT}.json").read_text()
    (place / "exports" / f"{ACCOUNT}.json").write_text(whole[:100])
    loose.unlink()
    assert night(monkeypatch, "2026-11-26").code == 3
    told = summary(place)
    assert {one["control_id"] for one in told["gone"]} == {"unknown-action"}
    kept = {row["finding_id"] for row in summary_rows(place) if row["status"] == "not_checked"}
    assert kept == first != set()
    (place / "exports" / f"{ACCOUNT}.json").write_text(whole)
    assert night(monkeypatch, "2026-11-27").code == 0
    assert (summary(place)["new"], summary(place)["findings"]["not_checked"]) == ([], 0)


def summary_rows(place):
    return pq.read_table(place / "to" / "latest" / "findings.parquet").to_pylist()


def test_the_report_is_written_without_a_control_that_cannot_be_read(place, monkeypatch):
    give(place, allow("Read", "sagemaker:ListModels"))
    broken_control(place, is_broken=True)
    assert run(monkeypatch, "build", "exports").code == 0
    done = run(monkeypatch, "report", "--controls", "mine", "--format", "md", "--out", "report.md")
    assert done.code == 2
    assert "mine/own.sql:4: The control own did not run" in done.err
    assert "The control own did not run" in (place / "report.md").read_text()
