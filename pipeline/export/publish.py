"""Publishes exports as dated folders: one appears whole or not at all, and one run at a time works there.

An export is written into a folder whose name starts with a dot; then it takes its name, then ``latest`` leads to it.
What a run that was killed leaves is removed by the next one.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import PolicylakeError
from pipeline.lake.locks import write_whole
from pipeline.remote import is_url, shown

MANIFEST = "manifest.json"
LATEST = "latest"
LOCK = ".policylake-export.lock"
WORKING, REMOVING = ".exporting-", ".removing-"
NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-(\d+))?")


@contextmanager
def working_alone(to: Path) -> Iterator[None]:
    """Hold the lock of the folder of exports, which is made where there is none, and clear what a dead run left.

    The lock ends with the process that holds it. Raises PolicylakeError that says who holds it, and where the folder
    cannot be written.
    """
    if is_url(to):
        raise PolicylakeError(f"--to {shown(to)}: exports go to a folder of this machine; copy it from there")
    try:
        to.mkdir(parents=True, exist_ok=True)
        handle = os.open(to / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise PolicylakeError(f"--to {to}: {error.strerror}; give a folder that can be written") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            who = os.read(handle, 500).decode("utf-8", "replace").strip() or "another process"
            raise PolicylakeError(f"--to {to}: {who} is exporting there; wait for its end") from error
        now = datetime.now(UTC).isoformat(timespec="seconds")
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}, since {now},\n".encode(), 0)
        _clear(to)
        if os.path.lexists(to / LATEST) and not (to / LATEST).is_symlink():
            raise PolicylakeError(f"{to / LATEST}: not a link; move it, for it is to lead to the latest export")
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _clear(to: Path) -> None:
    for prefix in (WORKING, REMOVING):
        for left in to.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)
    # What a change of the pointer left that was killed between two steps.
    (to / f".{LATEST}.next").unlink(missing_ok=True)


@contextmanager
def new_folder(to: Path) -> Iterator[Path]:
    """Yield an empty folder for an export; it is removed unless :func:`publish` gave it a name."""
    folder = Path(tempfile.mkdtemp(prefix=WORKING, dir=to))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def exports(to: Path) -> list[Path]:
    """Return the exports of a folder, the oldest first."""
    found = [path for path in to.iterdir() if NAME.fullmatch(path.name) and (path / MANIFEST).is_file()]
    return sorted(found, key=age)


def age(export: Path) -> tuple[str, int]:
    """Return what orders exports by time: the day, then their number within it."""
    found = NAME.fullmatch(export.name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def equal_export(to: Path, day: date, key: str) -> Path | None:
    """Return the export of that day that was made from the same, if it is there and whole."""
    same = (path for path in reversed(exports(to)) if age(path)[0] == day.isoformat() and _key(path) == key)
    return next((path for path in same if is_whole(path)), None)


def export_before(to: Path, day: date, key: str) -> Path | None:
    """Return the export to compare with: the latest one up to that day that was not made from the same."""
    earlier = [path for path in exports(to) if age(path)[0] <= day.isoformat()]
    same = next((path for path in earlier if age(path)[0] == day.isoformat() and _key(path) == key), None)
    earlier = [path for path in earlier if same is None or age(path) < age(same)]
    return earlier[-1] if earlier else None


def manifest_of(export: Path) -> dict[str, Any]:
    """Return the manifest of an export, an empty one where it cannot be read."""
    try:
        manifest = json.loads((export / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _key(export: Path) -> object:
    return manifest_of(export).get("key")


def is_whole(export: Path) -> bool:
    """Whether every file of an export is there as its manifest tells, and no other."""
    try:
        return bool(manifest_of(export).get("outputs") == outputs(export))
    except OSError:
        return False


def outputs(export: Path) -> dict[str, dict[str, object]]:
    """Return size and sha256 of every file of an export but the manifest, by name."""
    files = sorted(path for path in export.rglob("*") if path.is_file() and path != export / MANIFEST)
    return {path.relative_to(export).as_posix(): _told(path) for path in files}


def _told(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": path.stat().st_size}


def publish(folder: Path, to: Path, day: date, key: str) -> Path:
    """Give a finished export its name and return it: the day, with a number where that day has another export.

    A damaged export made from the same makes room for it.
    """
    _to_disk(folder)
    folder.chmod(0o755)
    damaged = [path for path in exports(to) if age(path)[0] == day.isoformat() and _key(path) == key]
    for path in damaged:
        remove(path)
    target = damaged[0] if damaged else next(path for path in _names(to, day) if not os.path.lexists(path))
    folder.rename(target)
    return target


def _names(to: Path, day: date) -> Iterator[Path]:
    yield to / day.isoformat()
    number = 1
    while True:
        number += 1
        yield to / f"{day.isoformat()}-{number}"


def _to_disk(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        if path.is_file() or path.is_dir():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def point(to: Path) -> None:
    """Make ``latest`` lead to the latest export, in one step: whoever follows it finds the former or the new one."""
    newest = exports(to)[-1].name
    link = to / LATEST
    if link.is_symlink() and os.readlink(link) == newest:
        return
    fresh = to / f".{LATEST}.next"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(newest)
    fresh.replace(link)


def prune(to: Path, keep: int | None, spared: Path) -> list[str]:
    """Remove the oldest exports until ``keep`` are left; return their names. None keeps all, and ``spared`` stays."""
    old = [path for path in exports(to)[:-keep] if path != spared] if keep else []
    for path in old:
        remove(path)
    return [path.name for path in old]


def remove(export: Path) -> None:
    """Remove an export. It first loses its name: nobody finds half of it."""
    doomed = Path(tempfile.mkdtemp(prefix=REMOVING, dir=export.parent))
    export.rename(doomed / export.name)
    shutil.rmtree(doomed)


def write_manifest(folder: Path, body: dict[str, Any]) -> None:
    """Write the manifest of a finished export, with the hash of every other file."""
    text = json.dumps({**body, "outputs": outputs(folder)}, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
    write_whole(folder / MANIFEST, text.encode("utf-8"))
