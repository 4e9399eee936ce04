"""Folders for what DuckDB cannot hold in memory. They go with the build; those of killed builds go with the next.

A folder is locked as long as its process runs. Queries, which spill seldom, have theirs in the temp folder by the
number of their process.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from pipeline.errors import PolicylakeError
from pipeline.lake.locks import lock, locked, unlock

IN_LAKE = ".spill-"
IN_TEMP = "policylake-spill-"
OF_QUERY = "policylake-"


@contextmanager
def spill_folder(snapshots: Path) -> Iterator[Path]:
    """Yield a folder to spill into, in TMPDIR if that is set, else beside the snapshots: there is most room.

    Removes those of processes that ended. Raises PolicylakeError where none can be made.
    """
    named = os.environ.get("TMPDIR")
    base, prefix = (Path(named), IN_TEMP) if named else (snapshots, IN_LAKE)
    try:
        with locked(base):
            _remove_dead(base, prefix)
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
            handle = lock(folder)
    except OSError as error:
        raise PolicylakeError(f"{base}: {error.strerror}; name a folder that can be written with TMPDIR") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        unlock(handle)


def query_folder(process: int | None = None) -> Path:
    """Return where a query of a process may spill, by default of this one."""
    return Path(tempfile.gettempdir()) / f"{OF_QUERY}{process or os.getpid()}"


def _remove_dead(base: Path, prefix: str) -> None:
    for folder in base.glob(f"{prefix}*"):
        handle = lock(folder, wait=False)
        if handle is not None:
            shutil.rmtree(folder, ignore_errors=True)
            unlock(handle)
    for folder in Path(tempfile.gettempdir()).glob(f"{OF_QUERY}[0-9]*"):
        with suppress(OSError, ValueError):  # not of ours, or removed meanwhile
            number = int(folder.name.removeprefix(OF_QUERY))
            if folder.stat().st_uid == os.getuid() and not psutil.pid_exists(number):
                shutil.rmtree(folder, ignore_errors=True)
