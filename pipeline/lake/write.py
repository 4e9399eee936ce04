"""Writes a snapshot: Parquet files beside the current ones, then one atomic change of CURRENT.

A build that dies leaves a folder whose name starts with a dot, which nobody reads and the next build removes.
"""

import fcntl
import filecmp
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.errors import PolicylakeError
from pipeline.lake import duck
from pipeline.lake.dictionary import Relation
from pipeline.lake.views import write_database

BUILDING = ".building-"
UNCHANGED = "make room or choose another --lake; nothing changed, the former snapshot is still current"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot being written. ``folder`` becomes ``snapshots/<id>`` when it is published."""

    lake: Path
    folder: Path

    def write(self, connection: duck.Connection, relation: Relation) -> int:
        """Write the table or view of the relation's name as Parquet, ordered by its grain; return how many rows."""
        place = self.folder / relation.name
        place.mkdir()
        columns = ", ".join(_quoted(column.name) for column in relation.columns)
        order = ", ".join(_quoted(name) for name in relation.grain)
        statement = (
            f"copy (select {columns} from {_quoted(relation.name)} order by {order})"
            f" to {duck.literal(place / '0.parquet')} (format parquet, compression zstd, row_group_size 122880)"
        )
        try:
            copied = connection.execute(statement).fetchone()
        except duckdb.IOException as error:
            raise PolicylakeError(f"{self.lake}: {duck.first_line(error)}; {UNCHANGED}") from error
        return int(copied[0]) if copied else 0

    def publish(self, manifest: Mapping[str, object]) -> str:
        """Write the manifest, move the snapshot into place and make it current; return its id, ``manifest["id"]``."""
        snapshot_id = str(manifest["id"])
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (self.folder / "manifest.json").write_text(text, encoding="utf-8", errors="backslashreplace")
        with _locked(self.lake / "snapshots"):
            self._move_to(self.lake / "snapshots" / snapshot_id)
            write_database(self.lake, snapshot_id)
            _replace_text(self.lake / "CURRENT", snapshot_id + "\n")
        return snapshot_id

    def _move_to(self, target: Path) -> None:
        """Move the snapshot into place. One of the same id stays if it is whole, else this one takes its place."""
        if target.exists():
            if _is_same(self.folder, target):
                return
            damaged = target.with_name(f"{self.folder.name}-damaged")
            target.rename(damaged)
            shutil.rmtree(damaged, ignore_errors=True)
        self.folder.chmod(0o755)
        self.folder.rename(target)


@contextmanager
def new_snapshot(lake: Path) -> Iterator[Snapshot]:
    """Yield a snapshot to fill; whatever was not published is removed.

    Raises PolicylakeError if the folder cannot be written.
    """
    snapshots = lake / "snapshots"
    try:
        snapshots.mkdir(parents=True, exist_ok=True)
        with _locked(snapshots):
            _remove_left_behind(lake, snapshots)
            folder = Path(tempfile.mkdtemp(prefix=BUILDING, dir=snapshots))
            handle = _lock(folder)
    except OSError as error:
        raise PolicylakeError(f"{lake}: {error.strerror}; give a folder that can be written with --lake") from error
    try:
        yield Snapshot(lake, folder)
    except OSError as error:
        raise PolicylakeError(f"{lake}: {error.strerror}; {UNCHANGED}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(handle)


def _remove_left_behind(lake: Path, snapshots: Path) -> None:
    """Remove what builds that died left. One that is running holds a lock, which ends with its process."""
    for folder in lake.glob(".database-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in lake.glob(".CURRENT-*"):
        file.unlink(missing_ok=True)
    for folder in snapshots.glob(BUILDING + "*"):
        handle = _lock(folder, wait=False)
        if handle is not None:
            shutil.rmtree(folder, ignore_errors=True)
            _unlock(handle)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time do what follows."""
    handle = _lock(folder)
    try:
        yield
    finally:
        _unlock(handle)


def _lock(folder: Path, *, wait: bool = True) -> int | None:
    """Lock a folder and return the handle that holds the lock; None where it cannot be had."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _unlock(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _is_same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    names = sorted(str(path.relative_to(one)) for path in one.rglob("*") if path.is_file())
    if names != sorted(str(path.relative_to(other)) for path in other.rglob("*") if path.is_file()):
        return False
    return all(filecmp.cmp(one / name, other / name, shallow=False) for name in names)


def _replace_text(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(name, 0o644)
    os.replace(name, path)


def load_rows(
    connection: duck.Connection, relation: Relation, rows: Iterable[tuple[object, ...]], schema_name: str
) -> None:
    """Create the table of the relation in ``schema_name`` from rows in column order; rows may lack last columns."""
    listed = list(rows)
    width = len(listed[0]) if listed else len(relation.columns)
    schema = pa.schema([field.with_nullable(True) for field in list(relation.schema)[:width]])
    columns = list(zip(*listed, strict=True)) if listed else [()] * width
    arrays = [_array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    load_table(connection, relation.name, pa.table(arrays, schema=schema), schema_name)


def load_table(connection: duck.Connection, name: str, table: pa.Table, schema_name: str = "main") -> None:
    """Create a table from Arrow data."""
    connection.register("incoming", table)
    connection.execute(f"create table {_quoted(schema_name)}.{_quoted(name)} as select * from incoming")
    connection.unregister("incoming")


def _array(values: Iterable[object], kind: pa.DataType) -> pa.Array:
    listed = list(values)
    try:
        return pa.array(listed, type=kind)
    except UnicodeEncodeError:
        return pa.array([_encodable(value) for value in listed], type=kind)


def _encodable(value: object) -> object:
    """Replace lone surrogates, which no Parquet text can hold, by their escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_encodable(part) for part in value]
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
