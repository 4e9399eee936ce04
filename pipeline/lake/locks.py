"""Locks on folders, which end with the process that holds them, and files that are whole on the disk once written."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time do what follows."""
    handle = lock(folder)
    try:
        yield
    finally:
        unlock(handle)


def lock(folder: Path, *, wait: bool = True, shared: bool = False) -> int | None:
    """Lock a folder and return the handle that holds the lock; None where it cannot be had.

    Any number of processes can share a lock that nobody has for itself.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        return None
    return handle


def share(handle: int | None) -> None:
    """Let others share a lock that was held alone."""
    if handle is not None:
        fcntl.flock(handle, fcntl.LOCK_SH)


def is_locked_as(handle: int, folder: Path) -> bool:
    """Whether the folder that a handle locks still has this path."""
    try:
        return os.path.samestat(os.fstat(handle), folder.stat())
    except OSError:
        return False


def unlock(handle: int | None) -> None:
    """Give a lock up."""
    if handle is not None:
        os.close(handle)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a passing name, onto the disk, then give it its own. Raises OSError; nothing is left then."""
    part = path.with_name(f".{path.name.lstrip('.')}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
