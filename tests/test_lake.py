"""A lake: the same input gives the same bytes, snapshots are whole or not there, two builds do not mix."""

import filecmp
import json
import os
import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from cli_run import run
from ingest_inputs import arn, attached, document, export, group, inline, managed, role, user, write
from loading import load_rows

from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.lake import new_snapshot, open_lake
from pipeline.lake.dictionary import relation, relations
from pipeline.lake.duck import connect
from pipeline.lake.locks import locked, write_whole

COUNT = "select count(*) as n from principals"


def put_inputs(folder):
    policy = managed(arn("policy/p"), document("sagemaker:Create*"))
    boundary = {"PermissionsBoundary": {"PermissionsBoundaryArn": arn("policy/p")}}
    groups = [group("g", AttachedManagedPolicies=[attached(arn("policy/p"))])]
    write(folder, "a.json", export([user("ana", GroupList=["g"], **boundary)], groups, policies=[policy]))
    write(folder, "b.json", export([user("ben", GroupList=["g"], UserPolicyList=[inline("i", document())])], groups))
    write(folder, "c.json", export(roles=[role("exec", RolePolicyList=[inline("j", document("sagemaker:*"))])]))
    write(folder, "bad.json", '{"Version": "2012-10-17", "Statement": [')
    return folder


def tree(folder):
    """Return the bytes of every file below a folder, but for what a lake keeps for the next build."""
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith("cache/")}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return put_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def built(inputs, tmp_path_factory):
    lake = tmp_path_factory.mktemp("built") / "lake"
    build_lake([inputs], lake)
    return lake


@pytest.fixture
def lake(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "lake"))


