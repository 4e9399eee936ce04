"""Builds on a Ray cluster: the same bytes as here, whoever is killed meanwhile, and words where there is no cluster."""

import os
import pickle
import signal
import sys
import threading
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import psutil
import pytest
from cli_run import run
from conftest import SAMPLE
from object_store import environment, store

from bench.generate import generate
from pipeline import cluster as cluster_room
from pipeline import gather, reference, remote
from pipeline.build import build_lake
from pipeline.cluster import Cluster, cluster
from pipeline.errors import PolicylakeError
from pipeline.evaluate import decide
from pipeline.ingest import shards
from pipeline.ingest.read import input_files

ONE = str(SAMPLE / "policies" / "01-basic-models.json")


@pytest.fixture(scope="module")
def ray():
    """A cluster of this machine."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: make setup-cluster")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False,
             runtime_env={"env_vars": {"PYTHONPATH": str(Path(__file__).parent), **environment("")}})  # fmt: skip
    yield ray
    ray.shutdown()


@pytest.fixture
def everything_is_shared(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_BYTES", 1)
    monkeypatch.setattr(gather, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(decide, "CASES_WORTH_A_PROCESS", 0)


def square(number):
    return number * number


def elsewhere(_):
    return os.getpid()


def scaled(factor, number):
    return factor[0] * number


def refuse(number):
    if number % 2:
        raise PolicylakeError(f"{number} is odd", exit_code=3)
    return number


def dies_once(folder, number):
    mark = Path(folder, str(number))
    if number % 3 == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def dies(_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_the_order_of_the_shards_and_from_other_processes(ray):
    pool = Cluster(ray)
    assert list(pool.map(square, range(30))) == [number * number for number in range(30)]
    assert os.getpid() not in set(pool.map(elsewhere, range(5)))


def test_what_a_partial_function_holds_goes_with_each_shard(ray):
    assert list(Cluster(ray).map(partial(scaled, [3]), range(5))) == [0, 3, 6, 9, 12]


def test_the_first_failure_in_order_is_the_one_that_is_told(ray):
    with pytest.raises(PolicylakeError, match=r"^1 is odd$") as failure:
        list(Cluster(ray).map(refuse, range(30)))
    assert failure.value.exit_code == 3


def test_shards_of_workers_that_were_killed_run_again(ray, tmp_path):
    assert list(Cluster(ray).map(partial(dies_once, str(tmp_path)), range(10))) == list(range(10))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_shard_that_is_lost_every_time_is_told(ray, monkeypatch):
    monkeypatch.setattr(cluster_room, "RETRIES", 1)
    with pytest.raises(PolicylakeError, match=r"lost a shard 2 times \(.*\); look at its logs, or give --engine local"):
        list(Cluster(ray).map(dies, [1]))


def test_a_machine_without_the_function_is_told(ray):
    with pytest.raises(PolicylakeError, match=r"a shard failed on the cluster \(.*nowhere.*\); every machine"):
        list(Cluster(ray).map(Nowhere(), [1]))


class Nowhere:
    """A function that is on this machine alone."""

    def __reduce__(self):
        return __import__, ("nowhere",)


def test_a_machine_with_another_version_is_told(ray, monkeypatch):
    monkeypatch.setattr(cluster_room, "__version__", "0.0.0")
    with pytest.raises(PolicylakeError, match=r"has policylake .*, this one 0\.0\.0; every machine"):
        list(Cluster(ray).map(square, [1]))


def workers_at_work():
    """The processes of Ray that run a shard now."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            title = process.cmdline()[0]
        except (psutil.Error, IndexError):
            continue
        if title.startswith("ray::_run"):
            found.append(process)
    return found


class Killer:
    """Kills a worker at work, once a stage; ``killed`` are the stages in which it found one."""

    def __init__(self, *stages):
        self.stages, self.killed = set(stages), []

    def __call__(self, step):
        if step.stage in self.stages and 0 < step.done < step.of:
            self.stages.discard(step.stage)
            threading.Thread(target=self.kill, args=(step.stage,)).start()

    def kill(self, stage):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for process in workers_at_work():
                process.kill()
                self.killed.append(stage)
                return
            time.sleep(0.005)


