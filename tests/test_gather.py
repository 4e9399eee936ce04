"""Reading in shards and processes gives what reading everything at once gives: rows, rejects and the lake's bytes."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ingest_inputs import CASES, arn, attached, document, export, group, inline, managed, role, user, write

from bench.generate import generate
from pipeline import gather, reference, workers
from pipeline.build import build_lake
from pipeline.cache import Cache, cache_in
from pipeline.errors import PolicylakeError
from pipeline.flatten import flatten
from pipeline.flattened import joined, without_documents
from pipeline.ingest import read_inputs, shards
from pipeline.lake.columns import rows_table
from pipeline.lake.dictionary import relation
from pipeline.progress import silent

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "organization"
AWS_POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
OTHER = "444455556666"
TRUSTED = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*",
           "Principal": {"AWS": "*"}}]}  # fmt: skip


@pytest.fixture
def smallest(monkeypatch):
    """Every file a shard and a group of its own, and other processes worth their start for any input."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 1)
    monkeypatch.setattr(shards, "GROUP_MOST", 1)
    monkeypatch.setattr(gather, "WORTH_PROCESSES", 0)


@pytest.fixture
def lake(tmp_path_factory):
    return tmp_path_factory.mktemp("lake")


def in_order(name, table):
    return sorted(table.to_pylist(), key=lambda row: [repr(row[column]) for column in relation(name).grain])


def gathered_from(paths, cache, *, latest=False, processes=1, with_trusts=False):
    return gather.gather(
        paths, reference.load(), cache, latest=latest, processes=processes, with_trusts=with_trusts, progress=silent
    )


def everything(gathered):
    """Return the rows of all groups, each document where it is written."""
    groups = [without_documents(gather.tables_of(group), group.elsewhere) for group in gathered.groups]
    return joined([gathered.shared, *groups])


def assert_same(paths, folder, processes=1, latest=False):
    """Assert that gathering gives the rows of reading at once, with an empty cache and a full one; return them."""
    known = reference.load()
    read = read_inputs(paths, latest=latest)
    expected = flatten(read, lambda key: known.key(key) is not None)
    with cache_in(folder, (), is_kept=True) as cache:
        gathered_from(paths, cache, latest=latest)
    for keeps in (True, False):
        with cache_in(folder, (), is_kept=keeps) as cache:
            gathered = gathered_from(paths, cache, latest=latest, processes=processes)
            tables = everything(gathered)
        assert tables.keys() == expected.keys()
        rows = {}
        for name, listed in expected.items():
            rows[name] = in_order(name, tables[name])
            wanted = rows_table(relation(name), listed)
            assert rows[name] == in_order(name, wanted.select(tables[name].column_names)), name
        assert gathered.rejects == read.rejects
        assert gathered.sources == read.sources
    return rows


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("folder", [SAMPLE, CASES / "example"], ids=["sample", "example"])
def test_shards_give_what_reading_at_once_gives(folder, processes, lake, smallest):
    assert assert_same([folder], lake, processes)["principals"]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_generated_organization_gives_the_same_in_shards(processes, tmp_path, lake, smallest):
    generate(tmp_path, accounts=4, principals=30, seed=11)
    assert_same([tmp_path], lake, processes)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_account_in_several_files_is_put_together_across_shards(processes, tmp_path, lake, smallest):
    write(
        tmp_path,
        "users.json",
        export([user(GroupList=["DevTeam1"], AttachedManagedPolicies=[attached(arn("policy/p"))])]),
    )
    write(tmp_path, "groups.json", export(groups=[group()], policies=[managed(arn("policy/p"), document())]))
    other = {"Arn": arn("role/r", OTHER), "RoleName": "r", "AssumeRolePolicyDocument": TRUSTED}
    write(tmp_path, "both.json", export(roles=[other, role("x", AttachedManagedPolicies=[attached(arn("policy/q"))])]))
    rows = assert_same([tmp_path], lake, processes)
    assert rows["memberships"]
    assert [reject["code"] for reject in rows["rejects"]] == ["resource-in-trust", "missing-policy"]


def test_policies_of_a_file_that_names_no_account_count_in_other_shards(tmp_path, lake, smallest):
    named = [attached(AWS_POLICY), attached(arn("policy/nowhere"))]
    write(tmp_path, "a.json", export([user(AttachedManagedPolicies=named)]))
    write(tmp_path, "b.json", export([{"Arn": arn("user/b", OTHER), "UserName": "b"}]))
    write(tmp_path, "z.json", export(policies=[managed(AWS_POLICY, document())]))
    rows = assert_same([tmp_path], lake)
    assert [row["policy_name"] for row in rows["attachments"]] == ["ReadOnlyAccess"]


