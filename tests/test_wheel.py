"""The installed wheel works outside the checkout: SQL, templates and the reference are inside it."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from ingest_inputs import document, export, inline, user, write

ROOT = Path(__file__).resolve().parents[1]
SOME_REJECTED = 3


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel with the tools that the lock names, without a network."""
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", "--wheel-dir", out, ROOT], check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel, tmp_path_factory):
    """Install the wheel into a new environment that sees our dependencies, but not the checkout."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place / "env", with_pip=False, symlinks=True)
    (packages,) = (place / "env" / "lib").glob("*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = place / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run(
        [*pip, "--disable-pip-version-check", "--ignore-installed", wheel], check=True, capture_output=True, cwd=place
    )
    return place / "env" / "bin" / "policylake"


def run(command, folder, *arguments, code=0):
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "POLICYLAKE_LAKE")}
    done = subprocess.run([command, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done


def test_the_wheel_holds_sql_templates_and_the_reference_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "sql/relations.toml", "sql/macros.sql", "sql/controls/unused-role.sql", "sql/controls/unused-role.toml",
        "sql/frameworks.toml", "scenarios.toml", "reference/data/reference_actions.parquet",
    ):  # fmt: skip
        assert f"pipeline/{name}" in names, name
    assert {Path(name).parts[0].split("-")[0] for name in names} == {"pipeline", "policylake"}


def test_the_installed_package_is_not_the_checkout(command, tmp_path):
    code = "import pipeline; print(pipeline.__file__)"
    place = run(command.with_name("python"), tmp_path, "-c", code).stdout.strip()
    assert Path(place).is_relative_to(command.parents[1])


def test_the_installed_command_shows_the_tables(command, tmp_path):
    assert "access_matrix" in run(command, tmp_path, "tables").stdout


def test_the_installed_command_builds_and_answers(command, tmp_path):
    write(tmp_path, "in/a.json", export([user(UserPolicyList=[inline("p", document("sagemaker:CreateModel"))])]))
    run(command, tmp_path, "build", "in", "--lake", "lake")
    said = run(command, tmp_path, "sql", "select action from access order by all", "--format", "csv")
    assert said.stdout.split() == ["action", "sagemaker:CreateModel"]
    assert "ana" in run(command, tmp_path, "who-can", "sagemaker:CreateModel", "--format", "csv").stdout
    office = run(
        command, tmp_path, "who-can", "sagemaker:CreateModel", "--scenario", "office-network", "--format", "csv"
    )
    assert "ana" in office.stdout
    run(command, tmp_path, "report", "--out", "report")
    assert "<html" in (tmp_path / "report" / "index.html").read_text().lower()


def test_the_installed_command_tells_of_rejects(command, tmp_path):
    write(tmp_path, "in/a.json", '{"Version": "2012-10-17", "Statement": [')
    done = run(command, tmp_path, "build", "in", "--lake", "lake", code=SOME_REJECTED)
    assert "in/a.json:1:" in done.stderr
