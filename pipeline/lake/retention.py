"""Removes old snapshots and what builds that died left. Never the current one, nor one that somebody reads.

Who opens the lake with policylake locks the snapshot. Other clients hold no lock of ours: on Linux their open files
tell, and everywhere a snapshot is spared for some time after the next one became current.
"""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline import remote
from pipeline.errors import PolicylakeError
from pipeline.lake.current import became_current, current_id, left_files
from pipeline.lake.locks import lock, locked, unlock
from pipeline.lake.manifest import ID_DIGITS
from pipeline.lake.remote import current_there, remove_there, snapshots_there
from pipeline.lake.views import DATABASE
from pipeline.lake.write import REMOVING, left_behind

PROCESSES = Path("/proc")
_ID = re.compile(rf"[0-9a-f]{{{ID_DIGITS}}}")


class Kept(NamedTuple):
    """A snapshot or a leftover, and what became of it. ``since`` is when it last became current, in UTC."""

    name: str
    since: datetime | None
    size: int
    is_removed: bool
    reason: str


class _Old(NamedTuple):
    """A snapshot; ``left`` is when the next one became current, in seconds of Unix time, None of the current one."""

    folder: Path
    since: float
    left: float | None


def collect(lake: Path, *, keep: int, grace: float, is_dry: bool = False) -> list[Kept]:
    """Remove all but the newest ``keep`` snapshots, the current one among them; return what became of each.

    Spared are those that are read and those that were current within the last ``grace`` seconds. ``is_dry`` tells
    what would be removed and removes nothing.

    ``lake`` may be a URL. Raises PolicylakeError where there is no lake or it cannot be written.
    """
    if remote.is_url(lake):
        return _collect_there(lake, keep, grace, is_dry)
    lake = remote.local(lake)
    snapshots = lake / "snapshots"
    try:
        with locked(snapshots):
            current = _current(lake)
            used = _open_elsewhere(lake)
            judged = [_judged(old, number, keep, grace, used) for number, old in enumerate(_by_age(snapshots, current))]
            left = [Kept(path.name, None, _size(path), True, "left by a build that died") for path in _left(lake)]
            found = [*judged, *left]
            return found if is_dry else [_done(lake, one) for one in found]
    except OSError as error:
        raise PolicylakeError(f"{error.filename or lake}: {error.strerror or error}; check its rights") from error


def _collect_there(lake: Path, keep: int, grace: float, is_dry: bool) -> list[Kept]:
    """Remove snapshots at a URL. Readers there have a copy of their own: what they still fetch the grace is for.

    Files without a manifest are of a build that runs or died: they stay as long.
    """
    current = current_there(lake)
    found = snapshots_there(lake)
    whole = [(one, one.since) for one in found if one.since is not None]
    whole.sort(key=lambda pair: (pair[0].name == current, pair[1], pair[0].name), reverse=True)
    left = [None, *(since.timestamp() for _, since in whole)]
    judged = []
    for number, (one, since) in enumerate(whole):
        reason = _too_new(left[number], number, keep, grace)
        judged.append((one, Kept(one.name, since, one.size, reason is None, reason or "old")))
    for one in found:
        if one.since is None:
            is_over = time.time() - one.changed.timestamp() >= grace
            reason = "left by a build that died" if is_over else "written a short while ago"
            judged.append((one, Kept(one.name, None, one.size, is_over, reason)))
    for one, kept in judged:
        if kept.is_removed and not is_dry:
            remove_there(lake, one)
    return [kept for _, kept in judged]


def _current(lake: Path) -> str:
    try:
        return current_id(lake)
    except (OSError, ValueError) as error:
        raise PolicylakeError(f"{lake}: no snapshot here; give the folder of a lake with --lake") from error


def _by_age(snapshots: Path, current: str) -> list[_Old]:
    """Return the snapshots, the current one first, then the newest ones."""
    folders = [path for path in snapshots.iterdir() if _ID.fullmatch(path.name) and path.is_dir()]
    times = {path: became_current(path) for path in folders if not path.is_symlink()}
    ordered = sorted(times, key=lambda path: (path.name == current, times[path], path.name), reverse=True)
    left = [None, *(times[path] for path in ordered)]
    return [_Old(path, times[path], next_one) for path, next_one in zip(ordered, left, strict=False)]


def _judged(old: _Old, number: int, keep: int, grace: float, used: frozenset[str]) -> Kept:
    since = datetime.fromtimestamp(old.since, UTC)
    reason = _spared(old, number, keep, grace, used)
    return Kept(old.folder.name, since, _size(old.folder), reason is None, reason or "old")


def _spared(old: _Old, number: int, keep: int, grace: float, used: frozenset[str]) -> str | None:
    """Return why a snapshot stays, None where nothing speaks for it."""
    reason = _too_new(old.left, number, keep, grace)
    if reason is not None:
        return reason
    handle = lock(old.folder, wait=False)
    unlock(handle)
    return "open in another process" if handle is None or old.folder.name in used else None


def _too_new(left: float | None, number: int, keep: int, grace: float) -> str | None:
    """Return why a snapshot stays that was current until ``left``; the newest has number 0."""
    if left is None:
        return "current"
    if number < keep:
        return f"one of the newest {keep}"
    return "was current a short while ago" if time.time() - left < grace else None


def _done(lake: Path, one: Kept) -> Kept:
    """Remove what is to be removed. A snapshot first loses its name: nobody finds half of it."""
    if not one.is_removed:
        return one
    path = next(path for path in (lake / "snapshots" / one.name, lake / one.name) if path.exists())
    if path.is_file():
        path.unlink()
        return one
    if one.since is None:
        shutil.rmtree(path)
        return one
    handle = lock(path, wait=False)
    if handle is None:
        return one._replace(is_removed=False, reason="open in another process")
    try:
        doomed = Path(tempfile.mkdtemp(prefix=REMOVING, dir=path.parent))
        path.rename(doomed / path.name)
    finally:
        unlock(handle)
    shutil.rmtree(doomed)
    return one


def _left(lake: Path) -> list[Path]:
    return [*left_behind(lake / "snapshots"), *left_files(lake)]


def _size(path: Path) -> int:
    """Return the bytes of a file or of all files in a folder, as far as they can be seen."""
    files = [path] if path.is_file() else path.rglob("*")
    total = 0
    for file in files:
        with suppress(OSError):  # removed meanwhile
            total += file.lstat().st_size
    return total


def _open_elsewhere(lake: Path) -> frozenset[str]:
    """Return the ids of snapshots of which a process has files open, or the database with the views over them.

    Sees the processes of this machine that this user may look at, on Linux.
    """
    root = os.path.realpath(lake)
    found: set[str] = set()
    for link in _open_files():
        with suppress(OSError):  # closed meanwhile
            target = os.readlink(link)
            if target.startswith(f"{root}/snapshots/"):
                found.add(target.removeprefix(f"{root}/snapshots/").split("/", 1)[0])
            elif target.removesuffix(" (deleted)") == f"{root}/{DATABASE}":
                found.update(_ID.findall(link.read_bytes().decode("latin-1")))
    return frozenset(found)


def _open_files() -> Iterator[Path]:
    """Yield what processes have open but this one: the folder of the snapshots, for one, is locked by it."""
    for process in PROCESSES.glob("[0-9]*"):
        if process.name != str(os.getpid()):
            with suppress(OSError):  # ended meanwhile, or another user's
                yield from (process / "fd").iterdir()