def test_what_an_account_lacks_is_told_of_principals_settled_before(tmp_path, lake, smallest):
    write(tmp_path, "a.json", export([user(GroupList=["none"]), user("ben")]))
    write(tmp_path, "b.json", export([{"Arn": arn("user/b", OTHER), "UserName": "b"}]))
    write(tmp_path, "r.json", [{"ResourceArn": arn("thing/x").replace("iam", "sns"), "ResourcePolicy": "broken"}])
    write(tmp_path, "p.json", export([{"Arn": arn("user/c", OTHER), "UserName": "c"}]) | {"IsTruncated": True})
    rows = assert_same([tmp_path], lake, latest=True)
    missing = {row["principal_name"]: len(row["missing"]) for row in rows["principals"]}
    assert missing["ana"] == 2
    assert missing["ben"] == 1


def test_a_document_read_as_several_kinds_in_several_shards_has_all_its_elements(tmp_path, lake, smallest):
    for number, shown in enumerate([TRUSTED, dict(reversed(TRUSTED.items()))]):
        account = f"{number}" * 12
        write(tmp_path, f"i{number}.json", export([{"Arn": arn("user/u", account), "UserName": "u",
              "UserPolicyList": [inline("p", shown)]}]))  # fmt: skip
        write(tmp_path, f"t{number}.json", export(roles=[{"Arn": arn("role/r", f"{number + 5}" * 12), "RoleName": "r",
              "AssumeRolePolicyDocument": shown}]))  # fmt: skip
    rows = assert_same([tmp_path], lake)
    (statement,) = rows["statements"]
    assert (statement["resource_element"], statement["principal_element"]) == ("Resource", "Principal")
    assert len(rows["resources"]) == len(rows["statement_principals"]) == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_contradictions_across_shards_are_refused_in_the_same_words(processes, tmp_path, lake, smallest):
    for account in (OTHER, "000011112222"):
        for name in ("one", "two"):
            listed = [{"Arn": arn("user/u", account), "UserName": "u", "Path": f"/{name}/"}]
            write(tmp_path, f"{account[0]}{name}.json", export(listed))
    with pytest.raises(PolicylakeError) as at_once:
        read_inputs([tmp_path])
    with pytest.raises(PolicylakeError) as in_shards:
        gathered_from([tmp_path], Cache(lake, False), processes=processes)
    assert str(in_shards.value) == str(at_once.value)
    assert_same([tmp_path], lake, processes, latest=True)


def test_files_whose_names_tell_one_account_make_one_shard(tmp_path):
    names = [f"{folder}/{number}.json" for folder in ("users", "roles") for number in (OTHER, "111122223333")]
    paths = [write(tmp_path, name, export()) for name in names]
    files = [
        shards.InputFile(path.as_posix(), name.removesuffix(".json"), path)
        for name, path in zip(names, paths, strict=True)
    ]
    ((one,),) = shards.cut(files)
    assert [Path(file.name).name for file in one] == [OTHER, OTHER, "111122223333", "111122223333"]


def test_the_lake_has_the_same_bytes_whatever_the_number_of_processes(tmp_path, lake, smallest):
    generate(tmp_path / "in", accounts=3, principals=20, seed=2)
    ids = {build_lake([tmp_path / "in", SAMPLE], tmp_path / f"{n}", processes=n).snapshot_id for n in (1, 2)}
    assert len(ids) == 1


DYING = """
import os, signal
from pathlib import Path
from pipeline import gather, workers
from pipeline.cli import main
from pipeline.ingest import shards
own = "OWN_PROCESS"
def dies(shard):
    os.kill(os.getpid(), signal.SIGKILL) if str(os.getpid()) != os.environ[own] else None
    return kept(shard)
kept = gather.read_shard
shards.SHARD_BYTES, gather.WORTH_PROCESSES, gather.read_shard = 1, 0, dies
if __name__ == "__main__":
    os.environ[own] = str(os.getpid())
    main()
"""


def test_a_process_that_dies_while_reading_is_told_in_words_and_leaves_no_snapshot(tmp_path):
    script = tmp_path / "dying.py"
    script.write_text(DYING)
    done = subprocess.run(
        [sys.executable, str(script), "build", str(SAMPLE), "--lake", str(tmp_path / "lake"), "--processes", "2"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"policylake: {workers.DIED}; {workers.REMEDY}"
    assert "Traceback" not in done.stderr
    assert not any((tmp_path / "lake" / "snapshots").iterdir()) or not (tmp_path / "lake" / "CURRENT").exists()


def test_small_inputs_are_read_without_other_processes(tmp_path, lake, monkeypatch):
    monkeypatch.setattr(workers, "_executor", lambda processes: pytest.fail("started"))
    write(tmp_path, "a.json", json.dumps(export([user()])))
    gathered_from([tmp_path], Cache(lake, False), processes=8)


def test_a_pipe_is_read_once_and_here_even_where_another_file_holds_its_account(tmp_path, lake, smallest):
    os.mkfifo(tmp_path / "pipe.json")
    listed = json.dumps(export([user(GroupList=["DevTeam1"])]))
    threading.Thread(target=(tmp_path / "pipe.json").write_text, args=(listed,), daemon=True).start()
    paths = [tmp_path / "pipe.json", write(tmp_path, "groups.json", export(groups=[group()]))]
    gathered = gathered_from(paths, Cache(lake, False), processes=2)
    assert everything(gathered)["memberships"].num_rows == 1
    assert gathered.rejects == ()
