"""The examples of the README and the guide run: commands, SQL and Python, on the lake of the sample organization."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_run import run

from pipeline.lake import open_lake

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "README.md", "docs/guide.md", "docs/diff.md", "docs/large-organizations.md", "docs/exports.md", "docs/checking.md",
)  # fmt: skip
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: The sample holds a malformed file.
SOME_REJECTED = 3


def blocks(language):
    """The examples in a language, one at a time: (page, text)."""
    for page in PAGES:
        for kind, text in FENCED.findall((ROOT / page).read_text()):
            if kind == language:
                yield page, text


def commands():
    return [(page, line) for page, text in blocks("sh") for line in text.splitlines() if line]


@pytest.fixture(scope="module")
def place(sample_lake, tmp_path_factory):
    """A folder with the lake and some exports, as the guide has them."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copytree(sample_lake, folder / "lake")
    shutil.copytree(ROOT / "samples" / "organization" / "policies", folder / "exports")
    return folder


def shell(text, folder):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-o", "pipefail", "-c", text]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(("page", "command"), commands(), ids=lambda value: value[:60])
def test_a_command_of_the_docs_runs_and_says_something(page, command, place, monkeypatch):
    monkeypatch.delenv("POLICYLAKE_LAKE", raising=False)
    monkeypatch.chdir(place)
    if "|" in command:
        done = shell(command, place)
        assert (done.returncode, done.stdout != "") == (0, True), done.stderr
        return
    program, *words = shlex.split(command)
    assert program == "policylake"
    is_build = words[0] == "build"
    may_reject = words[0] in ("build", "export", "check", "diff")
    done = run(monkeypatch, *words, *(["--lake", "built"] if is_build else []))
    assert done.code in ((0, SOME_REJECTED) if may_reject else (0,)), done.err
    assert is_build or "--out" in words or done.text.count("\n") >= 1


@pytest.mark.parametrize(("page", "sql"), list(blocks("sql")), ids=lambda value: value[:40].strip())
def test_a_query_of_the_docs_has_rows(page, sql, place):
    assert open_lake(place / "lake").query(sql).num_rows > 0


