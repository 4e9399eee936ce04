"""Finds input files and turns their bytes into UTF-8 JSON text. Must not know any format.

The only module of ingest that touches the file system.
"""

import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline import remote
from pipeline.errors import PolicylakeError, Reject, printable
from pipeline.ingest.locate import line_column
from pipeline.ingest.yaml_text import YAML_ENDINGS, YamlError, json_of

GZIP_ENDING = ".gz"
ENDINGS = (".json.gz", ".jsonc.gz", ".json", ".jsonc")
#: Where /dev/stdin and /dev/fd/63 lead to depends on who asks.
FOLDERS_OF_PROCESS = (("dev",), ("proc",))
GZIP_MAGIC = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF32_MARKS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")


class InputFile(NamedTuple):
    """One file to read. ``source`` is its printable path as the user gave it; ``name`` the path without ending.

    ``name`` counts from the INPUT folder it was found in, or is the file's own name where it was given directly.
    ``path`` may be a URL; ``listed`` is then its size in bytes.
    """

    source: str
    name: str
    path: Path
    listed: int | None = None


class Content(NamedTuple):
    """The bytes of a file. ``data`` is UTF-8 JSON text, None where ``reject`` says why there is none."""

    sha256: str
    size: int
    data: bytes | None
    reject: Reject | None


def find(paths: Sequence[Path]) -> tuple[tuple[InputFile, ...], tuple[Reject, ...]]:
    """Return the input files, each real file once and sorted, and rejects for what a folder holds that cannot be read.

    Raises PolicylakeError for a path that does not exist or cannot be reached, and where there is no file at all.
    """
    found: dict[str, InputFile] = {}
    rejects: list[Reject] = []
    for path in paths:
        for item in _below(path):
            if isinstance(item, Reject):
                rejects.append(item)
                continue
            real = str(item.path) if remote.is_url(item.path) else os.path.realpath(item.path)
            found[real] = min(found.get(real, item), item)
    if not found and rejects:
        raise PolicylakeError(str(rejects[0]))
    if not found:
        places = ", ".join(printable(_shown(path)) for path in paths) or "no INPUT"
        raise PolicylakeError(f"{places}: no input file here; give files, or folders with {', '.join(ENDINGS)} files")
    return tuple(sorted(found.values())), tuple(sorted(set(rejects)))


def _below(path: Path) -> Iterator[InputFile | Reject]:
    if remote.is_url(path):
        yield from _below_url(path)
        return
    path = remote.local(path)
    shown = printable(_shown(path))
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as failure:
        raise PolicylakeError(f"{shown}: no such file or folder; check the path") from failure
    except OSError as failure:
        what = f"cannot be read ({failure.strerror}); check the path and that you may read it"
        raise PolicylakeError(f"{shown}: {what}") from failure
    if is_folder:
        yield from _walk(path)
    else:
        yield InputFile(shown, printable(_stem(path.name)), path)


def _below_url(top: Path) -> Iterator[InputFile]:
    """Search a folder at a URL; a lake is not searched."""
    own_size = remote.size(top)
    if own_size is not None:
        yield InputFile(printable(_shown(top)), printable(_stem(remote.name(top))), top, own_size)
        return
    found = remote.files(top)
    pointers = {file.key.rpartition("/")[0] for file in found if file.key.rpartition("/")[2] == "CURRENT"}
    lakes = [f"{folder}/".lstrip("/") for folder in pointers]
    lakes = [lake for lake in lakes if any(file.key.startswith(f"{lake}snapshots/") for file in found)]
    for file in found:
        if file.key.lower().endswith(ENDINGS) and not any(file.key.startswith(lake) for lake in lakes):
            path = remote.below(top, file.key)
            yield InputFile(printable(_shown(path)), printable(_stem(file.key)), path, file.size)


