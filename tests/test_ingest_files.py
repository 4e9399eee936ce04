"""Files are found, unpacked and decoded; whatever they are called, their names are printable."""

import gc
import gzip
import hashlib
import os
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from ingest_inputs import document, only_reject, read, write

from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.ingest import read_inputs
from pipeline.progress import Step

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


@pytest.mark.parametrize(
    "stored",
    [
        POLICY.encode(),
        b"\xef\xbb\xbf" + POLICY.encode(),
        POLICY.encode("utf-16"),
        ("\ufeff" + POLICY).encode("utf-16-le"),
        ("\ufeff" + POLICY).encode("utf-16-be"),
        gzip.compress(POLICY.encode()),
        gzip.compress(POLICY.encode("utf-16")),
    ],
    ids=["UTF-8", "UTF-8 with mark", "UTF-16", "UTF-16 LE", "UTF-16 BE", "gzip", "gzip of UTF-16"],
)
def test_an_encoding_that_tells_itself_is_read(stored, tmp_path):
    inputs = read(tmp_path, "p.json", stored)
    assert inputs.rejects == ()
    assert [p.principal_arn for p in inputs.principals] == ["policy/p"]


@pytest.mark.parametrize(
    ("stored", "line", "column", "message"),
    [
        ('{"a":\n "é"}'.encode("latin-1"), 2, 3, "neither UTF-8 nor UTF-16 at byte 8"),
        (POLICY.encode("utf-32"), 1, 1, "UTF-32"),
        (("\ufeff" + POLICY).encode("utf-16-le")[:-1], 1, 85, "damaged UTF-16 at byte 170"),
    ],
    ids=["Latin-1", "UTF-32", "half a character"],
)
def test_another_encoding_is_rejected_with_its_place(stored, line, column, message, tmp_path):
    reject = only_reject(read(tmp_path, "p.json", stored))
    assert (reject.code, reject.line, reject.column) == ("encoding", line, column)
    assert message in reject.message


@pytest.mark.parametrize(
    "stored",
    [gzip.compress(POLICY.encode())[:-9], b"\x1f\x8bxx", gzip.compress(b"x" * 9)[:12] + b"!" * 20],
    ids=["cut off", "no header", "other bytes"],
)
def test_damaged_gzip_is_rejected(stored, tmp_path):
    reject = only_reject(read(tmp_path, "p.json.gz", stored))
    assert (reject.code, reject.line) == ("damaged-gzip", None)


def test_a_file_that_is_compressed_twice_is_rejected_as_such(tmp_path):
    reject = only_reject(read(tmp_path, "p.json.gz", gzip.compress(gzip.compress(POLICY.encode()))))
    assert (reject.code, "compressed twice" in reject.message) == ("damaged-gzip", True)


def test_folders_are_searched_for_all_endings_and_no_others(tmp_path):
    for name in ("a.json", "deep/er/b.jsonc", "c.json.gz", "d.jsonc.gz", "E.JSON"):
        write(tmp_path, name, POLICY)
    for name in ("f.txt", "g.jsonl", "h.json.bak", "json"):
        write(tmp_path, name, "not read")
    names = [p.principal_arn for p in read_inputs([tmp_path]).principals]
    assert names == ["policy/E", "policy/a", "policy/c", "policy/d", "policy/deep/er/b"]


def test_a_file_named_directly_is_read_whatever_its_ending(tmp_path):
    assert read(tmp_path, "p.policy", POLICY).principals[0].principal_arn == "policy/p"


def test_a_file_reached_in_several_ways_is_read_once(tmp_path):
    path = write(tmp_path, "folder/p.json", POLICY)
    os.symlink("p.json", tmp_path / "folder" / "same.json")
    inputs = read_inputs([path, tmp_path, tmp_path / "folder"])
    assert len(inputs.sources) == len(inputs.principals) == 1


def test_folders_that_link_in_a_circle_are_searched_once(tmp_path):
    write(tmp_path, "folder/p.json", POLICY)
    os.symlink("..", tmp_path / "folder" / "up")
    assert len(read_inputs([tmp_path]).sources) == 1


