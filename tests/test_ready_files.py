"""The container file and the workflows that lie ready: what they name is there, and their scripts hand on what runs."""

import json
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml
from cli_run import run

ROOT = Path(__file__).resolve().parents[1]
CHECK = ROOT / ".github" / "workflows" / "check.yml"
EXPORT = ROOT / "schedule" / "github-export.yml"
CONTAINER = ROOT / "schedule" / "Containerfile"
#: Writes down how it was called, one argument a line, a line of its own after each call.
RECORDER = '#!/bin/sh\nprintf "%s\\n" "$@" -- >> calls\n'
LOCK = re.compile(r"^(?:#|\s|[\w.\[\]-]+==\S+)")


def workflow(path):
    """Return a workflow and its steps; YAML takes the key ``on`` for true."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    (job,) = found["jobs"].values()
    return found[True], job, {step.get("name") or step["uses"]: step for step in job["steps"]}


def scripted(folder, script, program, recorder=RECORDER, **variables):
    """Run a script as GitHub does, with a program that writes down its calls; return these, and the exit code."""
    place = folder / program
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(recorder)
    place.chmod(0o755)
    shell = shutil.which("bash")
    given = {"PATH": f"{place.parent}:/usr/bin:/bin", **variables}
    done = subprocess.run(
        [shell, "-e", "-c", script], cwd=folder, env=given, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    calls = (folder / "calls").read_text().split("--\n") if (folder / "calls").exists() else []
    return [call.splitlines() for call in calls if call], done.returncode


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash to run the scripts of the workflows with")
def test_the_workflow_of_checks_hands_on_what_check_takes(monkeypatch, tmp_path):
    triggers, job, steps = workflow(CHECK)
    inputs = triggers["workflow_call"]["inputs"]
    assert {name.upper().replace("-", "_") for name in inputs} - {"SARIF"} == job["env"].keys()
    given = {"INPUTS": "policies other.json", "FAIL_ON": inputs["fail-on"]["default"], "CONTROLS": "own"}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}]}
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "controls", "new", "team-own", "--controls", "own").code == 0
    Path("policies").mkdir()
    for path in ("policies/a.json", "other.json"):
        Path(path).write_text(json.dumps(document))
    Path("accepted.toml").write_text("")
    script = steps["Check"]["run"]
    calls, code = scripted(tmp_path, script, "bin/policylake", EXCEPTIONS="accepted.toml", **given)
    assert (len(calls), code) == (2, 0)
    chosen = ("--only", "service-wide-grant")
    sarif, marks = (run(monkeypatch, *call, *chosen) for call in calls)
    assert (sarif.code, marks.code, "file=policies/a.json" in marks.text) == (0, 1, True), marks.err
    assert json.loads(Path(steps["Hand the findings to code scanning"]["with"]["sarif_file"]).read_text())["runs"]
    Path("calls").unlink()
    plain, _ = scripted(tmp_path, script, "bin/policylake", **{**given, "CONTROLS": "", "EXCEPTIONS": ""})
    assert plain[1] == ["check", "policies", "other.json", "--fail-on", "high", "--format", "github"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash to run the scripts of the workflows with")
def test_the_workflow_of_the_export_hands_on_what_the_export_wrote(tmp_path):
    """That its command runs, and what it writes, test_export_command.py has."""
    _, _, steps = workflow(EXPORT)
    made = "mkdir -p nightly/2026-11-26 && cd nightly && touch 2026-11-26/findings.sarif 2026-11-26/summary.md"
    recorder = f"{RECORDER}{made}\nln -s 2026-11-26 latest\nexit 3\n"
    program = ".venv-policylake/bin/policylake"
    calls, code = scripted(tmp_path, steps["Export"]["run"], program, recorder, GITHUB_STEP_SUMMARY="summary.md")
    assert (calls[0][:2], code) == (["export", "exports"], 0)
    kept = steps["actions/upload-artifact@v4"]["with"]["path"]
    assert (tmp_path / steps["github/codeql-action/upload-sarif@v3"]["with"]["sarif_file"]).is_file()
    assert (tmp_path / kept / "summary.md").is_file()
    cached = steps["actions/cache@v4"]["with"]["path"].split()
    assert {calls[0][calls[0].index(option) + 1] for option in ("--lake", "--to")} == {*cached}


def test_what_is_installed_is_there():
    text = CONTAINER.read_text(encoding="utf-8") + EXPORT.read_text(encoding="utf-8")
    locks = re.findall(r"--requirement (?:\.policylake/)?(\S+)", text)
    assert locks == ["requirements-runtime.lock"] * 2
    lines = (ROOT / locks[0]).read_text(encoding="utf-8").splitlines()
    assert all(LOCK.match(line) for line in lines if line)
    assert sum("--hash=sha256:" in line for line in lines) >= sum("==" in line for line in lines) > 0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"].keys() == {"policylake"}
    python = tuple(map(int, re.findall(r"python:(\d+)\.(\d+)-slim", text)[0]))
    assert python >= tuple(map(int, re.findall(r"\d+", project["requires-python"])[:2]))


def test_the_lock_of_the_container_has_all_that_the_program_imports():
    locked = [
        dict(
            re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        )
        for name in ("requirements-runtime.lock", "requirements.lock")
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.match(r"[\w.-]+", dependency).group() for dependency in project["dependencies"]}
    for name in list(needed):
        # What the dependencies need themselves, one level down: the locks are made of the same resolution.
        for told in requires(name) or ():
            needed |= {re.match(r"[\w.-]+", told).group()} if ";" not in told else set()
    runtime, every = locked
    assert {name.lower() for name in needed} - runtime.keys() == set()
    assert runtime.items() <= every.items()


def test_the_container_runs_what_it_made():
    steps = [
        line.split(maxsplit=1) for line in CONTAINER.read_text(encoding="utf-8").splitlines() if line[:1].isupper()
    ]
    told = {word: rest for word, rest in steps if word in ("ENTRYPOINT", "CMD", "WORKDIR", "VOLUME", "USER")}
    assert json.loads(told["ENTRYPOINT"]) == ["policylake"]
    assert json.loads(told["CMD"])[0] == "export"
    # What it writes lies in the volume, which belongs to its user.
    assert told["WORKDIR"] == told["VOLUME"] == "/work"
    assert f"--uid {told['USER']} " in CONTAINER.read_text(encoding="utf-8")
    (copied,) = [rest.split()[-2:] for word, rest in steps if word == "COPY" and "--from=build" in rest]
    assert copied == ["/opt/policylake", "/opt/policylake"]
    assert [rest for word, rest in steps if word == "ENV" and f"PATH={copied[1]}/bin:" in rest]


@pytest.mark.parametrize("page", ["diff.md", "checking.md", "schedule.md"])
def test_the_workflows_in_the_documentation_are_yaml_and_name_inputs_that_there_are(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    inputs = workflow(CHECK)[0]["workflow_call"]["inputs"]
    for job in [job for block in blocks for job in block.get("jobs", {}).values()]:
        if "check.yml" in job.get("uses", ""):
            assert job["with"].keys() <= inputs.keys()
            assert {name for name, one in inputs.items() if one.get("required")} <= job["with"].keys()


def test_the_commands_in_the_documentation_of_workflows_take_their_options(monkeypatch):
    block = (ROOT / "docs" / "diff.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (command,) = [
        step["run"]
        for job in yaml.safe_load(block)["jobs"].values()
        for step in job["steps"]
        if step.get("run", "").startswith("policylake ")
    ]
    name, *words = command.split(">>")[0].split()[1:]
    taken = run(monkeypatch, name, "--help").text
    options = [word for word in words if word.startswith("--")]
    assert options
    assert all(option in taken for option in options)
