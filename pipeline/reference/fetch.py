"""Reads the bytes of a file or an https address with their date. Knows nothing of what they mean."""

import gzip
import os
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT = 20.0
LARGEST = 64 * 1024 * 1024
LOCAL = ("localhost", "127.0.0.1", "::1")
AT_ONCE = 8
ENDINGS = (".json", ".json.gz")
GZIP_MAGIC = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"


class Fetched(NamedTuple):
    """``data`` of ``where`` with the day it was last changed; ``problem`` says why there is none."""

    where: str
    data: bytes
    day: date | None
    problem: str | None = None


def is_address(text: str) -> bool:
    """Whether the text is a URL and no path."""
    return "://" in text


def read_file(path: Path) -> Fetched:
    """Read a file, or say why it cannot be read."""
    try:
        day = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        return Fetched(str(path), path.read_bytes(), day)
    except OSError as error:
        return Fetched(str(path), b"", None, f"cannot be read ({error.strerror})")


def read_within(folder: Path, name: str) -> Fetched:
    """Read a file of a folder by the name that other data give it; nothing outside of the folder is opened."""
    path = folder / name
    try:
        is_within = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except ValueError as error:
        return Fetched(str(path), b"", None, f"cannot be read ({error})")
    if not is_within:
        return Fetched(str(path), b"", None, f"lies outside of {folder} and was not opened")
    return _read_listed(path)


def read_folder(folder: Path) -> list[Fetched]:
    """Read the JSON files of a folder and of those below it, sorted; what cannot be read says so."""
    failures: list[OSError] = []
    paths = [
        Path(place, name)
        for place, _, names in os.walk(folder, onerror=failures.append)
        for name in names
        if name.lower().endswith(ENDINGS)
    ]
    unlisted = [Fetched(str(error.filename), b"", None, f"cannot be read ({error.strerror})") for error in failures]
    return [*map(_read_listed, sorted(paths)), *unlisted]


def _read_listed(path: Path) -> Fetched:
    """Read a file that nobody named: pipes and devices, whose reading may never end, are not opened."""
    is_special = os.path.exists(path) and not os.path.isfile(path)
    return Fetched(str(path), b"", None, "is no file") if is_special else read_file(path)


def unpacked(data: bytes) -> bytes:
    """Return what gzip data hold, or the data, without a UTF-8 mark. Raises ValueError that says what is wrong."""
    if data.startswith(GZIP_MAGIC):
        try:
            with gzip.GzipFile(fileobj=BytesIO(data)) as file:
                data = file.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"damaged or truncated gzip data ({error})") from error
        if len(data) > LARGEST:
            raise ValueError(f"unpacked it is larger than {LARGEST // 1024 // 1024} MiB")
    return data.removeprefix(UTF8_MARK)


def read_addresses(urls: Iterable[str]) -> list[Fetched]:
    """Read several addresses, a few at once; the order is kept."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(read_address, urls))


def read_address(url: str) -> Fetched:
    """Read an address: https, or http of this machine. What goes wrong stands in ``problem``."""
    try:
        _check(url)
        with build_opener(_CheckedRedirects).open(Request(url), timeout=TIMEOUT) as answer:
            data = answer.read(LARGEST + 1)
            day = _day(answer.headers.get("Last-Modified"))
    except (URLError, OSError, HTTPException, ValueError) as error:
        return Fetched(url, b"", None, f"cannot be reached ({error})")
    if len(data) > LARGEST:
        return Fetched(url, b"", None, f"is larger than {LARGEST // 1024 // 1024} MiB")
    return Fetched(url, data, day)


class _CheckedRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url: str) -> None:
    parts = urlsplit(url)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)):
        raise ValueError("only https addresses are read")


def _day(header: str | None) -> date | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC).date() if header else None
    except ValueError:
        return None
