"""Makes a snapshot the current one: CURRENT and policylake.duckdb change together, or the change is completed later.

A file system changes one name at a time. So the new database lies ready under a name that tells its snapshot before
CURRENT changes, and takes its own name after. Where a process ends between the two, whoever opens the lake next, or
the next build, gives it its name; until then the views show the former snapshot, which is still there.

The time of a snapshot's folder is that at which it last became current: files of a snapshot never change.
"""

import os
from contextlib import suppress
from pathlib import Path

from pipeline.errors import PolicylakeError
from pipeline.lake.locks import lock, unlock, write_whole
from pipeline.lake.views import DATABASE, database

CURRENT = "CURRENT"
_WAITING = f".{DATABASE}-"


def current_id(lake: Path) -> str:
    """Return the id of the current snapshot. Raises OSError or ValueError where there is none."""
    return (lake / CURRENT).read_text(encoding="utf-8").strip()


def no_snapshot(lake: Path | str) -> PolicylakeError:
    """Return the error that a place holds no lake, or one without a snapshot."""
    return PolicylakeError(f"{lake}: no snapshot here; run: policylake build INPUT... --lake {lake}")


def is_current(lake: Path, snapshot_id: str) -> bool:
    """Whether that snapshot is the current one."""
    try:
        return current_id(lake) == snapshot_id
    except (OSError, ValueError):
        return False


def make_current(lake: Path, snapshot_id: str) -> None:
    """Make a snapshot of ``lake/snapshots`` the current one; the caller holds the lock of that folder.

    Raises PolicylakeError or OSError; the former one is current then, and nothing is left.
    """
    for name in (CURRENT, DATABASE):
        if (lake / name).is_dir() and not (lake / name).is_symlink():
            raise PolicylakeError(f"{lake / name}: a folder is in the way; move it, or choose another --lake")
    waiting = _waiting(lake, snapshot_id)
    try:
        write_whole(waiting, database(lake / "snapshots" / snapshot_id))
        write_whole(lake / CURRENT, f"{snapshot_id}\n".encode())
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
    _complete(lake, snapshot_id)
    with suppress(OSError):  # only the age for gc, of what is published already
        os.utime(lake / "snapshots" / snapshot_id)


def became_current(snapshot: Path) -> float:
    """Return when a snapshot last became the current one, in seconds of Unix time. Raises OSError."""
    return snapshot.stat().st_mtime


def complete(lake: Path) -> None:
    """Complete a change that ended half way, if there is one and the lake can be written."""
    with suppress(OSError, ValueError):  # no lake, or one to read only: the reader finds out
        if _waiting(lake, current_id(lake)).exists():
            handle = lock(lake / "snapshots", wait=False)
            if handle is not None:
                try:
                    _complete(lake, current_id(lake))
                finally:
                    unlock(handle)


def tidy(lake: Path) -> None:
    """Complete what ended half way and remove what it left; the caller holds the lock of the snapshots."""
    with suppress(OSError, ValueError):  # no snapshot yet
        _complete(lake, current_id(lake))
    for file in left_files(lake):
        with suppress(OSError):  # another build removed it
            file.unlink()


def left_files(lake: Path) -> list[Path]:
    """Return the files that a change left which ended half way; the caller holds the lock of the snapshots."""
    return [*lake.glob(f"{_WAITING}*"), *lake.glob(f".{CURRENT}.part")]


def _waiting(lake: Path, snapshot_id: str) -> Path:
    return lake / f"{_WAITING}{snapshot_id}"


def _complete(lake: Path, snapshot_id: str) -> None:
    with suppress(OSError):  # nothing waits, or another process completed it
        os.replace(_waiting(lake, snapshot_id), lake / DATABASE)
