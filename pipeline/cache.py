"""Keeps what builds found, by the hash of all that it follows from, so that the next build need not find it again.

A key covers the inputs, the service reference and this very program: an entry is never wrong, only unused. Deleting the
folder changes nothing but the time of the next build. Must not know what it keeps.
"""

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import msgspec
import pyarrow as pa

from pipeline import assets
from pipeline.errors import PolicylakeError

#: The folder in a lake.
FOLDER = "cache"
#: Seconds after which what no build used is removed.
KEPT = 7 * 24 * 3600
_SUMMARY, _TABLES, _SUMS, _PART = ".summary", ".tables", ".sums", ".part"
_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Stored:
    """Bytes in a file; in another process, and on another machine, the bytes themselves."""

    path: Path

    def read(self) -> bytes:
        """Return the bytes. Raises OSError, also where they are not what was written."""
        data = _checked(self.path.read_bytes())
        if data is None:
            raise OSError(errno.EIO, "damaged while the build ran", str(self.path))
        return data

    def __reduce__(self) -> tuple[type["Held"], tuple[bytes]]:
        """Take the bytes along."""
        return Held, (self.read(),)


@dataclass(frozen=True)
class Held:
    """Bytes that came from another process."""

    data: bytes

    def read(self) -> bytes:
        """Return the bytes."""
        return self.data


def packed(tables: Mapping[str, pa.Table]) -> bytes:
    """Return tables as bytes, by name."""
    return msgspec.msgpack.encode({name: _ipc(table) for name, table in tables.items()})


def unpacked(data: bytes) -> dict[str, pa.Table]:
    """Return the tables that :func:`packed` packed."""
    held = msgspec.msgpack.decode(data, type=dict[str, bytes])
    return {name: pa.ipc.open_stream(table).read_all() for name, table in held.items()}


def _ipc(table: pa.Table) -> bytes:
    sink = BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


@dataclass(frozen=True)
class Cache:
    """What is kept below ``folder``; all of it follows from ``causes`` too. ``used`` are the names asked for."""

    folder: Path
    is_warm: bool
    causes: tuple[str, ...] = ()
    used: set[str] = field(default_factory=set)

    def key(self, *causes: str) -> str:
        """Return the key of what follows from ``causes``, from those of all and from this program."""
        digest = hashlib.sha256(program().encode())
        for cause in (*self.causes, *causes):
            digest.update(hashlib.sha256(cause.encode("utf-8", "surrogatepass")).digest())
        return digest.hexdigest()

    def shard(self, key: str) -> tuple[bytes, Stored] | None:
        """Return the summary and the tables of a shard, None where they are not there whole."""
        summary, tables = self._file(key + _SUMMARY), Stored(self._file(key + _TABLES))
        try:
            data = _checked(summary.read_bytes())
            return None if data is None or _checked(tables.path.read_bytes()) is None else (data, tables)
        except OSError:
            return None

    def keep_shard(self, key: str, summary: bytes | None, tables: bytes) -> Stored:
        """Keep the tables of a shard, and its summary, by which the next build finds them, if there is one."""
        place = self._file(key + _TABLES)
        with self._writing():
            _write(place, tables)
            if summary is not None:
                _write(self._file(key + _SUMMARY), summary)
        return Stored(place)

    def files(self, key: str) -> dict[str, Path] | None:
        """Return files that were kept together, by name, None where they are not there whole."""
        folder = self._file(key)
        try:
            sums = msgspec.json.decode((folder / _SUMS).read_bytes(), type=dict[str, str])
            found = {name: folder / name for name in sums}
            is_whole = all(hashlib.sha256(path.read_bytes()).hexdigest() == sums[path.name] for path in found.values())
        except (OSError, msgspec.MsgspecError):
            is_whole = False
        if not is_whole:
            shutil.rmtree(folder, ignore_errors=True)
        return found if is_whole else None

    def keep_files(self, key: str, files: Mapping[str, bytes]) -> dict[str, Path]:
        """Keep files together: all of them or, where the process ends meanwhile, none."""
        place = self._file(key)
        with self._writing():
            part = Path(tempfile.mkdtemp(suffix=_PART, dir=self.folder))
            try:
                for name, data in files.items():
                    (part / name).write_bytes(data)
                sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
                (part / _SUMS).write_bytes(msgspec.json.encode(sums))
                with suppress(OSError):  # another build found the same meanwhile
                    part.rename(place)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return {name: place / name for name in files}

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"{self.folder}: {error.strerror or error}; make room or choose another --lake"
            raise PolicylakeError(f"{what}; nothing changed, the former snapshot is still current") from error

    def _file(self, name: str) -> Path:
        self.used.add(name)
        return self.folder / name

    def tidy(self) -> None:
        """Remove what no build used for long."""
        now = time.time()
        for path in self.folder.iterdir():
            with suppress(OSError):  # another build removed it
                if path.name in self.used:
                    os.utime(path)
                elif now - path.stat().st_mtime > KEPT:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write(path: Path, data: bytes) -> None:
    handle, part = tempfile.mkstemp(suffix=_PART, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)


def _checked(stored: bytes) -> bytes | None:
    """Return what was written, None where it is not what stands there."""
    digest, data = stored[:_DIGEST], stored[_DIGEST:]
    return data if hashlib.sha256(data).digest() == digest else None


@lru_cache(maxsize=1)
def program() -> str:
    """Return the hash of this program: its code, its SQL and the libraries whose bytes are kept."""
    digest = hashlib.sha256(f"{pa.__version__} {msgspec.__version__}".encode())
    sources = [
        *assets.PACKAGE.rglob("*.py"),
        *assets.folder("sql").rglob("*.sql"),
        *assets.folder("sql").glob("*.toml"),
    ]
    for path in sorted(sources):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def cache_in(lake: Path, causes: tuple[str, ...], *, is_kept: bool) -> Iterator[Cache]:
    """Yield the cache of a lake; one that is empty and goes with the build where it is not to be kept.

    ``causes`` are what everything in it follows from.
    """
    if is_kept:
        folder = lake / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        cache = Cache(folder, any(folder.iterdir()), causes)
        yield cache
        cache.tidy()
        return
    with tempfile.TemporaryDirectory(prefix=".cache-", dir=lake) as name:
        yield Cache(Path(name), False, causes)
