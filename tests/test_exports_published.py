"""Exports appear whole or not at all, one run at a time, and say exactly what changed since the one before."""

import json
import os
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from made_findings import CARDS, number, row, table

from pipeline.errors import PolicylakeError
from pipeline.export import publish
from pipeline.export.run import Options, write_export
from pipeline.lake import open_lake

FIRST = date(2026, 11, 25)
FORMATS = ("md", "ocsf")
#: Exports, and is killed while the report is written; prints when it got there.
KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from made_findings import CARDS, row, table
from pipeline.export.publish import working_alone
from pipeline.export.run import Options, write_export
from pipeline.lake import open_lake
def report(folder):
    folder.mkdir()
    (folder / "index.html").write_text("half")
    print(len(list(folder.parent.iterdir())), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
lake, to = open_lake(Path(sys.argv[1])), Path(sys.argv[2])
with working_alone(to):
    write_export(lake, table([row(1)]), CARDS, to, Options(("md", "html"), date(2026, 11, 26)), report=report)
"""


@pytest.fixture(scope="module")
def lake(sample_lake):
    return open_lake(sample_lake)


@pytest.fixture
def to(tmp_path):
    return tmp_path / "to"


def export(lake, to, rows, day=FIRST, keep=None, formats=FORMATS, **options):
    with publish.working_alone(to):
        return write_export(lake, table(rows), CARDS, to, Options(formats, day, keep, **options))


def names(to):
    return sorted(path.name for path in to.iterdir() if path.name != publish.LOCK)


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_the_same_lake_and_day_give_no_second_folder_and_the_same_bytes(lake, to, tmp_path):
    first = export(lake, to, [row(1)])
    before = tree(to)
    again = export(lake, to, [row(1)])
    assert (first.is_fresh, again.is_fresh, again.folder) == (True, False, first.folder)
    assert tree(to) == before
    assert tree(export(lake, tmp_path / "elsewhere", [row(1)]).folder) == tree(first.folder)
    assert names(to) == ["2026-11-25", "latest"]


def test_another_export_of_the_same_day_has_a_number_and_is_compared_with_the_first(lake, to):
    export(lake, to, [row(1)])
    second = export(lake, to, [row(1), row(2)])
    assert names(to) == ["2026-11-25", "2026-11-25-2", "latest"]
    assert os.readlink(to / "latest") == "2026-11-25-2"
    assert summary(second.folder)["previous"] == "2026-11-25"
    assert not export(lake, to, [row(1), row(2)]).is_fresh
    assert not export(lake, to, [row(1)]).is_fresh


def test_the_next_night_tells_what_is_new_gone_and_still_open(lake, to):
    export(lake, to, [row(1), row(2), row(3, status="accepted")])
    night = export(lake, to, [row(2), row(3, status="accepted"), row(4)], FIRST + timedelta(1))
    told = summary(night.folder)
    assert told["previous"] == "2026-11-25"
    assert [one["finding_id"] for one in told["new"]] == [number(4)]
    assert [one["finding_id"] for one in told["gone"]] == [number(1)]
    assert {name: told["findings"][name] for name in ("open", "accepted", "new", "gone", "still_open")} == {
        "open": 2, "accepted": 1, "new": 1, "gone": 1, "still_open": 1,
    }  # fmt: skip
    assert "1 new, 1 gone, 1 still open" in (night.folder / "summary.md").read_text()
    events = [json.loads(line) for line in (night.folder / "findings.ocsf.jsonl").read_text().splitlines()]
    assert [(event["finding_info"]["uid"], event["activity_name"]) for event in events] == [
        (number(2), "Update"), (number(3), "Update"), (number(4), "Create"), (number(1), "Close"),
    ]  # fmt: skip


def test_a_finding_keeps_the_day_that_it_was_first_seen(lake, to):
    for days in range(3):
        last = export(lake, to, [row(1), *([row(2)] if days else [])], FIRST + timedelta(days))
    rows = pq.read_table(last.folder / "findings.parquet").to_pylist()
    assert {one["finding_id"]: one["first_seen"] for one in rows} == {number(1): "2026-11-25", number(2): "2026-11-26"}


def test_keep_removes_the_oldest_and_nothing_else(lake, to):
    (to / "2026-01-01").mkdir(parents=True)
    (to / "2026-01-01" / "mine.txt").write_text("not an export")
    for days in range(4):
        done = export(lake, to, [row(1)], FIRST + timedelta(days), keep=2)
    assert done.removed == ("2026-11-26",)
    assert names(to) == ["2026-01-01", "2026-11-27", "2026-11-28", "latest"]


def test_an_export_of_an_earlier_day_does_not_become_the_latest(lake, to):
    export(lake, to, [row(1)], FIRST)
    earlier = export(lake, to, [row(1)], FIRST - timedelta(3), keep=1)
    assert os.readlink(to / "latest") == "2026-11-25"
    assert summary(earlier.folder)["previous"] is None


def test_an_export_of_a_day_between_two_others_is_compared_with_the_one_before_it(lake, to):
    export(lake, to, [row(1), row(2)], FIRST)
    export(lake, to, [row(4)], FIRST + timedelta(2))
    told = summary(export(lake, to, [row(2), row(3)], FIRST + timedelta(1)).folder)
    assert told["previous"] == FIRST.isoformat()
    assert [[one["finding_id"] for one in told[name]] for name in ("new", "gone")] == [[number(3)], [number(1)]]


def test_a_damaged_export_is_made_anew(lake, to):
    first = export(lake, to, [row(1)])
    before = tree(first.folder)
    (first.folder / "findings.md").write_text("changed")
    again = export(lake, to, [row(1)])
    assert again.is_fresh
    assert tree(again.folder) == before
    assert names(to) == ["2026-11-25", "latest"]


def test_a_run_that_is_killed_leaves_the_last_export_whole(sample_lake, lake, to, tmp_path):
    first = export(lake, to, [row(1)])
    before = tree(first.folder)
    program = tmp_path / "killed.py"
    program.write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, str(program), str(sample_lake), str(to)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == -9, done.stderr
    # It had come far.
    assert int(done.stdout) >= 3
    assert len([name for name in names(to) if name.startswith(publish.WORKING)]) == 1
    assert (to / "latest").resolve() == first.folder.resolve()
    assert tree(first.folder) == before
    assert publish.is_whole(first.folder)
    export(lake, to, [row(1)], FIRST + timedelta(1))
    assert names(to) == ["2026-11-25", "2026-11-26", "latest"]


@pytest.mark.parametrize("step", ["publish", "point"])
def test_what_fails_between_two_steps_of_publishing_is_completed_by_the_next_run(step, lake, to, monkeypatch):
    export(lake, to, [row(1)])
    kept = getattr(publish, step)

    def fail(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publish, step, fail)
    with pytest.raises(PolicylakeError, match="No space left on device; make room"):
        export(lake, to, [row(1), row(2)], FIRST + timedelta(1))
    assert os.readlink(to / "latest") == "2026-11-25"
    assert not [name for name in names(to) if name.startswith(".")]
    monkeypatch.setattr(publish, step, kept)
    export(lake, to, [row(1), row(2)], FIRST + timedelta(1))
    assert os.readlink(to / "latest") == "2026-11-26"
    assert names(to) == ["2026-11-25", "2026-11-26", "latest"]


def test_two_runs_do_not_overlap_and_the_second_says_who_works_there(to):
    with (
        publish.working_alone(to),
        pytest.raises(PolicylakeError, match=rf"process {os.getpid()} on .*, since 20.*, is exporting there"),
        publish.working_alone(to),
    ):
        pass
    with publish.working_alone(to):
        pass


def test_a_folder_that_cannot_be_written_and_a_url_are_told(tmp_path):
    (tmp_path / "file").write_text("")
    for to, words in ((tmp_path / "file" / "to", "that can be written"), (Path("s3://b/to"), "of this machine")):
        with pytest.raises(PolicylakeError, match=words), publish.working_alone(to):
            pass


def test_a_latest_that_is_no_link_is_left_alone(lake, to):
    (to / "latest").mkdir(parents=True)
    with pytest.raises(PolicylakeError, match="not a link; move it,"):
        export(lake, to, [row(1)])
    assert (to / "latest").is_dir()


def test_the_export_before_that_cannot_be_read_is_named(lake, to):
    first = export(lake, to, [row(1)])
    (first.folder / "findings.parquet").write_text("damaged")
    with pytest.raises(PolicylakeError, match="2026-11-25: the export before cannot be read"):
        export(lake, to, [row(1)], FIRST + timedelta(1))
    shutil.rmtree(first.folder)
    assert export(lake, to, [row(1)], FIRST + timedelta(1)).is_fresh


@pytest.mark.parametrize(
    ("severity", "fail_on", "status"),
    [("high", "high", 1), ("critical", "high", 1), ("medium", "high", 3), ("medium", None, 3)],
)
def test_the_exit_status_says_that_a_control_failed_before_it_says_that_inputs_were_rejected(
    severity, fail_on, status, lake, to
):
    done = export(lake, to, [row(1, severity=severity)], fail_on=fail_on)
    assert done.status == status
    assert json.loads((done.folder / "manifest.json").read_text())["exit_status"] == status


def test_an_accepted_finding_fails_nothing(lake, to):
    assert export(lake, to, [row(1, status="accepted")], fail_on="info").status == 3
