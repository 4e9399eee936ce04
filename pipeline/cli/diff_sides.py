"""Opens the two sides of a diff: snapshots, lakes, and what must be built first."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline import remote
from pipeline.build import build_lake
from pipeline.cli.build import prefixes
from pipeline.cli.common import note
from pipeline.errors import PolicylakeError
from pipeline.evaluate.run import SAGEMAKER_FAMILY
from pipeline.lake import Lake, open_lake

CURRENT = "current"
#: Rejects of a side that are told.
SHOWN = 5


class Sides(NamedTuple):
    """The two sides, and remarks on how they came about. ``is_of_plan``: --account told the account of a plan."""

    old: Lake
    new: Lake
    remarks: tuple[str, ...] = ()
    is_of_plan: bool = False


def opened(sides: Sequence[str], lake: Path, account: str | None, services: Sequence[str], folder: Path) -> Sides:
    """Open the sides that arguments name; what is built lies in ``folder``.

    Raises PolicylakeError for a side that is nothing of the kind.
    """
    wanted = prefixes(services)
    if len(sides) > 2:
        raise PolicylakeError(f"diff: two sides are compared, and {len(sides)} are given; put inputs into one folder")
    if len(sides) == 1:
        return Sides(open_lake(lake), _side(sides[0], lake, wanted, folder / "new"))
    old, new = sides
    _name_alike(old, new)
    first = _side(old, lake, wanted, folder / "old") if not _is_built(old) else None
    second = _side(new, lake, _services(wanted, first), folder / "new")
    return Sides(first or _side(old, lake, _services(wanted, second), folder / "old"), second)


def _name_alike(old: str, new: str) -> None:
    """Say of two files that their names are those of the principals that stand for loose documents."""
    one, other = Path(old), Path(new)
    if one.is_file() and other.is_file() and one.name != other.name:
        note(f"note: a loose policy document is called by its file: {one.name} and {other.name} are two principals")


def _is_built(text: str) -> bool:
    """Whether a side is a file or folder of inputs."""
    path = Path(text)
    return path.exists() and not _is_lake(path)


def _is_lake(path: Path) -> bool:
    return (path / "CURRENT").is_file() and (path / "snapshots").is_dir()


def _side(text: str, lake: Path, services: Sequence[str], folder: Path) -> Lake:
    path = Path(text)
    if remote.is_url(path):
        return open_lake(path)
    if _is_lake(path):
        return open_lake(path)
    if path.exists():
        return built([path], services, folder)
    if "/" in text:
        raise PolicylakeError(f"{text}: no such file or folder; check the path")
    return open_lake(lake, None if text == CURRENT else text)


def built(paths: Sequence[Path], services: Sequence[str], folder: Path) -> Lake:
    """Build inputs in a folder and open the lake."""
    result = build_lake(paths, folder, services=services, keeps=False)
    for reject in result.rejects[:SHOWN]:
        note(str(reject))
    if len(result.rejects) > SHOWN:
        note(f"... and {len(result.rejects) - SHOWN} more; policylake build lists them")
    return open_lake(folder)


def _services(wanted: Sequence[str], other: Lake | None) -> tuple[str, ...]:
    """Return the services to answer for: those of the other side too."""
    there = other.manifest.get("services", []) if other else []
    return tuple(sorted({*wanted, *(service for service in there if service not in SAGEMAKER_FAMILY)}))
