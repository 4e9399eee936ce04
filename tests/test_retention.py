"""Old snapshots go, and nobody who reads notices: real processes read while they are removed."""

import json
import os
import shutil
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from cli_run import run
from test_lake import accounts_of_views, names, publish, start_half, tree

from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake, retention
from pipeline.lake.retention import collect

OURS = """
import sys
from pathlib import Path
from pipeline.lake import open_lake
lake = open_lake(Path(sys.argv[1]))
ask = lambda: lake.query("select count(*) as n from accounts")["n"][0].as_py()
"""
DUCKDB = """
import sys, duckdb
views = duckdb.connect(sys.argv[1] + "/policylake.duckdb", read_only=True)
ask = lambda: views.execute("select count(*) from accounts").fetchone()[0]
"""
FILES = """
import sys, pyarrow.parquet as pq
lake = sys.argv[1]
current = open(lake + "/CURRENT").read().strip()
held = pq.ParquetFile(f"{lake}/snapshots/{current}/accounts/0.parquet")
ask = lambda: held.read().num_rows
"""
OPENING = """
import sys
from pathlib import Path
from pipeline.lake import open_lake
ask = lambda: open_lake(Path(sys.argv[1])).query("select count(*) as n from accounts")["n"][0].as_py()
"""
ASKED = """
for _ in sys.stdin:
    print(ask(), flush=True)
"""
is_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell which files are open")


class Reader:
    """A process that answers how many accounts the snapshot has that was current when it began."""

    def __init__(self, program, lake):
        command = [sys.executable, "-c", program + ASKED, str(lake)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.communicate(timeout=20)


@pytest.fixture
def reading(tmp_path):
    readers = []

    def start(program):
        readers.append(Reader(program, tmp_path))
        return readers[-1]

    yield start
    for reader in readers:
        if reader.process.poll() is None:
            reader.end()


def published(lake, *numbers):
    """Publish snapshots of that many accounts each, a minute apart; return their ids."""
    ids = []
    for place, number in enumerate(numbers):
        ids.append(publish(lake, number))
        moment = time.time() - 60 * (len(numbers) - place)
        os.utime(lake / "snapshots" / ids[-1], (moment, moment))
    return ids


def test_the_newest_and_the_current_one_are_kept(tmp_path):
    ids = published(tmp_path, 1, 2, 3, 4)
    found = collect(tmp_path, keep=2, grace=0)
    assert [one.name for one in found] == ids[::-1]
    assert [one.is_removed for one in found] == [False, False, True, True]
    assert [one.reason for one in found] == ["current", "one of the newest 2", "old", "old"]
    assert names(tmp_path / "snapshots") == sorted(ids[2:])
    assert accounts_of_views(tmp_path) == 4


def test_what_became_current_again_is_new_again(tmp_path):
    ids = published(tmp_path, 1, 2, 3)
    assert publish(tmp_path, 1) == ids[0]
    collect(tmp_path, keep=2, grace=0)
    assert names(tmp_path / "snapshots") == sorted([ids[0], ids[2]])


def test_the_current_one_stays_even_where_the_clock_went_back(tmp_path):
    ids = published(tmp_path, 1, 2)
    os.utime(tmp_path / "snapshots" / ids[1], (0, 0))
    collect(tmp_path, keep=1, grace=0)
    assert names(tmp_path / "snapshots") == [ids[1]]


def test_a_snapshot_is_spared_for_a_while_after_the_next_one(tmp_path):
    ids = published(tmp_path, 1, 2, 3)  # the first was current until two minutes ago, the second until one
    collect(tmp_path, keep=1, grace=90)
    assert names(tmp_path / "snapshots") == sorted(ids[1:])


def test_a_dry_run_tells_and_removes_nothing(tmp_path):
    published(tmp_path, 1, 2, 3)
    (tmp_path / "snapshots" / ".building-dead").mkdir()
    before = tree(tmp_path)
    told = collect(tmp_path, keep=1, grace=0, is_dry=True)
    assert tree(tmp_path) == before
    assert (tmp_path / "snapshots" / ".building-dead").exists()
    assert told == collect(tmp_path, keep=1, grace=0)


@pytest.mark.parametrize(
    "program",
    [OURS, pytest.param(DUCKDB, marks=is_linux), pytest.param(FILES, marks=is_linux)],
    ids=["policylake", "the views in DuckDB", "an open file"],
)
def test_who_reads_an_old_snapshot_in_another_process_finishes_undisturbed(program, tmp_path, reading):
    (old,) = published(tmp_path, 3)
    reader = reading(program)
    assert reader.ask() == "3"
    published(tmp_path, 1, 2)
    found = {one.name: one for one in collect(tmp_path, keep=1, grace=0)}
    assert (found[old].is_removed, found[old].reason) == (False, "open in another process")
    assert len(names(tmp_path / "snapshots")) == 2
    assert reader.ask() == "3"
    reader.end()
    assert {one.name for one in collect(tmp_path, keep=1, grace=0) if one.is_removed} == {old}


def test_who_opens_the_lake_while_snapshots_go_gets_one_that_is_whole(tmp_path, reading):
    published(tmp_path, 1)
    readers = [reading(OPENING) for _ in range(2)]
    for number in range(2, 8):
        published(tmp_path, number)
        for reader in readers:
            reader.process.stdin.write("\n")
            reader.process.stdin.flush()
        collect(tmp_path, keep=1, grace=0)
        assert {reader.process.stdout.readline().strip() for reader in readers} == {str(number)}


def test_a_removed_name_is_looked_up_again(tmp_path, monkeypatch):
    ids = published(tmp_path, 1, 2)
    looked = iter([ids[0], ids[1], ids[1]])
    shutil.rmtree(tmp_path / "snapshots" / ids[0])
    monkeypatch.setattr("pipeline.lake.read.current_id", lambda lake: next(looked))
    assert open_lake(tmp_path).snapshot_id == ids[1]


def test_what_builds_that_died_left_is_removed_and_what_runs_stays(tmp_path):
    published(tmp_path, 1)
    for name in (".building-dead", ".removing-dead"):
        (tmp_path / "snapshots" / name).mkdir()
        (tmp_path / "snapshots" / name / "half").write_text("half")
    (tmp_path / ".policylake.duckdb-x").write_text("half")
    process, folder = start_half(tmp_path)
    try:
        # A build that starts removes them as well: put them back.
        (tmp_path / "snapshots" / ".building-dead").mkdir(exist_ok=True)
        (tmp_path / ".policylake.duckdb-x").write_text("half")
        found = collect(tmp_path, keep=1, grace=0)
        assert {one.name for one in found if one.since is None} == {".building-dead", ".policylake.duckdb-x"}
        assert (folder / "half").exists()
    finally:
        process.communicate("stop")
    assert names(tmp_path) == ["CURRENT", "policylake.duckdb", "snapshots"]
    assert len(names(tmp_path / "snapshots")) == 1


def test_folders_that_are_no_snapshots_are_left_alone(tmp_path):
    published(tmp_path, 1, 2)
    (tmp_path / "snapshots" / "notes").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "snapshots" / ("a" * 16)).symlink_to(tmp_path / "mine")
    collect(tmp_path, keep=1, grace=0)
    assert (tmp_path / "mine").is_dir()
    assert {"notes", "a" * 16} <= set(names(tmp_path / "snapshots"))


