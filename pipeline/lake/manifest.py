"""The manifest of a snapshot: what it was made from and the hash of every file; its own hash is the snapshot's id."""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pipeline.lake.dictionary import relations

MANIFEST = "manifest.json"
ID_DIGITS = 16
#: Raise it where what is stored gets another meaning under the same names: numbers, formulas, ids, witnesses.
FORMAT = 1
_NAME = re.compile(r"\w+/\w+\.parquet")


def write_manifest(folder: Path, body: Mapping[str, object]) -> str:
    """Write the manifest of the Parquet files in ``folder`` and return the id: equal ids mean equal files."""
    whole = {**body, "format": _format(), "files": _hashes(folder)}
    snapshot_id = _id(whole)
    text = json.dumps({**whole, "id": snapshot_id}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", errors="backslashreplace")
    return snapshot_id


def read_manifest(folder: Path) -> dict[str, object]:
    """Return the manifest of a snapshot. Raises OSError or ValueError."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict):
        raise ValueError(f"{MANIFEST} holds no object")
    return manifest


def version_gap(manifest: Mapping[str, object]) -> str | None:
    """Return which policylake made a snapshot that this one cannot read: an earlier or a later one; else None."""
    found = manifest.get("format")
    if found == _format():
        return None
    number = found.get("number") if isinstance(found, dict) else None
    return "a later" if isinstance(number, int) and number > FORMAT else "an earlier"


@lru_cache(maxsize=1)
def _format() -> dict[str, object]:
    """Return what a reader must agree with: the number, and a hash of the relations with their columns and types."""
    described = [[r.name, r.grain, [[c.name, c.type] for c in r.columns]] for r in relations()]
    return {"number": FORMAT, "relations": hashlib.sha256(json.dumps(described).encode()).hexdigest()[:ID_DIGITS]}


def file_names(manifest: Mapping[str, object]) -> list[str]:
    """Return the names of a snapshot's Parquet files, relative to its folder. Raises ValueError."""
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(_NAME.fullmatch(name) for name in files):
        raise ValueError(f"{MANIFEST} lists no files")
    return sorted(files)


def is_whole(folder: Path) -> bool:
    """Whether a snapshot is there with every file as its manifest tells."""
    try:
        manifest = read_manifest(folder)
        return manifest.pop("id", None) == _id(manifest) and manifest.get("files") == _hashes(folder)
    except (OSError, ValueError):
        return False


def _id(body: Mapping[str, object]) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:ID_DIGITS]


def _hashes(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): _hash(path) for path in sorted(folder.glob("*/*.parquet"))}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
