"""What a process may use: the machine's, or less where its control group says so."""

import os

import psutil
import pytest

from pipeline import machine

TOTAL = psutil.virtual_memory().total


@pytest.fixture
def group(tmp_path, monkeypatch):
    """Lay out control groups: what this process is in, and files with their texts."""

    def lay(own, **files):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            path = tmp_path / "groups" / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
        monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")

    return lay


def test_without_limits_it_is_the_machine(group):
    group("0::/\n", memory_dot_max="max\n", cpu_dot_max="max 100000\n")
    assert machine.memory() == TOTAL
    assert machine.processors() == len(os.sched_getaffinity(0))


def test_the_lowest_limit_of_the_groups_above_counts(group):
    group("0::/pod/box\n", pod__memory_dot_max="500000000\n", pod__box__memory_dot_max="max\n", memory_dot_max="max")
    assert machine.memory() == 500_000_000


@pytest.mark.parametrize(("quota", "count"), [("50000 100000", 1), ("150000 100000", 2), ("100000 100000", 1)])
def test_a_share_of_processors_is_rounded_up(group, quota, count, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    group("0::/\n", cpu_dot_max=quota)
    assert machine.processors() == count


def test_the_first_version_of_control_groups_is_read(group, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    group(
        "4:memory:/box\n1:cpu:/box\n0::/\n",
        memory__box__memory_dot_limit_in_bytes="700000000",
        cpu__box__cpu_dot_cfs_quota_us="300000",
        cpu__box__cpu_dot_cfs_period_us="100000",
    )
    assert machine.memory() == 700_000_000
    assert machine.processors() == 3


@pytest.mark.parametrize("text", ["", "-1", "x y", "0::/\0"])
def test_what_cannot_be_read_is_no_limit(group, text, monkeypatch):
    group("0::/\n", memory_dot_max=text, cpu_dot_max=text, cpu_dot_cfs_quota_us=text)
    assert machine.memory() == TOTAL
    assert machine.processors() >= 1
