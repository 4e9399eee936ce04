"""A lake at a URL. It is built and read in a copy on this machine; snapshots go to and fro as a whole, by their id.

An object store changes one object at a time and has no locks. So a snapshot's files are written first, its manifest
after them and CURRENT last: who reads CURRENT finds all that it names. Of two builds at once the later one is current.
"""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline import remote
from pipeline.errors import PolicylakeError
from pipeline.lake.current import CURRENT, no_snapshot
from pipeline.lake.manifest import MANIFEST, file_names, read_manifest

NAME_DIGITS = 16


def copy_of(lake: Path) -> Path:
    """Return the folder of this user in which the lake at a URL is built and read."""
    given = os.environ.get("POLICYLAKE_CACHE")
    cache = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "policylake"
    return cache / "lakes" / hashlib.sha256(str(lake).encode()).hexdigest()[:NAME_DIGITS]


def current_there(lake: Path) -> str:
    """Return the id of the current snapshot at a URL. Raises PolicylakeError where there is none."""
    try:
        return remote.read(remote.below(lake, CURRENT)).decode("ascii").strip()
    except FileNotFoundError as error:
        raise no_snapshot(remote.shown(lake)) from error
    except (OSError, ValueError) as error:
        raise remote.unreachable(f"{remote.shown(lake)}/{CURRENT}", error) from error


def fetch(lake: Path, snapshot_id: str, folder: Path) -> bool:
    """Copy a snapshot from a URL into a folder; False where it was removed meanwhile. Raises PolicylakeError."""
    there = remote.below(lake, f"snapshots/{snapshot_id}")
    try:
        remote.download(remote.below(there, MANIFEST), folder / MANIFEST)
        for name in file_names(read_manifest(folder)):
            (folder / name).parent.mkdir(exist_ok=True)
            remote.download(remote.below(there, name), folder / name)
    except FileNotFoundError as error:
        if current_there(lake) == snapshot_id:
            raise PolicylakeError(f"{remote.shown(there)}: incomplete ({error}); build it again") from error
        return False
    except ValueError as error:
        raise PolicylakeError(f"{remote.shown(there)}: damaged ({error}); build it again") from error
    except OSError as error:
        raise remote.unreachable(remote.shown(there), error) from error
    return True


def send(snapshot: Path, lake: Path) -> None:
    """Copy a snapshot to a URL and make it current there. Raises PolicylakeError; the former one is current then.

    Files that are there with their size under the id, which is their hash, are not sent again.
    """
    there = remote.below(lake, f"snapshots/{snapshot.name}")
    held = {file.key: file.size for file in remote.files(there)}
    try:
        for name in file_names(read_manifest(snapshot)):
            if held.get(name) != (snapshot / name).stat().st_size:
                remote.upload(snapshot / name, remote.below(there, name))
        # Always, for its time is that at which the snapshot became current.
        remote.upload(snapshot / MANIFEST, remote.below(there, MANIFEST))
        remote.write(remote.below(lake, CURRENT), f"{snapshot.name}\n".encode())
    except OSError as error:
        what = remote.unreachable(remote.shown(lake), error)
        raise PolicylakeError(f"{what}; the former snapshot is still current there") from error


class There(NamedTuple):
    """A snapshot at a URL: when it became current, None where it is not whole, and when anything of it was written."""

    name: str
    files: tuple[remote.RemoteFile, ...]
    since: datetime | None
    changed: datetime

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)


def snapshots_there(lake: Path) -> list[There]:
    """Return the snapshots at a URL. Raises PolicylakeError."""
    by_name: dict[str, list[remote.RemoteFile]] = {}
    for file in remote.files(remote.below(lake, "snapshots")):
        by_name.setdefault(file.key.partition("/")[0], []).append(file)
    return [_there(name, tuple(files)) for name, files in sorted(by_name.items())]


def _there(name: str, files: tuple[remote.RemoteFile, ...]) -> There:
    """Return a snapshot of these files; where the file system tells no times, it has just been written."""
    now = datetime.now(UTC)
    times = {file.key: file.changed or now for file in files}
    return There(name, files, times.get(f"{name}/{MANIFEST}"), max(times.values(), default=now))


def remove_there(lake: Path, snapshot: There) -> None:
    """Remove a snapshot at a URL, its manifest first: what has none is no snapshot. Raises PolicylakeError."""
    manifest = f"{snapshot.name}/{MANIFEST}"
    for key in sorted((file.key for file in snapshot.files), key=lambda key: (key != manifest, key)):
        try:
            remote.delete(remote.below(lake, f"snapshots/{key}"))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise remote.unreachable(f"{remote.shown(lake)}/snapshots/{key}", error) from error
