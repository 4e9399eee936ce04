"""Work in several processes: the order of the results, what fails, and that no process stays behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import PolicylakeError
from pipeline.workers import workers

PYTHON = str(Path(sys.executable))
ENDLESS = """
import os, sys, time
from pipeline.workers import workers
import tests.test_workers as here
if __name__ == "__main__":
    with workers(2) as pool:
        list(pool.map(here.sleep, [sys.argv[1]] * 4))
"""


def square(number):
    time.sleep(0.01 * (number % 3))
    return number * number


def refuse(number):
    if number % 2:
        raise PolicylakeError(f"{number} is odd", exit_code=3)
    return number


def end_elsewhere(own):
    time.sleep(0.2)
    if os.getpid() != own:
        os.kill(os.getpid(), signal.SIGKILL)


def process(_):
    time.sleep(0.2)
    return os.getpid()


def sleep(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_results_come_in_the_order_of_the_shards(count):
    with workers(count) as pool:
        assert list(pool.map(square, range(40))) == [number * number for number in range(40)]
        assert list(pool.map(square, range(3))) == [0, 1, 4]


def test_this_process_and_the_others_share_the_work():
    with workers(2) as pool:
        assert len(set(pool.map(process, range(10)))) == 2


@pytest.mark.parametrize("count", [1, 2])
def test_the_first_failure_in_order_is_the_one_that_is_told(count):
    with pytest.raises(PolicylakeError, match="1 is odd") as failure, workers(count) as pool:
        list(pool.map(refuse, range(30)))
    assert failure.value.exit_code == 3
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_told_in_words():
    with pytest.raises(PolicylakeError, match=r"ended in the midst of its work.*--processes 1"), workers(2) as pool:
        list(pool.map(end_elsewhere, [os.getpid()] * 20))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_one_that_started_it(tmp_path, sent):
    script, seen = tmp_path / "endless.py", tmp_path / "seen"
    script.write_text(ENDLESS)
    seen.mkdir()
    root = Path(__file__).resolve().parents[1]
    main = subprocess.Popen(
        [PYTHON, str(script), str(seen)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    assert _within(20, lambda: len(list(seen.iterdir())) == 2)
    if sent == signal.SIGINT:
        os.killpg(main.pid, sent)  # as a terminal does
    else:
        main.kill()
    said = main.communicate(timeout=20)[1]
    assert said.count("Traceback") == (1 if sent == signal.SIGINT else 0)  # that of the script itself
    assert _within(10, lambda: not any(_runs(int(file.name)) for file in seen.iterdir()))


def _within(seconds, holds):
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.02)
    return held


def _runs(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True
