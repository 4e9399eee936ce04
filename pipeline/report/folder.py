"""Builds the report's folder beside its place and swaps it in; never removes a folder that is not a report."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import PolicylakeError

#: The file that says that a folder is a report and may be replaced.
MARKER = ".policylake-report"


@contextmanager
def replaced_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes ``out`` when everything is written; a failure leaves ``out`` as it was.

    Raises PolicylakeError where ``out`` holds something that is no report, and where it cannot be written.
    """
    place = Path(os.path.abspath(out))
    _check(place, out)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as error:
        raise PolicylakeError(f"{out}: {error.strerror}; give a folder that can be written with --out") from error
    try:
        fresh = work / "new"
        fresh.mkdir()
        (fresh / MARKER).write_text("This folder is a report of policylake, which may replace it.\n", encoding="utf-8")
        yield fresh
        _swap(fresh, place, work / "old")
    except OSError as error:
        raise PolicylakeError(f"{out}: {error.strerror}; the former report, if any, is unchanged") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check(place: Path, out: Path) -> None:
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise PolicylakeError(f"{out}: not a folder; give the report a folder of its own with --out")
    if place.is_dir() and not (place / MARKER).is_file() and any(place.iterdir()):
        raise PolicylakeError(f"{out}: holds files that are no report; give an empty or a new folder with --out")


def _swap(fresh: Path, place: Path, old: Path) -> None:
    if place.exists():
        place.rename(old)
    try:
        fresh.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
