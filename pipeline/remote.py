"""Files at URLs: whatever file system pyarrow knows (s3, gs, abfs, hdfs). Knows no format and no lake.

A URL comes as a Path, which makes one slash of two; here they are two again. Options of the file system, such as
``endpoint_override``, follow a question mark: https://arrow.apache.org/docs/python/filesystems.html
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from pipeline.errors import PolicylakeError, printable

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
_URL = re.compile(rf"({'|'.join(SCHEMES)}):/+(.+)", re.DOTALL)
_LOCAL = re.compile(r"file:/+(.*)", re.DOTALL)
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class RemoteFile(NamedTuple):
    """A file below a URL. ``key`` is its name below that, ``changed`` when it was written, if that is known."""

    key: str
    size: int
    changed: datetime | None


class Place(NamedTuple):
    """A file or folder: a file system of pyarrow, the path there, and how to name it to people."""

    files: Any
    path: str
    shown: str


def is_url(path: Path) -> bool:
    """Whether a path is the URL of a file system that is not this machine's."""
    return _URL.fullmatch(str(path)) is not None


def local(path: Path) -> Path:
    """Return the path that a ``file:`` URL names, and any other path as it is."""
    found = _LOCAL.fullmatch(str(path))
    return Path("/" + unquote(found[1])) if found else path


def shown(path: Path) -> str:
    """Return a path as people write it, a URL with both slashes and without options."""
    found = _URL.fullmatch(str(path))
    return f"{found[1]}://{unquote(found[2].partition('?')[0])}" if found else path.as_posix()


def below(path: Path, key: str) -> Path:
    """Return the URL of what a folder holds under a name."""
    top, mark, options = str(path).partition("?")
    return Path(f"{top.rstrip('/')}/{quote(key)}{mark}{options}")


def name(path: Path) -> str:
    """Return the last part of a URL."""
    return unquote(str(path).partition("?")[0].rpartition("/")[2])


def size(path: Path) -> int | None:
    """Return the bytes of a file, None where there is a folder. Raises PolicylakeError, for a missing one too."""
    place = _place(path)
    with _explained(place):
        info = place.files.get_file_info(place.path)
        if info.type.name == "NotFound":
            raise PolicylakeError(f"{place.shown}: no such file or folder; check the URL")
        return info.size if info.is_file else None


def files(path: Path) -> list[RemoteFile]:
    """Return all files below a folder, sorted by name; none where there is no such folder. Raises PolicylakeError."""
    from pyarrow.fs import FileSelector

    place = _place(path)
    with _explained(place):
        found = place.files.get_file_info(FileSelector(place.path, recursive=True, allow_not_found=True))
    top = place.path.rstrip("/") + "/"
    return sorted(RemoteFile(i.path.removeprefix(top), i.size, i.mtime) for i in found if i.is_file)


def read(path: Path) -> bytes:
    """Return the bytes of a file. Raises OSError."""
    place = _place(path)
    with place.files.open_input_file(place.path) as stream:
        return bytes(stream.readall())


def download(path: Path, target: Path) -> None:
    """Copy a file to this machine. Raises OSError."""
    place = _place(path)
    with place.files.open_input_stream(place.path, compression=None) as stream, target.open("wb") as file:
        while part := stream.read(CHUNK):
            file.write(part)


def upload(source: Path, path: Path) -> None:
    """Copy a file from this machine; on an object store it is there as a whole or not at all. Raises OSError."""
    place = _place(path)
    with source.open("rb") as file, place.files.open_output_stream(place.path, compression=None) as stream:
        while part := file.read(CHUNK):
            stream.write(part)


def write(path: Path, data: bytes) -> None:
    """Write a file, as :func:`upload` does. Raises OSError."""
    place = _place(path)
    with place.files.open_output_stream(place.path, compression=None) as stream:
        stream.write(data)


def delete(path: Path) -> None:
    """Delete a file. Raises OSError."""
    place = _place(path)
    place.files.delete_file(place.path)


CHUNK = 2**23


@contextmanager
def _explained(place: Place) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unreachable(place.shown, error) from error


def unreachable(what: str, error: Exception) -> PolicylakeError:
    """Return the failure to reach a URL."""
    first = printable(str(error).strip().split("\n", 1)[0])
    return PolicylakeError(f"{what}: cannot be reached ({first}); check the URL, the network and the credentials")


def _place(path: Path) -> Place:
    """Return where a URL leads. Raises PolicylakeError for one that pyarrow does not understand."""
    from pyarrow import ArrowException
    from pyarrow.fs import FileSystem

    parts = urlsplit(str(path).replace(":/", "://", 1))
    options = f"?{parts.query or _endpoint(parts.scheme)}".rstrip("?")
    try:
        _, inner = FileSystem.from_uri(f"{parts.scheme}://{parts.netloc}{quote(unquote(parts.path))}{options}")
        return Place(_file_system(f"{parts.scheme}://{parts.netloc}/{options}"), inner, shown(path))
    except (ArrowException, OSError, ValueError) as error:
        raise unreachable(shown(path), error) from error


@lru_cache(maxsize=16)
def _file_system(url: str) -> Any:
    from pyarrow.fs import FileSystem

    return FileSystem.from_uri(url)[0]


def _endpoint(scheme: str) -> str:
    """Return the options for the endpoint that AWS's own variables name, which pyarrow does not read."""
    given = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "") if scheme == "s3" else ""
    parts = urlsplit(given)
    return f"scheme={parts.scheme}&endpoint_override={quote(parts.netloc)}" if parts.netloc else ""