def test_the_programs_of_the_docs_run(place, monkeypatch):
    monkeypatch.chdir(place)
    assert run(monkeypatch, "sql", "from access order by all", "--out", "access.parquet").code == 0
    programs = [text for _, text in blocks("python")]
    assert len(programs) == 3
    for program in programs:
        done = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_links_of_the_docs_lead_somewhere():
    for page in ("README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))):
        text = (ROOT / page).read_text()
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert link.startswith("https:") or ((ROOT / page).parent / link).exists(), (page, link)


def test_files_that_the_docs_name_are_there():
    named = {
        (page.name, name)
        for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for name in re.findall(r"`((?:pipeline|sql|reports|tests|scripts|bench)/[\w/.-]+)`", page.read_text())
    }
    assert len(named) > 40
    assert [one for one in sorted(named) if not (ROOT / one[1]).exists()] == []


def test_the_way_of_one_statement_is_as_the_docs_tell_it(place):
    (row,) = (
        open_lake(place / "lake")
        .query("""
        select policy_id, effect, condition_count from statements where sid = 'StopThings'
    """)
        .to_pylist()
    )
    told = (
        open_lake(place / "lake")
        .query(
            """
        select distinct
            access.principal_arn, access.verdict, access.condition,
            (select sum(matched_action_count)::int from actions where statement_id = $policy || '#0') as matched,
        from access where list_contains(granted_by, $policy || '#0')
        """,
            {"policy": row["policy_id"]},
        )
        .to_pylist()
    )
    (one,) = told
    text = " ".join((ROOT / "docs" / "architecture.md").read_text().split())
    assert one["principal_arn"].endswith(":222233334444:role/incident-responder")
    assert (one["verdict"], one["condition"] in text, f"patterns match: {one['matched']}." in text) == (
        "conditional",
        True,
        True,
    )


def test_the_readme_names_every_command(monkeypatch):
    text = (ROOT / "README.md").read_text()
    names = re.findall(r"^  ([a-z][a-z-]+)  ", run(monkeypatch, "--help").text, re.MULTILINE)
    assert {"build", "who-can", "sql"} <= set(names)
    for name in names:
        assert f"`{name}" in text, name


def test_the_makefile_names_every_target_in_its_help():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in ("help", "setup", "report", "test", "check", "bench", "export", "clean", "docs", "reference", "lock"):
        assert f"make {name} " in said, name


def made(folder, given):
    """What ``make report`` runs, an argument in brackets each; nothing is built."""
    command = ["make", "-s", "-C", str(ROOT), "-o", "setup", "report", "POLICYLAKE=printf '<%s>'", f"INPUT={given}"]
    command += [f"LAKE={folder}/a lake", f"OUT={folder}/an out"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_make_report_takes_a_folder_with_a_space_and_several_folders(tmp_path):
    for name in ("own ex", "one", "two"):
        (tmp_path / name).mkdir()
    one, two, spaced = f"{tmp_path}/one", f"{tmp_path}/two", f"{tmp_path}/own ex"
    assert made(tmp_path, spaced).startswith(f"<build><{spaced}><--lake><{tmp_path}/a lake>")
    assert made(tmp_path, f"{one} {two}").startswith(f"<build><{one}><{two}><--lake>")
    assert f"<report><--lake><{tmp_path}/a lake><--out><{tmp_path}/an out>" in made(tmp_path, one)


def test_the_folders_of_the_readme_are_ignored_by_git():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    (example,) = re.findall(r"^make report (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    for setting in example.split():
        assert f"/{setting.partition('=')[2]}/" in ignored


#: Answers as the AWS CLI would, from an organization.json.
FAKE_AWS = """#!{python}
import json, sys
held = json.load(open({organization!r}))
operation, given = sys.argv[2], dict(zip(sys.argv[3::2], sys.argv[4::2]))
def children(kind):
    return [{{k: v for k, v in item.items() if k != "ParentId"}} for item in held[kind]
            if item["ParentId"] == given["--parent-id"]]
def policy():
    return next(p for p in held["Policies"] if p["PolicySummary"]["Id"] == given["--policy-id"])
answers = {{
    "describe-organization": lambda: {{"Organization": held["Organization"]}},
    "list-roots": lambda: {{"Roots": held["Roots"]}},
    "list-accounts-for-parent": lambda: {{"Accounts": children("Accounts")}},
    "list-organizational-units-for-parent": lambda: {{"OrganizationalUnits": children("OrganizationalUnits")}},
    "list-policies": lambda: {{"Policies": [p["PolicySummary"] for p in held["Policies"]
                                           if p["PolicySummary"]["Type"] == given["--filter"]]}},
    "describe-policy": lambda: {{"Policy": {{k: v for k, v in policy().items() if k != "Targets"}}}},
    "list-targets-for-policy": lambda: {{"Targets": policy()["Targets"]}},
}}
json.dump(answers[operation](), sys.stdout)
"""


def unordered(organization):
    return {
        name: sorted(json.dumps(item, sort_keys=True) for item in held) if isinstance(held, list) else held
        for name, held in organization.items()
    }


def test_the_script_of_the_guide_exports_an_organization_as_it_is(tmp_path):
    sample = ROOT / "samples" / "organization" / "organization.json"
    fake = tmp_path / "aws"
    fake.write_text(FAKE_AWS.format(python=sys.executable, organization=str(sample)))
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    script = [sys.executable, str(ROOT / "scripts" / "export_organization.py")]
    done = subprocess.run(script, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert unordered(json.loads(done.stdout)) == unordered(json.loads(sample.read_text()))


def test_the_script_of_the_guide_says_what_failed(tmp_path):
    (tmp_path / "aws").write_text("#!/bin/sh\necho AccessDenied >&2\nexit 254\n")
    (tmp_path / "aws").chmod(0o755)
    script = [sys.executable, str(ROOT / "scripts" / "export_organization.py")]
    done = subprocess.run(script, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "aws organizations list-roots: AccessDenied; use credentials that may read the organization\n"
