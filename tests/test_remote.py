"""Inputs and lakes at URLs, on a made-up S3: the same answers as on this machine, and nobody sees half a snapshot."""

import gzip
import json
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from cli_run import run
from conftest import SAMPLE
from object_store import environment, store
from test_lake import publish, put_inputs, tree

from pipeline import remote
from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.ingest import read_inputs
from pipeline.lake import open_lake
from pipeline.lake import read as lake_read
from pipeline.lake.remote import copy_of
from pipeline.lake.retention import collect

COUNT = "select count(*) as n from accounts"
TOP = Path("s3://bucket")
NUMBERS = count()
NAMES = ["a b/é.json", "50%25.json", "what?.json", "a#b.json", "x+y&z=1.json", "plain.json.gz"]


@pytest.fixture(scope="module")
def endpoint():
    with store() as endpoint:
        yield endpoint


@pytest.fixture
def cache(endpoint, tmp_path, monkeypatch):
    """The folder of the copies on this machine."""
    for name, value in environment(endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POLICYLAKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def there(cache, request):
    """A folder of the store for this test alone."""
    return TOP / f"{request.node.originalname}-{next(NUMBERS)}"


def put(folder, url):
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        remote.upload(file, remote.below(url, file.relative_to(folder).as_posix()))


def keys(url):
    return [file.key for file in remote.files(url)]


def rows_of(lake):
    """The rows of a lake, without where they were read."""
    found = {}
    for name in ("accounts", "principals", "attachments", "statements", "access", "access_matrix", "rejects"):
        table = open_lake(lake).query(f"from {name} order by all")
        found[name] = table.drop_columns([c for c in ("source", "missing", "witness") if c in table.column_names])
    return found


@pytest.mark.parametrize("processes", [1, 2])
def test_inputs_at_a_url_give_what_they_give_here(processes, there, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.gather.WORTH_PROCESSES", 0)
    monkeypatch.setattr("pipeline.ingest.shards.SHARD_BYTES", 1)
    put(SAMPLE, there)
    build_lake([SAMPLE], tmp_path / "here")
    build_lake([there], tmp_path / "there", processes=processes)
    assert rows_of(tmp_path / "there") == rows_of(tmp_path / "here")
    sources = open_lake(tmp_path / "there").query("select distinct source from principals")["source"].to_pylist()
    assert all(source.startswith(f"s3://bucket/{there.name}/") for source in sources)


@pytest.mark.parametrize("name", NAMES)
def test_a_key_may_have_any_name(name, there, tmp_path):
    text = (SAMPLE / "policies" / "01-basic-models.json").read_bytes()
    (tmp_path / "file").write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    remote.upload(tmp_path / "file", remote.below(there, name))
    assert keys(there) == [name]
    inputs = read_inputs([there])
    assert [(source.path, source.content) for source in inputs.sources] == [
        (f"s3://bucket/{there.name}/{name}", "policy-document")
    ]
    (principal,) = inputs.principals
    assert principal.principal_arn == f"policy/{name.removesuffix('.gz').removesuffix('.json')}"


def test_one_file_at_a_url_is_an_input_and_other_endings_are_passed_over_in_a_folder(there, tmp_path):
    put(SAMPLE / "policies", there)
    (tmp_path / "notes.txt").write_text("none")
    remote.upload(tmp_path / "notes.txt", remote.below(there, "notes.txt"))
    assert len(read_inputs([remote.below(there, "01-basic-models.json")]).sources) == 1
    assert len(read_inputs([there]).sources) == len(list((SAMPLE / "policies").glob("*.json*")))


def test_a_lake_among_the_inputs_is_not_read(there):
    put(SAMPLE / "policies", there)
    before = len(read_inputs([there]).sources)
    publish(there / "lake", 1)
    assert "lake/CURRENT" in keys(there)
    assert len(read_inputs([there]).sources) == before


def test_a_lake_at_a_url_is_that_of_this_machine(there, cache, tmp_path):
    inputs = put_inputs(tmp_path / "in")
    here = build_lake([inputs], tmp_path / "here")
    assert build_lake([inputs], there) == here
    local = tree(tmp_path / "here")
    held = {key: remote.read(remote.below(there, key)) for key in keys(there)}
    assert held == {name: data for name, data in local.items() if name != "policylake.duckdb"}


def test_every_command_reads_a_lake_at_a_url_on_a_machine_that_has_no_copy(there, tmp_path, monkeypatch):
    url = f"s3://bucket/{there.name}/lake"
    done = run(monkeypatch, "build", str(SAMPLE), "--lake", url)
    assert done.code == 3
    assert f"{url}: snapshot " in done.err
    monkeypatch.setenv("POLICYLAKE_CACHE", str(tmp_path / "another"))
    monkeypatch.setenv("POLICYLAKE_LAKE", url)
    assert run(monkeypatch, "who-can", "sagemaker:CreateModel", "--format", "jsonl").text.count("\n") > 1
    assert run(monkeypatch, "sql", COUNT, "--format", "csv").text.splitlines()[1] == "8"
    assert run(monkeypatch, "report", "--out", str(tmp_path / "out")).code == 0
    assert (tmp_path / "out" / "index.html").exists()
    line = json.dumps({"principal": "nobody", "action": "sagemaker:CreateModel", "resource": "*", "context": {}})
    assert json.loads(run(monkeypatch, "simulate", stdin=line).text)["decision"] == "error"


def test_a_copy_is_made_once_and_follows_what_is_current(there, cache, monkeypatch):
    publish(there, 1)
    monkeypatch.setenv("POLICYLAKE_CACHE", str(cache.with_name("another")))
    assert open_lake(there).query(COUNT)["n"].to_pylist() == [1]
    monkeypatch.setattr(lake_read, "fetch", lambda *_: pytest.fail("copied again"))
    assert open_lake(there).query(COUNT)["n"].to_pylist() == [1]


def test_another_machine_sees_the_next_snapshot(there, cache, monkeypatch):
    publish(there, 1)
    monkeypatch.setenv("POLICYLAKE_CACHE", str(cache.with_name("another")))
    former = open_lake(there)
    monkeypatch.setenv("POLICYLAKE_CACHE", str(cache))
    publish(there, 2)
    monkeypatch.setenv("POLICYLAKE_CACHE", str(cache.with_name("another")))
    assert open_lake(there).query(COUNT)["n"].to_pylist() == [2]
    assert former.query(COUNT)["n"].to_pylist() == [1]


@pytest.mark.parametrize("failing", ["accounts/0.parquet", "manifest.json", "CURRENT"])
def test_a_build_that_fails_on_the_way_leaves_the_former_snapshot_current(failing, there, monkeypatch):
    first = publish(there, 1)

    def broken(kept):
        def send(*arguments):
            if any(str(argument).endswith(failing) for argument in arguments):
                raise OSError("AWS Error SLOW_DOWN during PutObject operation")
            return kept(*arguments)

        return send

    with monkeypatch.context() as patch:
        for name in ("upload", "write"):
            patch.setattr(remote, name, broken(getattr(remote, name)))
        with pytest.raises(PolicylakeError, match=r"^s3://bucket/.*SLOW_DOWN.*former snapshot is still current there"):
            publish(there, 2)
    assert open_lake(there).snapshot_id == first


def test_a_snapshot_that_is_damaged_there_is_told(there, cache, monkeypatch):
    current = publish(there, 1)
    monkeypatch.setenv("POLICYLAKE_CACHE", str(cache.with_name("another")))
    remote.write(remote.below(there, f"snapshots/{current}/accounts/0.parquet"), b"damaged")
    with pytest.raises(PolicylakeError, match=r"snapshot \w+ is damaged; build it again"):
        open_lake(there)
    remote.delete(remote.below(there, f"snapshots/{current}/accounts/0.parquet"))
    with pytest.raises(PolicylakeError, match=r"s3://bucket/.*incomplete .*build it again"):
        open_lake(there)
    remote.write(remote.below(there, f"snapshots/{current}/manifest.json"), b'{"files": {"../../x.parquet": ""}}')
    with pytest.raises(PolicylakeError, match=r"damaged .*lists no files"):
        open_lake(there)
    assert not list(cache.with_name("another").rglob("*.parquet"))


def test_old_snapshots_at_a_url_go_as_well(there):
    ids = [publish(there, number) for number in (1, 2, 3)]
    publish(there, 1)
    remote.write(remote.below(there, "snapshots/half/accounts/0.parquet"), b"half")
    spared = collect(there, keep=1, grace=3600)
    assert [one.is_removed for one in spared] == [False] * 4
    before = keys(there)
    told = collect(there, keep=2, grace=0, is_dry=True)
    assert keys(there) == before
    found = collect(there, keep=2, grace=0)
    assert [(one.name, one.is_removed) for one in found] == [(one.name, one.is_removed) for one in told]
    assert {one.name for one in found if one.is_removed} == {ids[1], "half"}
    assert {key.split("/")[1] for key in keys(there) if "/" in key} == {ids[0], ids[2]}
    assert open_lake(there).query(COUNT)["n"].to_pylist() == [1]


def test_where_there_is_no_lake_it_is_said_what_to_run(there, monkeypatch):
    url = f"s3://bucket/{there.name}"
    done = run(monkeypatch, "sql", COUNT, "--lake", url)
    assert (done.code, done.err) == (
        2,
        f"policylake: {url}: no snapshot here; run: policylake build INPUT... --lake {url}\n",
    )
    assert f"{url}: no such file or folder; check the URL" in run(monkeypatch, "build", url, "--lake", "x").err
    done = run(monkeypatch, "gc", "--lake", url)
    assert (done.code, done.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("url", ["s3://nowhere/at/all", "abfs://x/y", "s3://bucket/x?nosuch=option"])
def test_a_url_that_cannot_be_reached_is_told(url, cache, tmp_path, monkeypatch):
    for command in (["build", url, "--lake", str(tmp_path / "lake")], ["sql", COUNT, "--lake", url]):
        done = run(monkeypatch, *command)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "Traceback" not in done.err


def test_a_store_that_does_not_answer_is_told(cache, monkeypatch, tmp_path):
    done = run(
        monkeypatch, "build", "s3://bucket/x?scheme=http&endpoint_override=127.0.0.1:9", "--lake", str(tmp_path / "l")
    )
    assert done.code == 2
    assert "s3://bucket/x: cannot be reached (" in done.err
    assert "check the URL, the network and the credentials" in done.err


def test_the_endpoint_may_stand_in_the_url(there, endpoint, monkeypatch):
    put(SAMPLE / "policies", there)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    url = Path(f"s3://bucket/{there.name}?scheme=http&endpoint_override={endpoint.removeprefix('http://')}")
    inputs = read_inputs([url])
    assert {source.path.partition("?")[1] for source in inputs.sources} == {""}
    assert len(inputs.sources) > 5


def test_a_file_url_is_a_path(tmp_path, monkeypatch):
    inputs = put_inputs(tmp_path / "in put")
    url = "file://" + str(inputs).replace(" ", "%20")
    done = run(monkeypatch, "build", url, "--lake", f"file://{tmp_path}/lake", "--quiet")
    assert done.code == 3
    assert open_lake(tmp_path / "lake").snapshot_id == open_lake(Path(f"file://{tmp_path}/lake")).snapshot_id
    assert run(monkeypatch, "sql", COUNT, "--lake", f"file://{tmp_path}/lake").code == 0
    assert collect(Path(f"file://{tmp_path}/lake"), keep=1, grace=0)[0].reason == "current"


def test_a_build_that_is_killed_leaves_nothing_that_is_current(there, cache, tmp_path):
    first = publish(there, 1)
    script = """
import os, signal, sys
from pathlib import Path
from pipeline import remote
from test_lake import publish
kept = remote.upload
def upload(source, path):
    if str(path).endswith("manifest.json"):
        os.kill(os.getpid(), signal.SIGKILL)
    kept(source, path)
remote.upload = upload
publish(Path(sys.argv[1]), 2)
"""
    done = subprocess.run([sys.executable, "-c", script, str(there)], cwd=Path(__file__).parent)
    assert done.returncode == -9
    assert open_lake(there).snapshot_id == first
    assert [one.reason for one in collect(there, keep=1, grace=0)] == ["current", "left by a build that died"]


def test_a_copy_belongs_to_its_url(cache):
    assert copy_of(Path("s3://bucket/a")) != copy_of(Path("s3://bucket/b"))
    assert copy_of(Path("s3://bucket/a")).is_relative_to(cache)
