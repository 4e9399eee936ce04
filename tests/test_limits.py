"""Memory and threads for DuckDB: the same snapshot whatever they are, and words where memory or disk is not enough."""

import errno
import os
import re
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from cli_run import run
from conftest import SAMPLE
from test_lake import names, publish, tree

from pipeline import machine
from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.lake import duck
from pipeline.lake.duck import connect, limits
from pipeline.lake.spill import query_folder, spill_folder

MIB = 2**20
#: Some 200 MB, in an order that must be made.
LARGE = "create table t as select md5(i::varchar) as a, md5((i + 1)::varchar) as b from range(3000000) r(i) order by a"


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for 3 MB."""
    place = tmp_path / "small"
    place.mkdir()
    try:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(place)], capture_output=True)
    except FileNotFoundError:
        pytest.skip("mount is not installed")
    if mounted.returncode:
        pytest.skip("only root may mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_the_snapshot_is_the_same_whatever_memory_and_threads(tmp_path):
    first, second = ((64 * MIB, 1), (512 * MIB, 3))
    ids = {
        build_lake([SAMPLE], tmp_path / str(threads), memory=memory, threads=threads).snapshot_id
        for memory, threads in (first, second)
    }
    assert len(ids) == 1


def test_the_limits_reach_duckdb(tmp_path):
    connection = connect(within=limits(256 * MIB, 3, tmp_path))
    settings = "select current_setting('memory_limit'), current_setting('threads'), current_setting('temp_directory')"
    assert connection.execute(settings).fetchone() == ("256.0 MiB", 3, str(tmp_path))


def test_by_default_duckdb_takes_a_share_of_what_there_is(monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 1000 * MIB)
    monkeypatch.setattr(machine, "processors", lambda: 5)
    assert limits()[:2] == (500 * MIB, 5)


@pytest.mark.parametrize(
    ("text", "size"), [("256MiB", 256 * MIB), ("1.5GB", 1_500_000_000), ("2 gib", 2**31), ("100000000B", 100_000_000)]
)
def test_memory_is_given_in_units(text, size, tmp_path, monkeypatch):
    given = []
    kept = duck.limits

    def noted(memory=None, threads=None, spill=None):
        given.append((memory, threads))
        return kept(memory, threads, spill)

    monkeypatch.setattr(duck, "limits", noted)
    inputs = str(SAMPLE / "policies" / "01-basic-models.json")
    done = run(monkeypatch, "build", inputs, "--lake", str(tmp_path), "--memory", text, "--threads", "1", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert given[0] == (size, 1)


@pytest.mark.parametrize("text", ["", "4", "much", "4 elephants", "-1GiB", "1MiB", "0GB", "50%"])
def test_what_is_no_size_is_refused(text, tmp_path, monkeypatch):
    done = run(monkeypatch, "build", str(SAMPLE), "--lake", str(tmp_path / "lake"), "--memory", text)
    assert done.code == 2
    assert re.search(r"--memory.*(such as 4GiB|64MiB or more)", done.err)
    assert done.err.count("\n") == 1


def building(lake, work, memory, monkeypatch):
    """Build with ``work`` in place of the evaluation."""
    monkeypatch.setattr("pipeline.account_groups.evaluate", lambda connection, *rest: work(connection))
    build_lake([SAMPLE / "policies"], lake, memory=memory, keeps=False)


def test_what_does_not_fit_into_memory_goes_to_the_lake_and_away_again(tmp_path, monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    seen = []

    def work(connection):
        connection.execute(LARGE)
        (spill,) = (tmp_path / "lake" / "snapshots").glob(".spill-*")
        seen.append(sum(file.stat().st_size for file in spill.iterdir()))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        building(tmp_path / "lake", work, 160 * MIB, monkeypatch)
    assert seen[0] > MIB
    assert names(tmp_path / "lake" / "snapshots") == []


def test_a_disk_too_small_to_spill_to_is_told(tmp_path, small_disk, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(small_disk))
    publish(tmp_path / "lake", 1)
    before = tree(tmp_path / "lake")
    with pytest.raises(PolicylakeError, match=r"does not fit here .*make room or name another folder with TMPDIR"):
        building(tmp_path / "lake", lambda connection: connection.execute(LARGE), 160 * MIB, monkeypatch)
    assert tree(tmp_path / "lake") == before
    assert list(small_disk.iterdir()) == []


def test_memory_that_is_not_enough_is_told(tmp_path, monkeypatch):
    def work(connection):
        connection.execute("select list(md5(i::varchar) order by i) from range(3000000) r(i)")

    with pytest.raises(PolicylakeError, match=r"^--memory 64MiB: not enough for this build .*give more"):
        building(tmp_path / "lake", work, 64 * MIB, monkeypatch)


def test_memory_that_python_lacks_is_told(tmp_path, monkeypatch):
    def work(connection):
        raise MemoryError

    with pytest.raises(PolicylakeError, match=r"^no memory is left .*give less --memory or fewer --processes; nothing"):
        building(tmp_path / "lake", work, None, monkeypatch)


def test_a_lake_on_a_full_disk_stays_as_it_was(small_disk, tmp_path, monkeypatch):
    lake = small_disk / "lake"
    publish(lake, 1)
    (small_disk / "filling").write_bytes(bytes(shutil.disk_usage(small_disk).free - 60_000))
    before = tree(lake)
    done = run(monkeypatch, "build", str(SAMPLE), "--lake", str(lake), "--quiet")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert re.search(r"No space left on device.*make room.*the former snapshot is still current", done.err)
    assert tree(lake) == before


def test_a_full_disk_that_nobody_else_explains_is_no_question_of_rights(tmp_path, monkeypatch):
    @contextmanager
    def full(lake):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(lake))
        yield

    monkeypatch.setattr("pipeline.build.new_snapshot", full)
    done = run(monkeypatch, "build", str(SAMPLE), "--lake", str(tmp_path))
    assert (done.code, done.err) == (2, f"policylake: {tmp_path}: No space left on device; make room there\n")


def test_what_a_killed_query_spilled_goes_with_the_next_build(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead, own, named = (tmp_path / f"policylake-{name}" for name in (ended.pid, os.getpid(), "notes"))
    for folder in (dead, own, named):
        folder.mkdir()
    assert query_folder() == own
    with spill_folder(tmp_path):
        pass
    assert names(tmp_path) == sorted([own.name, named.name])