def test_a_system_that_tells_no_open_files_has_the_locks_and_the_grace(tmp_path, reading, monkeypatch):
    monkeypatch.setattr(retention, "PROCESSES", tmp_path / "none")
    ids = published(tmp_path, 3)
    reader = reading(OURS)
    assert reader.ask() == "3"
    ids += published(tmp_path, 1, 2)
    collect(tmp_path, keep=1, grace=0)
    assert names(tmp_path / "snapshots") == sorted([ids[0], ids[2]])


def test_the_command_tells_what_was_freed(tmp_path, monkeypatch):
    ids = published(tmp_path, 1, 2, 3)
    options = ["gc", "--lake", str(tmp_path), "--keep", "2", "--grace", "0", "--format", "jsonl"]
    tried = run(monkeypatch, *options, "--dry-run")
    assert tried.code == 0
    assert "1 to remove, " in tried.err
    done = run(monkeypatch, *options)
    rows = [json.loads(line) for line in done.text.splitlines()]
    assert [row["name"] for row in rows] == ids[::-1]
    assert [row["outcome"] for row in rows] == ["kept", "kept", "removed"]
    assert rows[2]["bytes"] > 1000
    assert f"1 removed, {rows[2]['bytes'] / 1000:.1f} kB freed, 2 kept" in done.err
    assert names(tmp_path / "snapshots") == sorted(ids[1:])


def test_a_snapshot_that_becomes_current_in_the_last_moment_is_not_removed(tmp_path, monkeypatch):
    published(tmp_path, 1)
    taken = retention.locked

    def late(folder):
        publish(tmp_path, 2)
        return taken(folder)

    monkeypatch.setattr(retention, "locked", late)
    collect(tmp_path, keep=1, grace=0)
    assert names(tmp_path / "snapshots") == [(tmp_path / "CURRENT").read_text().strip()]


def test_a_folder_that_is_no_lake_is_told(tmp_path, monkeypatch):
    with pytest.raises(PolicylakeError, match="no snapshot here; give the folder of a lake"):
        collect(tmp_path, keep=1, grace=0)
    done = run(monkeypatch, "gc", "--lake", str(tmp_path), "--keep", "0")
    assert done.code == 2
    assert "--keep" in done.err


def test_the_time_is_told_in_utc(tmp_path):
    published(tmp_path, 1)
    os.utime(tmp_path / "snapshots" / (tmp_path / "CURRENT").read_text().strip(), (86400, 86400))
    (one,) = collect(tmp_path, keep=1, grace=0)
    assert pa.scalar(one.since).as_py().isoformat() == "1970-01-02T00:00:00+00:00"
