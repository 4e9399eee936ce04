"""Opens the current snapshot for queries. Changes nothing, but completes what a build that died left half done."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline import remote
from pipeline.errors import PolicylakeError
from pipeline.lake import duck, guard
from pipeline.lake.current import complete, current_id, is_current, no_snapshot
from pipeline.lake.locks import is_locked_as, lock, unlock
from pipeline.lake.manifest import MANIFEST, is_whole, read_manifest, version_gap
from pipeline.lake.remote import copy_of, current_there, fetch
from pipeline.lake.retention import collect
from pipeline.lake.views import create_views
from pipeline.lake.write import new_snapshot

#: Copies of a lake at a URL that stay on this machine, and for how many seconds others are spared.
KEPT_COPIES = 2
GRACE = 3600.0


@dataclass(frozen=True)
class Lake:
    """The current snapshot of a lake. ``manifest`` is the content of its manifest.json."""

    path: Path
    snapshot_id: str
    manifest: dict[str, Any]
    connection: duck.Connection

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Run one query over the relations and return its rows.

        ``parameters`` are the values of ``$name`` in the text. Raises PolicylakeError with DuckDB's message where
        the query is wrong, and for anything but a single query: the lake is not changed by SQL.
        """
        with duck.errors_explained("sql"):
            guard.check(self.connection, sql)
            return duck.arrow(self.connection, sql, parameters)

    def batches(self, sql: str, rows: int, parameters: Mapping[str, object] | None = None) -> pa.RecordBatchReader:
        """Run one query as :meth:`query` does and return its rows in batches of ``rows``, never all at a time.

        They are to be read before the next query. Raises PolicylakeError where the query is wrong.
        """
        with duck.errors_explained("sql"):
            guard.check(self.connection, sql)
            return duck.arrow_reader(self.connection, sql, rows, parameters)

    def lend(self, name: str, rows: pa.Table) -> None:
        """Let the next queries read ``rows`` as a relation of that name. The lake itself does not change."""
        self.connection.register(name, rows)

    def hold(self, name: str) -> None:
        """Keep the rows of a relation in memory for the queries to come, which would otherwise each make them anew.

        The planner also knows of a table, and not of a view, how many rows it has. The lake itself does not change.
        """
        with duck.errors_explained(f"{self.path}: the relation {name} cannot be held"):
            if self.query("from duckdb_views() where view_name = $name", {"name": name}).num_rows:
                self.connection.execute(f'alter view "{name}" rename to "stored_{name}"')
                self.connection.execute(f'create table "{name}" as from "stored_{name}"')


def open_lake(path: Path, snapshot_id: str | None = None) -> Lake:
    """Open the current snapshot of the lake at ``path``, which may be a URL: then it is copied to this machine.

    ``snapshot_id`` is another snapshot that the lake still holds, or the first characters of its id.

    Raises PolicylakeError where there is none, it is damaged, or another version of policylake made it.
    """
    path = _copied(path) if remote.is_url(path) else remote.local(path)
    duck.refuse_bytes(path)
    complete(path)
    handle = None
    try:
        snapshot, handle = _held(path) if snapshot_id is None else _kept(path, snapshot_id)
        manifest = read_manifest(snapshot)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise no_snapshot(path) from error
    except (OSError, ValueError) as error:
        unlock(handle)
        raise PolicylakeError(f"{path}: the current snapshot cannot be read ({error}); build it again") from error
    gap = version_gap(manifest)
    if gap:
        unlock(handle)
        remedy = f"build it again: policylake build INPUT... --lake {path}"
        raise PolicylakeError(f"{path}: this snapshot was made by {gap} policylake; {remedy}")
    connection = duck.connect()
    weakref.finalize(connection, unlock, handle)
    with duck.errors_explained(f"{path}: the current snapshot is damaged; build it again"):
        create_views(connection, snapshot, with_comments=False)
    _lock(connection, path)
    return Lake(path, snapshot.name, manifest, connection)


def _copied(lake: Path) -> Path:
    """Bring the copy of the lake at a URL up to date and return its folder; what it has is not copied again."""
    copy = copy_of(lake)
    while True:
        snapshot_id = current_there(lake)
        if is_current(copy, snapshot_id) and (copy / "snapshots" / snapshot_id / MANIFEST).exists():
            return copy
        with new_snapshot(copy) as snapshot:
            if is_whole(copy / "snapshots" / snapshot_id) or fetch(lake, snapshot_id, snapshot.folder):
                snapshot.adopt(snapshot_id)
                collect(copy, keep=KEPT_COPIES, grace=GRACE)
                return copy


def _held(path: Path) -> tuple[Path, int | None]:
    """Return the current snapshot with a lock for as long as it is read: what is old and locked is not removed.

    One that was removed between the look at its name and the lock is no longer current: look again.
    """
    while True:
        snapshot_id = current_id(path)
        snapshot = (path / "snapshots" / snapshot_id).resolve()
        handle = lock(snapshot, shared=True)
        if handle is not None and is_locked_as(handle, snapshot):
            return snapshot, handle
        unlock(handle)
        if current_id(path) == snapshot_id:
            return snapshot, None


def _kept(path: Path, snapshot_id: str) -> tuple[Path, int | None]:
    """Return a snapshot that is there, current or not, with a lock. Raises PolicylakeError where there is none."""
    names = sorted(found.parent.name for found in (path / "snapshots").glob(f"[!.]*/{MANIFEST}"))
    found = [name for name in names if name.startswith(snapshot_id)]
    if len(found) != 1:
        what = "no snapshot of this id" if not found else f"{len(found)} snapshots begin so"
        listed = ", ".join(names) or "none"
        raise PolicylakeError(f"{path}: {snapshot_id}: {what}; the lake holds {listed}")
    snapshot = (path / "snapshots" / found[0]).resolve()
    handle = lock(snapshot, shared=True)
    if handle is not None and not is_locked_as(handle, snapshot):
        unlock(handle)
        raise PolicylakeError(f"{path}: {snapshot_id}: this snapshot was removed just now")
    return snapshot, handle


def _lock(connection: duck.Connection, path: Path) -> None:
    """Let queries read the lake's files and nothing else."""
    allow = "set allowed_directories = list_append(current_setting('allowed_directories'), ?)"
    connection.execute(allow, [str(path.resolve())])
    duck.close_in(connection)
