"""How a build tells where it stands: one line on a terminal, nothing elsewhere unless asked, a table of the stages."""

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_run import run
from conftest import SAMPLE

from pipeline.build import build_lake
from pipeline.cli.progress import table_of
from pipeline.progress import SHARES, Step, TimeLeft
from pipeline.timings import Spent, Stopwatch

ONE = str(SAMPLE / "policies" / "01-basic-models.json")
POLICYLAKE = str(Path(sys.executable).with_name("policylake"))


def build_on_a_terminal(lake, *options):
    """Build with a terminal for standard error; return the exit code and what the terminal was sent."""
    ours, theirs = pty.openpty()
    command = [POLICYLAKE, "build", ONE, "--lake", str(lake), *options]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    said = b""
    while chunk := _read(ours):
        said += chunk
    os.close(ours)
    assert process.stdout.read() == b""
    return process.wait(), said.decode()


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side was closed
        return b""


def test_a_terminal_shows_the_stage_on_one_line_that_is_gone_at_the_end(tmp_path):
    code, said = build_on_a_terminal(tmp_path / "lake")
    assert code == 0
    assert "writing" in said
    assert re.search(r"\d+ of \d+ relations", said)
    kept = said.rsplit("\x1b[2K", 1)[-1]
    assert "writing" not in kept
    assert "snapshot" in kept


def test_quiet_says_nothing_to_a_terminal(tmp_path):
    assert build_on_a_terminal(tmp_path / "lake", "--quiet") == (0, "")


def test_where_there_is_no_terminal_stages_are_told_only_if_asked(tmp_path, monkeypatch):
    quiet = run(monkeypatch, "build", ONE, "--lake", str(tmp_path / "lake"))
    assert [": warning: " in line or "snapshot" in line for line in quiet.err.splitlines()] == [True, True]
    told = run(monkeypatch, "build", ONE, "--lake", str(tmp_path / "lake"), "--verbose")
    lines = told.err.splitlines()
    assert lines[0] == "reading"
    assert lines[-4:-2] == ["writing", "publishing"]
    assert len(set(lines)) == len(lines)


def test_steps_count_up_to_the_end_of_their_stage(tmp_path):
    steps = []
    build_lake([SAMPLE], tmp_path / "lake", progress=steps.append)
    for stage in ("reading", "evaluating"):
        counted = [(step.done, step.of) for step in steps if step.stage == stage]
        assert counted == sorted(counted)
        assert counted[0][0] == 0
        assert counted[-1][0] == counted[-1][1] > 0


def test_timings_are_a_table_with_a_line_for_each_stage_and_the_whole(tmp_path, monkeypatch):
    done = run(monkeypatch, "build", ONE, "--lake", str(tmp_path / "lake"), "--quiet", "--timings")
    head, *rows = done.err.splitlines()
    assert head.split("  ")[0].strip() == "stage"
    figures = {row.rsplit(maxsplit=3)[0]: [float(text) for text in row.rsplit(maxsplit=3)[1:]] for row in rows}
    assert next(iter(figures)) == "reading"
    assert list(figures)[-1] == "total"
    walls = [wall for name, (wall, _, _) in figures.items() if name != "total"]
    assert abs(sum(walls) - figures["total"][0]) < 0.01 * len(figures)
    assert all(peak > 20 for _, _, peak in figures.values())


def test_a_stage_has_the_time_of_the_processes_that_it_started():
    watch = Stopwatch()
    watch(Step("working"))
    busy = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    subprocess.run([sys.executable, "-c", busy], check=True)
    watch(Step("waiting"))
    time.sleep(0.3)
    working, waiting = watch.stop()
    assert (working.stage, waiting.stage) == ("working", "waiting")
    assert working.processor > 0.45
    assert waiting.processor < 0.2
    assert waiting.wall > 0.29


def test_a_process_that_still_runs_counts_and_so_does_its_memory():
    hold = "import sys\nheld = bytearray(300_000_000)\nprint('held', flush=True)\nsys.stdin.read()"
    watch = Stopwatch()
    watch(Step("before"))
    watch(Step("holding"))
    process = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    watch(Step("after"))
    process.communicate()
    before, holding, _ = watch.stop()
    assert holding.peak - before.peak > 250_000_000
    assert holding.processor > 0.01


def test_a_stage_that_comes_again_is_one_line():
    watch = Stopwatch()
    for stage in ("a", "b", "a"):
        watch(Step(stage))
    assert [spent.stage for spent in watch.stop()] == ["a", "b"]


def test_the_whole_has_the_sums_and_the_highest_peak():
    *_, last = table_of([Spent("a", 1.0, 2.0, 3 * 2**20), Spent("b", 0.5, 0.25, 2 * 2**20)])
    assert last.split() == ["total", "1.50", "2.25", "3"]


def left_after(*steps):
    """What is said to be left after steps, each with the second in which it comes."""
    now = [0.0]
    time_left = TimeLeft(lambda: now[0])
    said = []
    for second, *step in steps:
        now[0] = second
        said.append(time_left(Step(*step)))
    return said


def test_the_time_left_is_that_of_the_whole_build_and_not_of_the_stage():
    before, half, groups, last = left_after(
        (0, "reading", 0, 100),
        (SHARES["reading"] / 2, "reading", 50, 100),
        (SHARES["reading"] + SHARES["joining accounts"], "evaluating", 0, 10),
        (99, "evaluating", 10, 10),
    )
    assert before is None
    assert half == pytest.approx(100 - SHARES["reading"] / 2)
    assert groups == pytest.approx(80)
    assert last == pytest.approx(1)


def test_what_the_cache_had_does_not_count_as_work_done():
    *_, begun, half = left_after(
        (0, "reading", 90, 100),
        (2, "reading", 100, 100),
        (3, "evaluating", 9, 10),
        (3 + SHARES["evaluating"] / 20, "evaluating", 9, 10),
    )
    assert begun == pytest.approx(3 * (SHARES["evaluating"] / 10 + 1) / (SHARES["reading"] / 10 + 1))
    assert half > begun


def test_one_account_group_tells_its_own_stages():
    *_, deciding, publishing = left_after(
        (0, "reading", 0, 1), (20, "matching statements"), (44, "deciding", 0, 8), (100, "publishing")
    )
    assert deciding == pytest.approx(56)
    assert publishing is None