@pytest.mark.usefixtures("everything_is_shared")
def test_the_snapshot_has_the_same_bytes_though_workers_are_killed_in_the_midst(ray, tmp_path):
    generate(tmp_path / "in", accounts=4, principals=40, seed=5)
    inputs = [tmp_path / "in", SAMPLE]
    here = build_lake(inputs, tmp_path / "here")
    killer, found = Killer("reading", "evaluating"), Cluster(ray)
    with_pools = partial(build_lake, inputs, processes=2, pools=lambda count: _held(found))
    there = with_pools(tmp_path / "there", progress=killer)
    assert there == here
    assert sorted(killer.killed) == ["evaluating", "reading"]


def _held(pool):
    return nullcontext(pool)


@pytest.mark.usefixtures("everything_is_shared")
def test_workers_read_inputs_at_a_url_by_themselves(ray, tmp_path, monkeypatch):
    with store() as endpoint:
        for name, value in environment(endpoint).items():
            monkeypatch.setenv(name, value)
        # Workers have the variables of their own machine, which know no endpoint here: the URL tells it.
        url = Path(f"s3://bucket/in?scheme=http&endpoint_override={endpoint.removeprefix('http://')}")
        for file in (SAMPLE / "policies").iterdir():
            remote.upload(file, remote.below(url, file.name))
        monkeypatch.setattr(remote, "read", lambda path: pytest.fail(f"{path} was read here"))
        files, _ = input_files([url])
        shard = gather.Shard(0, files, False, True, None)
        (sheaf,) = Cluster(ray).map(gather.read_shard, [shard])
    assert len(sheaf.summary.sources) == len(list((SAMPLE / "policies").iterdir()))
    assert {source.content for source in sheaf.summary.sources} >= {"policy-document"}


def test_the_command_builds_on_the_cluster_of_an_address(ray, tmp_path, monkeypatch):
    # The command ends its connection: the cluster must not be that of this process.
    monkeypatch.setattr(ray, "init", lambda **options: options)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    address = ray.get_runtime_context().gcs_address
    options = ["--engine", "ray", "--address", address, "--quiet"]
    done = run(monkeypatch, "build", ONE, "--lake", str(tmp_path / "a"), *options)
    assert (done.code, done.err) == (0, "")
    run(monkeypatch, "build", ONE, "--lake", str(tmp_path / "b"), "--quiet")
    assert (tmp_path / "a" / "CURRENT").read_text() == (tmp_path / "b" / "CURRENT").read_text()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:9", r"cannot be reached \(Connection refused\); check the address, and that the cluster runs"),
        ("ray://127.0.0.1:9", r"cannot be reached \(Connection refused\)"),
        ("[::1]:9", r"cannot be reached"),
        ("nonsense", r"no address of a cluster; give HOST:PORT"),
        ("127.0.0.1:x", r"no address of a cluster"),
        ("127.0.0.1:99999", r"cannot be reached"),
    ],
)
def test_a_cluster_that_is_not_there_is_told_at_once(address, said, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed: make setup-cluster")
    began = time.monotonic()
    done = run(monkeypatch, "build", ONE, "--lake", str(tmp_path), "--engine", "ray", "--address", address)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"policylake: --address {address}: ")
    with pytest.raises(PolicylakeError, match=said), cluster(address):
        pass
    assert time.monotonic() - began < 15
    assert not (tmp_path / "snapshots").exists()


def test_a_missing_ray_is_told_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    done = run(monkeypatch, "build", ONE, "--lake", str(tmp_path), "--engine", "ray")
    assert done.code == 2
    assert done.err == (
        "policylake: --engine ray: Ray is not installed; install it on every machine of the cluster:"
        ' pip install "policylake[ray]"\n'
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--address", "10.0.0.1:6379"], "--address 10.0.0.1:6379: processes of this machine have none; add --engine"),
        (["--engine", "ray", "--processes", "3"], "--processes 3: a Ray cluster has its own; leave it out"),
    ],
)
def test_options_that_contradict_each_other_are_told(options, said, tmp_path, monkeypatch):
    done = run(monkeypatch, "build", ONE, "--lake", str(tmp_path), *options)
    assert done.code == 2
    assert said in done.err


def test_the_packaged_reference_is_found_where_another_machine_has_it(tmp_path, monkeypatch):
    sent = pickle.dumps(reference.load(reference.PACKAGED))
    monkeypatch.setattr(reference, "PACKAGED", tmp_path)
    assert pickle.loads(sent).folder == tmp_path
