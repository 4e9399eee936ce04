"""Writes a snapshot: Parquet files beside the current ones, then one atomic change of CURRENT.

A build that dies leaves a folder whose name starts with a dot, which nobody reads and the next build removes.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.errors import PolicylakeError
from pipeline.lake import duck
from pipeline.lake.dictionary import Relation
from pipeline.lake.views import write_database

BUILDING = ".building-"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot being written. ``folder`` becomes ``snapshots/<id>`` when it is published."""

    lake: Path
    folder: Path

    def write(self, connection: duck.Connection, relation: Relation) -> int:
        """Write the table or view of the relation's name as Parquet, ordered by its grain; return the number of rows."""
        place = self.folder / relation.name
        place.mkdir()
        columns = ", ".join(_quoted(column.name) for column in relation.columns)
        order = ", ".join(_quoted(name) for name in relation.grain)
        target = str(place / "0.parquet").replace("'", "''")
        copied = connection.execute(
            f"copy (select {columns} from {_quoted(relation.name)} order by {order}) to '{target}'"
            " (format parquet, compression zstd, row_group_size 122880)"
        ).fetchone()
        return int(copied[0]) if copied else 0

    def publish(self, manifest: Mapping[str, object]) -> str:
        """Write the manifest, move the snapshot into place and make it current; return its id, ``manifest["id"]``."""
        snapshot_id = str(manifest["id"])
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (self.folder / "manifest.json").write_text(text, encoding="utf-8", errors="backslashreplace")
        target = self.lake / "snapshots" / snapshot_id
        if target.exists():
            shutil.rmtree(self.folder)
        else:
            self.folder.chmod(0o755)
            self.folder.rename(target)
        write_database(self.lake, snapshot_id)
        _replace_text(self.lake / "CURRENT", snapshot_id + "\n")
        return snapshot_id


@contextmanager
def new_snapshot(lake: Path) -> Iterator[Snapshot]:
    """Yield a snapshot to fill; whatever was not published is removed.

    Raises PolicylakeError if the folder cannot be written.
    """
    snapshots = lake / "snapshots"
    try:
        snapshots.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(snapshots)
        folder = Path(tempfile.mkdtemp(prefix=f"{BUILDING}{os.getpid()}-", dir=snapshots))
    except OSError as error:
        raise PolicylakeError(f"{lake}: {error.strerror}; give a folder that can be written with --lake") from error
    try:
        yield Snapshot(lake, folder)
    except OSError as error:
        raise PolicylakeError(f"{lake}: {error.strerror}; nothing changed, the former snapshot is still current") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind(snapshots: Path) -> None:
    """Remove what builds that died left; one that is still running keeps its folder."""
    for folder in snapshots.glob(BUILDING + "*"):
        owner = folder.name.removeprefix(BUILDING).split("-", 1)[0]
        if not (owner.isdigit() and Path(f"/proc/{owner}").exists()):
            shutil.rmtree(folder, ignore_errors=True)


def _replace_text(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(name, 0o644)
    os.replace(name, path)


def load_rows(connection: duck.Connection, relation: Relation, rows: Iterable[tuple[object, ...]], schema_name: str) -> None:
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
