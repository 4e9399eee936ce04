"""Opens the two sides of a diff: snapshots, lakes, and what must be built first."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pipeline import remote
from pipeline.build import build_lake
from pipeline.cli.build import prefixes
from pipeline.cli.common import DEFAULT_LAKE, note
from pipeline.diff.overlay import write_sides
from pipeline.errors import PolicylakeError
from pipeline.evaluate.run import SAGEMAKER_FAMILY
from pipeline.infrastructure.facts import ACCOUNT_ID, UNKNOWN, Doubt, Infrastructure
from pipeline.ingest.infrastructure import InfrastructureFile, read_infrastructure
from pipeline.lake import Lake, open_lake
from pipeline.reference import load

CURRENT = "current"
#: Sides that are compared.
MOST = 2
#: Rejects of a side that are told.
SHOWN = 5


class Sides(NamedTuple):
    """The two sides, and remarks on how they came about. ``is_of_plan``: --account told the account of a plan."""

    old: Lake
    new: Lake
    remarks: tuple[str, ...] = ()
    is_of_plan: bool = False
    doubts: tuple[Doubt, ...] = ()


class Given(NamedTuple):
    """What options say of the sides: account and parameters are those of a plan or template."""

    lake: Path
    account: str | None = None
    services: Sequence[str] = ()
    parameters: Mapping[str, str] = MappingProxyType({})


def opened(sides: Sequence[str], given: Given, folder: Path) -> Sides:
    """Open the sides that arguments name; what is built lies in ``folder``.

    Raises PolicylakeError for a side that is nothing of the kind.
    """
    wanted, lake = prefixes(given.services), given.lake
    if len(sides) > MOST:
        raise PolicylakeError(f"diff: two sides are compared, and {len(sides)} are given; put inputs into one folder")
    if given.account is not None and not ACCOUNT_ID.fullmatch(given.account):
        raise PolicylakeError(f"--account {given.account}: twelve digits are expected")
    change = _infrastructure(sides[-1], given)
    if change is not None:
        return _of_change(sides, change, given, wanted, folder)
    _check_parameters(given.parameters, frozenset())
    if len(sides) == 1:
        base = open_lake(lake)
        return Sides(base, _side(sides[0], lake, _services(wanted, base), folder / "new"))
    old, new = sides
    _name_alike(old, new)
    first = _side(old, lake, wanted, folder / "old") if not _is_built(old) else None
    second = _side(new, lake, _services(wanted, first), folder / "new")
    return Sides(first or _side(old, lake, _services(wanted, second), folder / "old"), second)


def _check_parameters(parameters: Mapping[str, str], known: frozenset[str]) -> None:
    for name in parameters:
        if name not in known and not name.startswith("AWS::"):
            raise PolicylakeError(f"--parameter {name}: no template here has a parameter of that name; check it")


def _of_change(
    sides: Sequence[str], change: InfrastructureFile, given: Given, services: Sequence[str], folder: Path
) -> Sides:
    """Open the sides of a plan or a template: over a lake, or as another one has it."""
    other = _infrastructure(sides[0], given) if len(sides) == MOST else None
    _check_parameters(given.parameters, change.parameters | (other.parameters if other else frozenset()))
    if other is not None:
        merged = Infrastructure(
            other.infrastructure.after,
            change.infrastructure.after,
            tuple(dict.fromkeys((*other.infrastructure.remarks, *change.infrastructure.remarks))),
        )
        base, how = None, f"{sides[0]} is compared with {sides[1]}"
    else:
        merged = change.infrastructure
        base = _side(sides[0], given.lake, services, folder / "old") if len(sides) == MOST else _lake_there(given.lake)
        over = f"put over snapshot {base.snapshot_id} of {base.path}" if base else "read by itself: no lake is used"
        how = f"{sides[-1]} is {over}"
        if base is None and not change.is_plan:
            what = "a template does not say what was there before"
            raise PolicylakeError(f"{sides[-1]}: {what}; give OLD, or a lake with --lake")
    if base is not None and not change.is_plan:
        note(f"note: what {sides[-1]} no longer makes is not seen over a lake: give its former text as OLD")
    if not merged.before and not merged.after:
        note(f"note: {sides[-1]} has no resources of IAM or Organizations")
    reference = frozenset(load().table("reference_services")["service"].to_pylist())
    written = write_sides(merged, base, folder, reference)
    held = _services(services, base)
    wanted = _services((*held, *written.services), None)
    more = sorted({*wanted} - {*held})
    remarks = (*written.remarks, *([f"the change speaks of {', '.join(more)}: compared too"] if more else ()))
    # What is wrong with the accounts the lake's own build has told, and what with the change the remarks do.
    old, new = (
        built([side], wanted, folder / f"{side.name}-lake", tells=False) for side in (written.before, written.after)
    )
    return Sides(old, new, (how, *remarks, *_wrong_documents(old, new)), is_of_plan=True, doubts=written.doubts)


def _wrong_documents(old: Lake, new: Lake) -> Iterator[str]:
    """Yield what is wrong with the policies of the new side that was not before."""
    # What is merely missing is told as unknown.
    sql = (
        "select distinct severity, message, remedy from rejects "
        "where code not in ('missing-policy', 'missing-boundary') order by all"
    )
    before, after = ({tuple(row.values()) for row in lake.query(sql).to_pylist()} for lake in (old, new))
    for severity, message, remedy in sorted(after - before):
        if UNKNOWN not in message:
            yield f"{severity}: {message}; {remedy}"


def _lake_there(lake: Path) -> Lake | None:
    """Open the lake. That of the default name may be missing; one that somebody named is an error then."""
    return open_lake(lake) if lake != DEFAULT_LAKE or _is_lake(lake) else None


def _infrastructure(text: str, given: Given) -> InfrastructureFile | None:
    path = Path(text)
    return read_infrastructure(path, given.account, given.parameters) if path.is_file() else None


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


def built(paths: Sequence[Path], services: Sequence[str], folder: Path, *, tells: bool = True) -> Lake:
    """Build inputs in a folder and open the lake; ``tells`` their rejects.

    Raises PolicylakeError where nothing of them could be read: an empty side would pass for access that is lost.
    """
    result = build_lake(paths, folder, services=services, keeps=False)
    told = [str(reject) for reject in result.rejects] if tells else []
    if tells and not result.counts["principals"] and not result.counts["policies"]:
        why = next(iter(told), "it holds neither accounts nor policies")
        raise PolicylakeError(f"{', '.join(map(str, paths))}: nothing here can be compared ({why})")
    for line in told[:SHOWN]:
        note(line)
    if len(told) > SHOWN:
        note(f"... and {len(told) - SHOWN} more; policylake build lists them")
    return open_lake(folder)


def _services(wanted: Sequence[str], other: Lake | None) -> tuple[str, ...]:
    """Return the services to answer for: those of the other side too."""
    there = other.manifest.get("services", []) if other else []
    return tuple(sorted({*wanted, *there} - {*SAGEMAKER_FAMILY}))