def test_two_arns_of_one_document_and_tags_given_twice_are_written(tmp_path):
    arns = ["arn:aws:iam::aws:policy/Reader", arn("policy/team/Reader")]
    tags = [{"Key": "team", "Value": "1"}, {"Key": "team", "Value": "2"}]
    users = [user(AttachedManagedPolicies=[attached(policy_arn) for policy_arn in arns], Tags=tags)]
    policies = [managed(policy_arn, document()) for policy_arn in arns]
    path = write(tmp_path, "a.json", export(users, policies=policies))
    build_lake([path], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    for name in ("attachments", "principal_policies"):
        grain = ", ".join(relation(name).grain)
        rows = lake.query(f"select distinct {grain} from {name} where policy_arn is not null").to_pylist()
        assert sorted(row["policy_arn_key"] for row in rows) == sorted(arns)
    (found,) = lake.query("select is_incomplete, cast(tags as varchar) as tags from principals").to_pylist()
    assert found == {"is_incomplete": True, "tags": "{team=2}"}


def test_a_lake_holds_what_it_should_and_no_more(built):
    current = (built / "CURRENT").read_text().strip()
    assert sorted(path.name for path in built.iterdir()) == ["CURRENT", "cache", "policylake.duckdb", "snapshots"]
    assert [path.name for path in (built / "snapshots").iterdir()] == [current]
    manifest = json.loads((built / "snapshots" / current / "manifest.json").read_text())
    assert manifest["id"] == current
    assert [Path(source["path"]).name for source in manifest["inputs"]] == ["a.json", "b.json", "bad.json", "c.json"]
    assert manifest["rejects"] == {"error": 1, "warning": 0}


def test_the_same_input_gives_the_same_bytes_whatever_order_it_is_given_in(built, inputs, tmp_path):
    files = sorted(inputs.iterdir(), reverse=True)
    build_lake([files[2], *files], tmp_path / "again")
    once, again = tree(built / "snapshots"), tree(tmp_path / "again" / "snapshots")
    assert list(once) == list(again)
    assert [name for name in once if once[name] != again[name]] == []


def test_building_again_changes_nothing(lake, inputs):
    before = tree(lake / "snapshots")
    build_lake([inputs], lake)
    assert tree(lake / "snapshots") == before


def test_a_new_snapshot_leaves_the_former_as_it_was(lake, tmp_path):
    before, former = tree(lake / "snapshots"), open_lake(lake)
    write(tmp_path, "d.json", export([user("dora")]))
    build_lake([tmp_path / "d.json"], lake)
    assert {name: data for name, data in tree(lake / "snapshots").items() if name in before} == before
    assert open_lake(lake).query(COUNT)["n"].to_pylist() == [1]
    assert former.query(COUNT)["n"].to_pylist() == [4]


@pytest.mark.parametrize("damage", ["lost", "cut"])
def test_building_again_mends_a_damaged_snapshot(damage, lake, inputs):
    before = tree(lake / "snapshots")
    (place,) = (lake / "snapshots").glob("*/principals/*.parquet")
    if damage == "lost":
        shutil.rmtree(place.parent)
    else:
        place.write_bytes(place.read_bytes()[:100])
    with pytest.raises(PolicylakeError, match="build it again"):
        open_lake(lake)
    build_lake([inputs], lake)
    assert tree(lake / "snapshots") == before
    assert sorted(path.name for path in (lake / "snapshots").iterdir()) == [(lake / "CURRENT").read_text().strip()]


#: Holds a snapshot open, half written, until it is told to stop.
HALF = """
import sys
from pathlib import Path
from pipeline.lake import new_snapshot
with new_snapshot(Path(sys.argv[1])) as snapshot:
    (snapshot.folder / "half").write_text("half")
    print(snapshot.folder, flush=True)
    sys.stdin.read()
"""


def start_half(lake):
    process = subprocess.Popen(
        [sys.executable, "-c", HALF, str(lake)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, Path(process.stdout.readline().strip())


def test_a_build_that_is_killed_leaves_the_snapshot_and_the_next_one_tidies_up(lake, inputs):
    before = tree(lake)
    process, folder = start_half(lake)
    process.kill()
    process.communicate()
    assert (folder / "half").exists()
    (lake / ".policylake.duckdb-x").write_text("half")
    (lake / ".policylake.duckdb-x.part").write_text("half")
    (lake / ".CURRENT.part").write_text("half")
    assert {name: data for name, data in tree(lake).items() if name[0] != "." and ".building-" not in name} == before
    assert open_lake(lake).query(COUNT)["n"].to_pylist() == [4]
    build_lake([inputs], lake)
    assert not folder.exists()
    assert sorted(path.name for path in lake.iterdir()) == ["CURRENT", "cache", "policylake.duckdb", "snapshots"]


def test_a_build_that_runs_keeps_its_folder_while_another_ends(lake, inputs):
    process, folder = start_half(lake)
    try:
        build_lake([inputs], lake)
        assert (folder / "half").exists()
    finally:
        process.communicate("stop")
    assert not folder.exists()


def test_a_build_that_fails_leaves_nothing_behind(lake):
    before = tree(lake)

    def fail():
        with new_snapshot(lake) as snapshot:
            (snapshot.folder / "half").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert tree(lake) == before


def publish(lake, number):
    """Publish a snapshot that holds that number of accounts, all other relations empty."""
    connection = connect()
    for r in relations():
        rows = [(f"{n:012}", None, None, None, False, None, True) for n in range(number)]
        load_rows(connection, r, rows if r.name == "accounts" else [])
    with new_snapshot(lake) as snapshot:
        for r in relations():
            snapshot.write(connection, r)
        return snapshot.publish({"services": []})


def accounts_of_views(lake):
    """How many accounts the views show to any DuckDB client."""
    plain = duckdb.connect(str(lake / "policylake.duckdb"), read_only=True)
    return plain.execute("select count(*) from accounts").fetchone()[0]


def accounts_of_pointer(lake):
    """How many accounts the snapshot has that CURRENT names."""
    snapshot = lake / "snapshots" / (lake / "CURRENT").read_text().strip()
    return duckdb.read_parquet(str(snapshot / "accounts" / "0.parquet")).shape[0]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_builds_at_once_do_not_mix(tmp_path):
    numbers = [1, 2, 3, 2, 1]
    with ThreadPoolExecutor(3) as pool:
        ids = list(pool.map(lambda number: publish(tmp_path, number), numbers))
    assert names(tmp_path / "snapshots") == sorted(set(ids))
    assert [ids.index(snapshot_id) for snapshot_id in ids] == [0, 1, 2, 1, 0]
    opened = open_lake(tmp_path)
    shown = opened.query("select count(*) as n from accounts")["n"][0].as_py()
    assert ids[numbers.index(shown)] == opened.snapshot_id
    assert accounts_of_views(tmp_path) == shown


def test_a_snapshot_that_is_whole_is_never_written_again(tmp_path):
    first = tmp_path / "snapshots" / publish(tmp_path, 1)
    before = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted(first.rglob("*"))]
    publish(tmp_path, 1)
    assert [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted(first.rglob("*"))] == before


def test_snapshots_of_other_files_have_other_ids_whatever_else_is_equal(tmp_path):
    first = tmp_path / "snapshots" / publish(tmp_path, 1)
    before = tree(first)
    connection = connect()
    with new_snapshot(tmp_path) as snapshot:
        for r in relations():
            rows = [("other", None, None, None, False, None, True)] if r.name == "accounts" else []
            load_rows(connection, r, rows)
            snapshot.write(connection, r)
        assert snapshot.publish({"services": []}) != first.name
    assert tree(first) == before


class Killed(BaseException):
    """Stands for the end of the process: nothing cleans up after it."""


def test_a_build_that_dies_before_the_pointer_changes_leaves_both_names_as_they_were(tmp_path, monkeypatch):
    publish(tmp_path, 1)
    monkeypatch.setattr("pipeline.lake.current.write_whole", dying(write_whole, at=2))
    monkeypatch.setattr("pathlib.Path.unlink", lambda *_, **__: None)
    with pytest.raises(Killed):
        publish(tmp_path, 2)
    monkeypatch.undo()
    assert accounts_of_views(tmp_path) == accounts_of_pointer(tmp_path) == 1
    open_lake(tmp_path)
    assert accounts_of_views(tmp_path) == accounts_of_pointer(tmp_path) == 1
    publish(tmp_path, 3)
    assert names(tmp_path) == ["CURRENT", "policylake.duckdb", "snapshots"]
    assert accounts_of_views(tmp_path) == accounts_of_pointer(tmp_path) == 3


def dying(function, at):
    """Return the function, whose call of that number ends the process instead."""
    calls = []

    def called(*arguments):
        calls.append(arguments)
        if len(calls) == at:
            raise Killed
        return function(*arguments)

    return called


@pytest.mark.parametrize("again", [open_lake, lambda lake: publish(lake, 2)], ids=["opened", "built again"])
def test_a_build_that_dies_between_the_two_names_is_completed(again, tmp_path, monkeypatch):
    publish(tmp_path, 1)
    monkeypatch.setattr("pipeline.lake.current._complete", dying(None, at=1))
    monkeypatch.setattr("pipeline.lake.write.tidy", lambda _: None)
    with pytest.raises(Killed):
        publish(tmp_path, 2)
    monkeypatch.undo()
    assert (accounts_of_views(tmp_path), accounts_of_pointer(tmp_path)) == (1, 2)
    again(tmp_path)
    assert accounts_of_views(tmp_path) == accounts_of_pointer(tmp_path) == 2
    assert names(tmp_path) == ["CURRENT", "policylake.duckdb", "snapshots"]


def test_a_change_that_another_process_makes_is_left_to_it(tmp_path, monkeypatch):
    publish(tmp_path, 1)
    waiting = write(tmp_path, f".policylake.duckdb-{(tmp_path / 'CURRENT').read_text().strip()}", "not yet")
    with locked(tmp_path / "snapshots"):
        open_lake(tmp_path)
    assert waiting.read_text() == "not yet"
    assert accounts_of_views(tmp_path) == 1


@pytest.mark.parametrize("name", ["CURRENT", "policylake.duckdb"])
def test_a_folder_in_the_way_of_a_name_changes_nothing(name, tmp_path):
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(PolicylakeError, match=rf"{name}: a folder is in the way; move it"):
        publish(tmp_path, 1)
    assert names(tmp_path) == sorted([name, "snapshots"])
    assert names(tmp_path / "snapshots") == []


def test_a_pointer_that_cannot_be_written_changes_nothing(tmp_path, monkeypatch):
    publish(tmp_path, 1)
    before = tree(tmp_path)

    def full(path, data):
        if path.name == "CURRENT":
            raise OSError(28, "No space left on device")
        return write_whole(path, data)

    monkeypatch.setattr("pipeline.lake.current.write_whole", full)
    with pytest.raises(PolicylakeError, match=r"No space left on device; make room .* still current"):
        publish(tmp_path, 2)
    assert tree(tmp_path) == before


def test_a_damaged_snapshot_comes_back_where_the_mending_fails(tmp_path, monkeypatch):
    first = tmp_path / "snapshots" / publish(tmp_path, 1)
    publish(tmp_path, 2)
    (first / "accounts" / "0.parquet").write_bytes(b"damaged")
    before = tree(tmp_path)
    monkeypatch.setattr("pipeline.lake.current.database", dying(None, at=1))
    with pytest.raises(Killed):
        publish(tmp_path, 1)
    assert tree(tmp_path) == before


def test_a_temp_folder_that_is_full_leaves_the_views_as_they_were(tmp_path):
    publish(tmp_path, 1)
    before = tree(tmp_path)
    said = subprocess.run(
        [sys.executable, "-c", SMALL, str(tmp_path)], capture_output=True, text=True, check=True, cwd=HERE
    )
    assert "policylake.duckdb cannot be made here" in said.stdout
    assert "name another folder with TMPDIR; nothing changed" in said.stdout
    assert tree(tmp_path) == before
    assert accounts_of_views(tmp_path) == 1


HERE = Path(__file__).parent
#: A limit on the size of files that the views' database is the only one to reach.
SMALL = """
import resource, sys
from pathlib import Path
from test_lake import publish
from pipeline.errors import PolicylakeError
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    publish(Path(sys.argv[1]), 2)
except PolicylakeError as error:
    print(error)
"""


@pytest.mark.parametrize("error", [duckdb.OutOfMemoryException, duckdb.IOException])
def test_an_evaluation_that_finds_no_room_is_told(error, lake, inputs, monkeypatch):
    def full(*_):
        raise error("Out of Memory Error: failed to offload data block\n\nLINE 1: ...")

    shutil.rmtree(lake / "cache")
    before = tree(lake)
    monkeypatch.setattr("pipeline.account_groups.evaluate", full)
    with pytest.raises(
        PolicylakeError, match=r"failed to offload data block\); make room or name another folder with T"
    ):
        build_lake([inputs], lake)
    assert tree(lake) == before


def test_a_failure_of_what_fills_the_snapshot_is_no_failure_to_write(tmp_path):
    with pytest.raises(PermissionError), new_snapshot(tmp_path):
        raise PermissionError(13, "Permission denied", "exports/x.json")


def test_a_lake_whose_path_is_no_text_is_told(tmp_path):
    place = tmp_path / os.fsdecode(b"l\xff") / "lake"
    with pytest.raises(PolicylakeError, match="bytes that are no UTF-8; give a folder"), new_snapshot(place):
        pass
    with pytest.raises(PolicylakeError, match="bytes that are no UTF-8; give a folder"):
        open_lake(place)
    assert names(tmp_path) == []


def test_the_pointer_is_a_file_of_one_line_that_others_may_read(built):
    assert (built / "CURRENT").read_text().count("\n") == 1
    assert (built / "CURRENT").stat().st_mode & 0o444 == 0o444


NAMES = ["it's", "a[1]", "st*r", "wh?t", 'do"uble', "back\\slash", "spa ce", "per%20", "new\nline", "ünï", "br{a}ce"]


@pytest.mark.parametrize("name", NAMES)
def test_a_lake_may_lie_in_a_folder_of_any_name(name, built, tmp_path):
    place = Path(shutil.copytree(built, tmp_path / name / "lake"))
    shutil.copytree(built, tmp_path / "wheat" / "lake")
    assert open_lake(place).query(COUNT)["n"].to_pylist() == [4]
    publish(place, 3)
    assert open_lake(place).query("select count(*) as n from accounts")["n"].to_pylist() == [3]
    database = shutil.copy(place / "policylake.duckdb", tmp_path)
    plain = duckdb.connect(database, read_only=True)
    assert plain.execute("select count(*) from accounts").fetchone() == (3,)


def test_a_lake_that_was_moved_still_answers(lake, tmp_path):
    moved = lake.rename(tmp_path / "elsewhere")
    assert open_lake(moved).query(COUNT)["n"].to_pylist() == [4]


def test_a_lake_is_opened_by_a_relative_path_and_by_a_link(lake, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(lake)
    monkeypatch.chdir(tmp_path)
    for path in (Path("lake"), Path("link"), tmp_path / "x" / ".." / "lake"):
        (tmp_path / "x").mkdir(exist_ok=True)
        assert open_lake(path).query(COUNT)["n"].to_pylist() == [4]


def test_any_client_sees_the_views_and_their_comments_from_any_folder(lake, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    plain = duckdb.connect(str(lake / "policylake.duckdb"), read_only=True)
    assert plain.execute("select count(*) from access").fetchone()[0] > 0
    views = dict(plain.execute("select view_name, comment from duckdb_views() where not internal").fetchall())
    assert views == {r.name: r.description for r in relations()}
    columns = plain.execute("select table_name, column_name, comment from duckdb_columns() where not internal")
    assert sorted(columns.fetchall()) == sorted((r.name, c.name, c.description) for r in relations() for c in r.columns)


def test_a_relation_has_the_columns_of_the_dictionary_in_order_and_type(built):
    opened = open_lake(built)
    for r in relations():
        schema = opened.query(f"select * from {r.name} limit 0").schema
        assert schema.names == r.schema.names, r.name
        assert [field.type for field in schema] == [field.type for field in r.schema], r.name


@pytest.mark.parametrize("content", [None, "", "nosuch\n", "../..\n", "\0", b"\xff\n"])
def test_a_lake_without_a_snapshot_says_what_to_run(content, tmp_path):
    if content is not None:
        write(tmp_path, "CURRENT", content)
    with pytest.raises(PolicylakeError, match=r"build INPUT\.\.\. --lake|build it again"):
        open_lake(tmp_path)


@pytest.mark.parametrize("manifest", ["", "{", "[]"])
def test_a_damaged_manifest_says_what_to_do(manifest, lake):
    (place,) = (lake / "snapshots").glob("*/manifest.json")
    place.write_text(manifest)
    with pytest.raises(PolicylakeError, match="build it again"):
        open_lake(lake)


@pytest.mark.parametrize(
    ("made", "by"),
    [
        (None, "an earlier"),
        ({"number": 0, "relations": "0"}, "an earlier"),
        ({"number": 1, "relations": "0"}, "an earlier"),
        ({"number": 10**6, "relations": "0"}, "a later"),
        ("1", "an earlier"),
    ],
    ids=["no format", "lower number", "other columns", "higher number", "no object"],
)
@pytest.mark.parametrize(
    "command",
    [
        ("who-can", "sagemaker:CreateModel"),
        ("principal-can", "ana"),
        ("explain", "ana", "sagemaker:CreateModel"),
        ("sql", "select 1"),
        ("query", "role_passers"),
        ("report",),
        ("simulate",),
    ],
    ids=lambda command: command[0],
)
def test_every_command_says_that_another_policylake_made_the_snapshot(made, by, command, lake, monkeypatch):
    (place,) = (lake / "snapshots").glob("*/manifest.json")
    manifest = {**json.loads(place.read_text()), "format": made}
    place.write_text(json.dumps(manifest if made else {k: v for k, v in manifest.items() if k != "format"}))
    line = f'{{"principal": "{arn("user/ana")}", "action": "sagemaker:ListModels", "resource": "*"}}\n'
    done = run(monkeypatch, *command, "--lake", str(lake), stdin=line)
    remedy = f"build it again: policylake build INPUT... --lake {lake}"
    assert (done.code, done.err) == (2, f"policylake: {lake}: this snapshot was made by {by} policylake; {remedy}\n")


def test_a_lake_that_is_a_file_is_told(tmp_path):
    (tmp_path / "lake").write_text("mine")
    with pytest.raises(PolicylakeError, match=r"no snapshot here; run: policylake build"):
        open_lake(tmp_path / "lake")
    with pytest.raises(PolicylakeError, match=r"lake: Not a directory; give a folder"), new_snapshot(tmp_path / "lake"):
        pass
    assert (tmp_path / "lake").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PolicylakeError, match="Permission denied; give a folder"), new_snapshot(tmp_path / "lake"):
        pass


FULL = """
import resource, sys
from pathlib import Path
from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    build_lake([Path(sys.argv[1])], Path(sys.argv[2]))
except PolicylakeError as error:
    print(error)
"""


def test_a_disk_that_is_full_leaves_the_former_snapshot(lake, inputs):
    assert hasattr(resource, "RLIMIT_FSIZE")
    before = tree(lake)
    said = subprocess.run(
        [sys.executable, "-c", FULL, str(inputs), str(lake)], capture_output=True, text=True, check=True
    )
    assert "the former snapshot is still current" in said.stdout
    assert tree(lake) == before


def test_a_text_with_half_a_character_is_written_as_its_escape(tmp_path):
    connection = connect()
    load_rows(connection, relation("memberships"), [("arn:\ud800", "g")])
    with new_snapshot(tmp_path) as snapshot:
        assert snapshot.write(connection, relation("memberships")) == 1
        assert snapshot.counts() == {"memberships": 1}
        rows = connection.execute(f"from '{snapshot.folder}/memberships/0.parquet'").fetchall()
    assert rows == [("arn:\\ud800", "g")]


def test_two_lakes_of_one_input_are_the_same_to_a_directory_comparison(built, lake):
    assert filecmp.dircmp(built / "snapshots", lake / "snapshots").diff_files == []
