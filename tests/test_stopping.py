"""Ctrl-C and requests to end, sent to real builds at several moments: soon over, nothing half done, no traceback."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import SAMPLE
from test_lake import names, publish, tree

from bench.generate import generate
from pipeline.lake import open_lake

POLICYLAKE = str(Path(sys.executable).with_name("policylake"))
#: Builds, and is sent a signal from within at a step of a stage.
AT_A_STEP = """
import os
from contextlib import contextmanager
from pipeline.cli import build, main
stage, number = os.environ["STAGE"], int(os.environ["NUMBER"])
kept = build.shown
@contextmanager
def shown(**options):
    with kept(**options) as show:
        def tell(step):
            if step.stage == stage and (step.done or not step.of):
                os.kill(os.getpid(), number)
            show(step)
        yield tell
build.shown = shown
if __name__ == "__main__":
    main()
"""
#: Asks DuckDB for more than it can do today.
LONG_QUERY = """
import sys
from pipeline.cli import build, main
import pipeline.account_groups
def evaluate(connection, *rest):
    print("asked", file=sys.stderr, flush=True)
    connection.execute("select count(*) from range(100000000) a(i), range(100000000) b(j) where hash(i + j) = 1")
pipeline.account_groups.evaluate = evaluate
if __name__ == "__main__":
    main()
"""
STAGES = ["reading", "joining accounts", "evaluating", "writing", "publishing"]


@pytest.fixture
def lake(tmp_path):
    publish(tmp_path / "lake", 1)
    return tmp_path / "lake"


def started(tmp_path, program, lake, processes=2, **environment):
    script = tmp_path / "program.py"
    script.write_text(program)
    command = [sys.executable, str(script), "build", str(SAMPLE), "--lake", str(lake), "--processes", str(processes)]
    return begun(command, env={**os.environ, **environment})


def begun(command, ignores=None, **options):
    """Begin a command as a shell would: it hears Ctrl-C even if whoever runs the tests does not."""

    def dispose():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if ignores:
            signal.signal(ignores, signal.SIG_IGN)

    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=dispose, **options
    )


def assert_as_it_was(lake, before):
    assert tree(lake) == before
    assert names(lake / "snapshots") == [open_lake(lake).snapshot_id]


@pytest.mark.parametrize(
    ("sent", "stage"),
    [*((signal.SIGINT, stage) for stage in STAGES), (signal.SIGTERM, "evaluating"), (signal.SIGTERM, "writing")],
)
def test_a_build_that_is_asked_to_end_leaves_the_lake_as_it_was(sent, stage, tmp_path, lake):
    before = tree(lake)
    process = started(tmp_path, AT_A_STEP, lake, STAGE=stage, NUMBER=str(int(sent)))
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + sent
    assert said == ""
    assert_as_it_was(lake, before)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_query_that_runs_long_is_ended_soon(sent, tmp_path, lake):
    before = tree(lake)
    process = started(tmp_path, LONG_QUERY, lake, processes=1)
    assert process.stderr.readline() == "asked\n"
    time.sleep(0.5)
    asked = time.monotonic()
    process.send_signal(sent)
    said = process.communicate(timeout=60)[1]
    assert time.monotonic() - asked < 10
    assert (process.returncode, said) == (128 + sent, "")
    assert_as_it_was(lake, before)


def test_a_terminal_sends_it_to_the_workers_as_well(tmp_path, lake):
    generate(tmp_path / "in", accounts=6, principals=400, seed=3)
    before = tree(lake)
    command = [POLICYLAKE, "build", str(tmp_path / "in"), "--lake", str(lake), "--processes", "2", "--verbose"]
    process = begun(command)
    while process.stderr.readline().strip() != "evaluating":
        pass
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    assert (process.communicate(timeout=60)[1], process.returncode) == ("", 130)
    assert_as_it_was(lake, before)


def test_a_build_that_was_told_to_ignore_a_signal_does(tmp_path, lake):
    command = [POLICYLAKE, "build", str(SAMPLE / "policies"), "--lake", str(lake), "--verbose"]
    process = begun(command, ignores=signal.SIGHUP)
    assert process.stderr.readline() == "reading\n"
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode in (0, 3)


def test_what_a_killed_build_left_goes_with_the_next(tmp_path, lake, monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    process = started(tmp_path, LONG_QUERY, lake, processes=1)
    assert process.stderr.readline() == "asked\n"
    process.kill()
    process.communicate()
    left = [name.split("-")[0] for name in names(lake / "snapshots") if name[0] == "."]
    assert left == [".building", ".spill"]
    publish(lake, 2)
    assert not [name for name in names(lake / "snapshots") if name[0] == "."]


def test_a_folder_named_by_tmpdir_takes_what_is_spilled_and_is_tidied(tmp_path, lake, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    process = started(tmp_path, LONG_QUERY, lake, processes=1)
    assert process.stderr.readline() == "asked\n"
    (spill,) = elsewhere.glob("policylake-spill-*")
    assert not [name for name in names(lake / "snapshots") if name.startswith(".spill")]
    process.kill()
    process.communicate()
    assert spill.exists()
    done = subprocess.run(
        [POLICYLAKE, "build", str(SAMPLE / "policies"), "--lake", str(lake)], capture_output=True, text=True
    )
    assert done.returncode in (0, 3), done.stderr
    assert not list(elsewhere.glob("policylake-*"))
    shutil.rmtree(elsewhere)
