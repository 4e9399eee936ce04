"""Writes a snapshot: Parquet files beside the current ones, then one change of what is current.

A build that dies leaves a folder whose name starts with a dot, which nobody reads and the next build removes.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import remote
from pipeline.errors import PolicylakeError, first_line
from pipeline.lake import duck
from pipeline.lake.current import is_current, make_current, tidy
from pipeline.lake.dictionary import Relation
from pipeline.lake.locks import lock, locked, share, unlock
from pipeline.lake.manifest import is_whole, read_manifest, write_manifest
from pipeline.lake.remote import copy_of, send
from pipeline.lake.spill import IN_LAKE, spill_folder

#: The file of a relation that every snapshot has.
FIRST = "0.parquet"
BUILDING = ".building-"
REMOVING = ".removing-"
REMEDY = f"make room or choose another --lake; {duck.UNCHANGED}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot being written. ``folder``, which ``lock`` keeps, becomes ``snapshots/<id>`` when it is published.

    Of a lake at ``url`` it is published there too, and ``lake`` is the copy on this machine.

    Its methods raise PolicylakeError where the lake cannot be written.
    """

    lake: Path
    folder: Path
    lock: int | None
    url: Path | None = None

    @contextmanager
    def working(self, memory: int | None, threads: int | None) -> Iterator[duck.Limits]:
        """Yield what databases may use, ``memory`` in bytes; see ``duck.limits``. What they spill does not stay.

        Raises PolicylakeError where memory or room is not enough.
        """
        with spill_folder(self.lake / "snapshots") as spill:
            within = duck.limits(memory, threads, spill)
            with duck.room_needed(within):
                yield within

    def write(self, connection: duck.Connection, relation: Relation, sql: str | None = None) -> int:
        """Write the first file of a relation, ordered by its grain; return how many rows.

        The rows are those of a query, by default those of the table or view of the relation's name.
        """
        columns = ", ".join(_quoted(column.name) for column in relation.columns)
        with _writing(self.lake):
            place = self.folder / relation.name
            place.mkdir(exist_ok=True)
            order = ", ".join(map(_quoted, relation.grain))
            rows = f"({sql})" if sql else _quoted(relation.name)
            return _copy(connection, f"select {columns} from {rows} order by {order}", place / FIRST)

    def add(self, relation: Relation, name: str, file: Path) -> None:
        """Add a file of a relation under a name: the very file where the file system lets it have two names."""
        with _writing(self.lake):
            place = self.folder / relation.name
            place.mkdir(exist_ok=True)
            try:
                os.link(file, place / name)
            except OSError:
                shutil.copyfile(file, place / name)

    def counts(self) -> dict[str, int]:
        """Return how many rows were written, by relation."""
        with _writing(self.lake):
            return {
                folder.name: sum(pq.read_metadata(file).num_rows for file in folder.iterdir())
                for folder in sorted(self.folder.iterdir())
                if folder.is_dir()
            }

    def incomplete(self) -> int:
        """Return how many principals are marked incomplete."""
        with _writing(self.lake):
            files = (self.folder / "principals").iterdir()
            return sum(pc.sum(pq.read_table(f, columns=["is_incomplete"])[0]).as_py() or 0 for f in files)

    def publish(self, body: Mapping[str, object]) -> str:
        """Write the manifest, move the snapshot into place and make it current; return its id.

        The id is the hash of ``body`` and of every file that was written.
        """
        with _writing(self.lake), locked(self.lake / "snapshots"):
            snapshot_id = write_manifest(self.folder, body)
            self._place(snapshot_id)
            share(self.lock)
        if self.url is not None:
            send(self.lake / "snapshots" / snapshot_id, self.url)
        return snapshot_id

    def adopt(self, snapshot_id: str) -> None:
        """Make what was copied into the folder the current snapshot. Raises PolicylakeError where it is damaged."""
        if not is_whole(self.lake / "snapshots" / snapshot_id) and not self._holds(snapshot_id):
            raise PolicylakeError(f"{self.lake}: the copy of snapshot {snapshot_id} is damaged; build it again")
        with _writing(self.lake), locked(self.lake / "snapshots"):
            self._place(snapshot_id)
            share(self.lock)

    def _holds(self, snapshot_id: str) -> bool:
        return is_whole(self.folder) and read_manifest(self.folder).get("id") == snapshot_id

    def _place(self, snapshot_id: str) -> None:
        with self._in_place(self.lake / "snapshots" / snapshot_id):
            make_current(self.lake, snapshot_id)

    @contextmanager
    def _in_place(self, target: Path) -> Iterator[None]:
        """Do what follows with the snapshot in place, and take it back where that fails.

        One that is there and whole stays, file by file, for those who read it; a damaged one makes room.
        """
        if is_whole(target):
            yield
            return
        damaged = target.with_name(f"{self.folder.name}-damaged")
        self.folder.chmod(0o755)
        try:
            if target.exists():
                target.rename(damaged)
            self.folder.rename(target)
            yield
        finally:
            if not self.folder.exists() and not is_current(self.lake, target.name):
                target.rename(self.folder)
            if damaged.exists() and not target.exists():
                damaged.rename(target)
            shutil.rmtree(damaged, ignore_errors=True)