def _walk(top: Path) -> Iterator[InputFile | Reject]:
    """Search a folder; a lake, and a folder that was reached already, by whatever link, are not searched."""
    failures: list[OSError] = []
    seen: set[str] = set()
    for folder, folders, names in os.walk(top, onerror=failures.append, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen or ("CURRENT" in names and "snapshots" in folders):
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(ENDINGS):
                path = Path(folder, name)
                shown = printable(_shown(path))
                stem = printable(_stem(_shown(path.relative_to(top))))
                yield _special(shown) if _is_special(path) else InputFile(shown, stem, path)
    for failure in failures:
        yield _unreadable(printable(os.fsdecode(failure.filename or os.fspath(top))), failure)


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, socket or device, whose reading may never end; what cannot be told is taken for a file."""
    if remote.is_url(path):
        return False
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def is_of_process(file: InputFile) -> bool:
    """Whether only this process may be able to read the file, or only once: a pipe, a device, one of its open files."""
    if remote.is_url(file.path):
        return False
    return _is_special(file.path) or file.path.absolute().parts[1:2] in FOLDERS_OF_PROCESS


def _special(source: str) -> Reject:
    message = "is a named pipe, socket or device and was not read"
    remedy = "save what it gives in a file, or give it as INPUT itself"
    return Reject(source, None, None, "", "warning", "special-file", message, remedy)


def _shown(path: Path) -> str:
    return remote.shown(path)


def _stem(name: str) -> str:
    ending = next((ending for ending in ENDINGS if name.lower().endswith(ending)), Path(name).suffix)
    return name.removesuffix(name[len(name) - len(ending) :]) if ending else name


def size(file: InputFile) -> int:
    """Return the bytes of a file as stored, 0 where that cannot be told."""
    if file.listed is not None:
        return file.listed
    try:
        return file.path.stat().st_size
    except OSError:
        return 0


def load(file: InputFile) -> Content:
    """Read, unpack and decode one file; whatever fails is told in ``reject``."""
    try:
        stored = remote.read(file.path) if remote.is_url(file.path) else file.path.read_bytes()
    except OSError as failure:
        return Content("", 0, None, _unreadable(file.source, failure))
    data, reject = _decoded(file.source, stored)
    if (
        data is not None
        and remote.name(file.path).lower().endswith(YAML_ENDINGS)
        and not data.lstrip().startswith(b"{")
    ):
        data, reject = _from_yaml(file.source, data)
    return Content(hashlib.sha256(stored).hexdigest(), len(stored), data, reject)


def fingerprint(file: InputFile) -> str:
    """Return the hash of a file's bytes, as :func:`load` gives it; empty where it cannot be read."""
    try:
        if remote.is_url(file.path):
            return hashlib.sha256(remote.read(file.path)).hexdigest()
        with file.path.open("rb") as stored:
            return hashlib.file_digest(stored, "sha256").hexdigest()
    except OSError:
        return ""


def reload(file: InputFile) -> str | None:
    """Return the text of a file that was read before, None where it cannot be read again."""
    if _is_special(file.path):
        return None
    data = load(file).data
    return None if data is None else data.decode("utf-8")


def _unreadable(source: str, failure: OSError) -> Reject:
    reason = printable((failure.strerror or str(failure) or type(failure).__name__).split("\n", 1)[0])
    remedy = "check that the file exists and that you may read it"
    return Reject(source, None, None, "", "error", "unreadable-file", f"cannot be read ({reason})", remedy)


def _decoded(source: str, stored: bytes) -> tuple[bytes | None, Reject | None]:
    if stored.startswith(GZIP_MAGIC):
        try:
            stored = gzip.decompress(stored)
        except (OSError, EOFError, zlib.error) as failure:
            message = f"damaged or truncated gzip data ({printable(str(failure))})"
            return None, Reject(source, None, None, "", "error", "damaged-gzip", message, "copy or compress it again")
        if stored.startswith(GZIP_MAGIC):
            message = "gzip data within gzip data: the file is compressed twice"
            return None, Reject(source, None, None, "", "error", "damaged-gzip", message, "uncompress it once")
    if stored.startswith(UTF32_MARKS):
        return None, _encoding(source, 1, 1, 0, "UTF-32")
    if stored.startswith(UTF16_MARKS):
        return _from_utf16(source, stored)
    data = stored.removeprefix(UTF8_MARK)
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as failure:
            before = data[: failure.start].decode("utf-8")
            line, column = line_column(before, len(before))
            return None, _encoding(source, line, column, failure.start, "neither UTF-8 nor UTF-16")
    return data, None


def _from_yaml(source: str, data: bytes) -> tuple[bytes | None, Reject | None]:
    try:
        return json_of(data), None
    except YamlError as failure:
        remedy = "mend the YAML; this file was left out"
        place = (failure.line or None, failure.column or None)
        return None, Reject(source, *place, "", "error", "malformed-yaml", printable(str(failure)), remedy)


def _from_utf16(source: str, stored: bytes) -> tuple[bytes | None, Reject | None]:
    try:
        return stored.decode("utf-16").encode("utf-8"), None
    except UnicodeDecodeError as failure:
        before = stored[: failure.start].decode("utf-16", errors="ignore")
        line, column = line_column(before, len(before))
        return None, _encoding(source, line, column, failure.start, "damaged UTF-16")


def _encoding(source: str, line: int, column: int, offset: int, what: str) -> Reject:
    message = f"the text is {what} at byte {offset}"
    remedy = "save the file as UTF-8; this file was left out"
    return Reject(source, line, column, "", "error", "encoding", message, remedy)
