"""Refreshes the user's service reference from AWS's machine-readable one: a file, a folder or an address.

The packaged reference is never touched, and a refresh that fails leaves the reference in use as it was.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

from pipeline.errors import PolicylakeError, printable
from pipeline.reference import PACKAGED, RELATIONS, Reference, load, user_folder
from pipeline.reference.aws_format import IndexEntry, Service, decode, odd_types
from pipeline.reference.build import write_relation
from pipeline.reference.fetch import (
    Fetched,
    is_address,
    read_address,
    read_addresses,
    read_file,
    read_folder,
    read_within,
    unpacked,
)
from pipeline.reference.overlay import overlay

META = "meta.json"
FILES = (META, *(f"{relation}.parquet" for relation in RELATIONS))


class _Found(NamedTuple):
    services: dict[str, Service]
    days: list[date]
    problems: list[str]


def _silent(message: str) -> None:
    del message


def refresh(source: str, target: Path | None = None, *, warn: Callable[[str], None] = _silent) -> Reference:
    """Write the reference of ``source`` laid over the packaged one into ``target`` (the user's folder) and return it.

    ``source`` is AWS's index or one service's file, a folder of such files, or the https address of either. A
    service that cannot be read keeps its packaged data: ``warn`` gets a line about each problem, and
    ``meta["problems"]`` holds them. The data are dated by the newest file. Format: AWS's guide to the Service
    Authorization Reference, "Simplified AWS service information for programmatic access".

    Raises PolicylakeError where nothing can be read or the target cannot be written; nothing has changed then.
    """
    folder = target or user_folder()
    found = _read(source)
    if not found.services:
        reasons = "; ".join(found.problems[:3]) or f"{printable(source)}: no file of AWS's service reference in it"
        raise PolicylakeError(f"{reasons}; {_still_in_use(folder)}")
    for problem in found.problems:
        warn(problem)
    packaged = load(PACKAGED)
    meta = {
        "version": f"AWS service reference {max(service.version for service in found.services.values())}",
        "data_date": max(found.days, default=datetime.now(UTC).date()).isoformat(),
        "origin": source if is_address(source) else str(Path(source).resolve()),
        "services": sorted(found.services),
        "packaged": {"version": packaged.version, "data_date": packaged.data_date.isoformat()},
        "problems": found.problems,
    }
    _write(folder, packaged, found.services, meta)
    return load(folder)


def _still_in_use(target: Path) -> str:
    """Say which reference stays in use; one that cannot be read itself is passed over."""
    try:
        reference = load(target if (target / META).is_file() else PACKAGED)
    except PolicylakeError:
        reference = load(PACKAGED)
    return f"the {reference.kind} service reference of {reference.data_date} stays in use"


def _read(source: str) -> _Found:
    files = list(_files(source))
    found = _Found({}, [], [])
    for file in files:
        _take(file, found, is_alone=len(files) == 1)
    return found


def _files(source: str) -> Iterable[Fetched]:
    if is_address(source):
        return [read_address(source)]
    path = Path(source)
    return read_folder(path) if path.is_dir() else [read_file(path)]


def _take(file: Fetched, found: _Found, *, is_alone: bool) -> None:
    """Add what a file holds. An index is followed only where it is all that was given: a folder has the files."""
    if file.problem:
        found.problems.append(printable(f"{file.where}: {file.problem}; try again later or give a file"))
        return
    try:
        content = decode(unpacked(file.data))
    except ValueError as error:
        found.problems.append(printable(f"{file.where}: {error}; fetch it again, its former data stay in use"))
        return
    if isinstance(content, tuple):
        if is_alone:
            _follow(file.where, content, found)
    elif content.prefix in found.services:
        found.problems.append(printable(f"{file.where}: {content.prefix} stands in another file too; remove one"))
    else:
        found.services[content.prefix] = content
        found.days.extend([file.day] if file.day else [])
        found.problems.extend(printable(f"{file.where}: {problem}") for problem in odd_types(content))


def _follow(where: str, index: Iterable[IndexEntry], found: _Found) -> None:
    """Read the files that an index names: addresses, or paths beside an index that is a file and in its folder."""
    if is_address(where):
        files = read_addresses(_joined(where, entry.url) for entry in index)
    else:
        remote = read_addresses(entry.url for entry in index if is_address(entry.url))
        files = [*remote, *(read_within(Path(where).parent, e.url) for e in index if not is_address(e.url))]
    for file in files:
        _take(file, found, is_alone=False)


def _joined(base: str, url: str) -> str:
    """Return the whole address; one that is none stays as it is, for the reader to refuse."""
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def _write(target: Path, packaged: Reference, services: dict[str, Service], meta: dict[str, Any]) -> None:
    base = {name: [tuple(row.values()) for row in packaged.table(name).to_pylist()] for name in RELATIONS}
    try:
        _refuse_foreign(target)
        with _replaced(target) as fresh:
            for relation, rows in overlay(base, services).items():
                write_relation(fresh, relation, rows)
            (fresh / META).write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise PolicylakeError(
            f"{target}: {error.strerror or error}; name a folder that can be written with POLICYLAKE_REFERENCE"
        ) from error


def _refuse_foreign(target: Path) -> None:
    """Refuse to replace a folder that holds anything but a reference."""
    foreign = [path.name for path in target.iterdir() if path.name not in FILES] if target.exists() else []
    if foreign:
        what = f"{target}: holds other files ({foreign[0]}); name a folder for the reference alone"
        raise PolicylakeError(printable(what))


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    """Yield a new folder that takes the target's place at the end; between the two the packaged reference counts."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fresh = work / "fresh"
        fresh.mkdir()
        yield fresh
        if target.exists():
            os.rename(target, work / "former")
        os.rename(fresh, target)
    finally:
        if (work / "former").exists() and not target.exists():
            os.rename(work / "former", target)
        shutil.rmtree(work, ignore_errors=True)