@contextmanager
def new_snapshot(lake: Path) -> Iterator[Snapshot]:
    """Yield a snapshot to fill; whatever was not published is removed.

    ``lake`` may be a URL. Raises PolicylakeError if the folder cannot be written.
    """
    lake, url = (copy_of(lake), lake) if remote.is_url(lake) else (remote.local(lake), None)
    duck.refuse_bytes(lake)
    snapshots = lake / "snapshots"
    try:
        snapshots.mkdir(parents=True, exist_ok=True)
        with locked(snapshots):
            tidy(lake)
            _remove_left_behind(snapshots)
            folder = Path(tempfile.mkdtemp(prefix=BUILDING, dir=snapshots))
            handle = lock(folder)
    except OSError as error:
        remedy = "POLICYLAKE_CACHE" if url else "--lake"
        raise PolicylakeError(f"{lake}: {error.strerror}; give a folder that can be written with {remedy}") from error
    try:
        yield Snapshot(lake, folder, handle, url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        unlock(handle)


@contextmanager
def _writing(lake: Path) -> Iterator[None]:
    """Say of a failure to write that the lake is as it was."""
    try:
        yield
    except OSError as error:
        raise PolicylakeError(f"{lake}: {error.strerror or error}; {REMEDY}") from error
    except duckdb.IOException as error:
        if duck.is_of_spilling(error):
            raise
        raise PolicylakeError(f"{lake}: {first_line(error)}; {REMEDY}") from error


def left_behind(snapshots: Path) -> list[Path]:
    """Return the folders of builds and removals that died; the caller holds the lock of the snapshots."""
    found = [folder for prefix in (BUILDING, REMOVING, IN_LAKE) for folder in snapshots.glob(f"{prefix}*")]
    return [folder for folder in sorted(found) if _is_free(folder)]


def _is_free(folder: Path) -> bool:
    handle = lock(folder, wait=False)
    unlock(handle)
    return handle is not None


def _remove_left_behind(snapshots: Path) -> None:
    """Remove what builds that died left. One that is running holds a lock, which ends with its process."""
    for folder in left_behind(snapshots):
        shutil.rmtree(folder, ignore_errors=True)


def parquet_files(connection: duck.Connection, selections: Mapping[str, str]) -> dict[str, bytes]:
    """Return the rows of queries as Parquet files, by name; what has no rows is left out.

    Raises PolicylakeError where the temp folder has no room.
    """
    found = {}
    try:
        with tempfile.TemporaryDirectory(prefix="policylake-") as folder:
            for name, sql in selections.items():
                place = Path(folder) / name
                if _copy(connection, sql, place):
                    found[name] = place.read_bytes()
                place.unlink()
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise duck.no_room("what the build writes does not fit here", error) from error
    return found


def _copy(connection: duck.Connection, sql: str, place: Path) -> int:
    """Write the rows of a query as Parquet; return how many."""
    settings = "format parquet, compression zstd, row_group_size 122880"
    copied = connection.execute(f"copy ({sql}) to {duck.literal(place)} ({settings})").fetchone()
    return int(copied[0]) if copied else 0


def load_table(
    connection: duck.Connection, name: str, table: pa.Table, schema_name: str = "main", order: Sequence[str] = ()
) -> None:
    """Create a table from Arrow data, ordered by the columns ``order``, if any."""
    ordered = f" order by {', '.join(map(_quoted, order))}" if order else ""
    connection.register("incoming", table)
    connection.execute(f"create table {_quoted(schema_name)}.{_quoted(name)} as select * from incoming{ordered}")
    connection.unregister("incoming")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