def test_a_link_that_leads_nowhere_is_rejected(tmp_path):
    os.symlink("nowhere", tmp_path / "p.json")
    reject = only_reject(read_inputs([tmp_path]))
    assert (reject.code, reject.source) == ("unreadable-file", f"{tmp_path.as_posix()}/p.json")


def test_a_pipe_in_a_folder_is_a_warning_and_not_waited_for(tmp_path):
    write(tmp_path, "p.json", POLICY)
    os.mkfifo(tmp_path / "pipe.json")
    os.symlink(os.devnull, tmp_path / "device.json")
    inputs = read_inputs([tmp_path])
    assert [(r.severity, r.code, Path(r.source).name) for r in inputs.rejects] == [
        ("warning", "special-file", "device.json"),
        ("warning", "special-file", "pipe.json"),
    ]
    assert [p.principal_arn for p in inputs.principals] == ["policy/p"]


def test_a_pipe_given_by_itself_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    writer = threading.Thread(target=(tmp_path / "pipe.json").write_text, args=("{bad",), daemon=True)
    writer.start()
    assert only_reject(read_inputs([tmp_path / "pipe.json"])).line == 1


@contextmanager
def as_nobody():
    """Be a user without special rights."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


def test_a_folder_that_can_be_listed_but_not_entered_is_rejected_file_by_file():
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        write(top, "good.json", POLICY)
        write(top, "closed/p.json", POLICY)
        (top / "closed").chmod(0o644)
        try:
            with as_nobody():
                inputs = read_inputs([top])
        finally:
            (top / "closed").chmod(0o755)
    assert str(only_reject(inputs)).startswith(f"{top}/closed/p.json: error: cannot be read (Permission denied); check")
    assert [p.principal_arn for p in inputs.principals] == ["policy/good"]


def test_an_input_that_cannot_be_reached_is_told(tmp_path):
    good = write(tmp_path, "p.json", POLICY)
    with pytest.raises(
        PolicylakeError, match=r"xxx\.json: cannot be read \(File name too long\); check the path"
    ) as error:
        read_inputs([good, tmp_path / ("x" * 300 + ".json")])
    assert error.value.exit_code == 2


def test_a_lake_among_the_inputs_is_not_read(tmp_path):
    write(tmp_path, "p.json", POLICY)
    ids = {build_lake([tmp_path], tmp_path / "lake").snapshot_id for _ in range(3)}
    assert len(ids) == 1
    assert read_inputs([tmp_path]).rejects == ()


def test_sources_tell_hash_and_size_as_stored(tmp_path):
    stored = gzip.compress(POLICY.encode())
    (source,) = read(tmp_path, "p.json.gz", stored).sources
    assert (source.sha256, source.size, source.content) == (
        hashlib.sha256(stored).hexdigest(),
        len(stored),
        "policy-document",
    )


def test_relative_paths_stay_relative(tmp_path, monkeypatch):
    write(tmp_path, "in/p.json", POLICY)
    monkeypatch.chdir(tmp_path)
    assert read_inputs([Path("in")]).sources[0].path == "in/p.json"


@pytest.mark.parametrize(
    "name", [b"line\nbreak.json", b"esc\x1b[31m.json", b"bytes\xff\xfe.json", "\u202eltr.json".encode()]
)
def test_names_of_files_are_printable(name, tmp_path):
    (tmp_path / os.fsdecode(name)).write_text("{bad")
    (tmp_path / os.fsdecode(b"ok-" + name)).write_text(POLICY)
    inputs = read_inputs([tmp_path])
    texts = [*(source.path for source in inputs.sources), str(only_reject(inputs)), inputs.principals[0].principal_arn]
    assert all(text.isprintable() for text in texts)
    assert only_reject(inputs).line == 1


def test_progress_is_told(tmp_path):
    messages = []
    read_inputs([write(tmp_path, "p.json", document())], progress=messages.append)
    assert messages == [Step("reading", 1, 1, "files")]


def test_the_garbage_collector_is_left_as_it_was(tmp_path):
    path = write(tmp_path, "p.json", document())
    gc.disable()
    try:
        read_inputs([path])
        assert not gc.isenabled()
    finally:
        gc.enable()
    read_inputs([path])
    assert gc.isenabled()
