"""Builds a snapshot: read the inputs, flatten, evaluate, write. Knows the order of the rooms and nothing of theirs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from pipeline import __version__, reference
from pipeline.errors import Reject
from pipeline.evaluate import evaluate
from pipeline.evaluate.run import SAGEMAKER_FAMILY
from pipeline.gather import Gathered, gather
from pipeline.lake import new_snapshot
from pipeline.lake.dictionary import relation, relations
from pipeline.lake.duck import Connection
from pipeline.lake.write import load_table
from pipeline.memory import collection_off
from pipeline.progress import Progress, Step, silent
from pipeline.reference import RELATIONS, Reference
from pipeline.workers import Pools, workers

#: Relations that large lakes expand when asked: their rows are joined from others.
EXPANDED = (
    "policy_places",
    "statement_actions",
    "principal_statements",
    "principal_reasons",
    "profile_cells",
    "access",
    "access_matrix",
    "profile_dependencies",
    "role_trusts",
    "passable_roles",
    "profile_gaps",
    "missing_dependencies",
)


class BuildResult(NamedTuple):
    """``counts`` are rows by relation; ``rejects`` are all problems of the inputs, warnings included."""

    snapshot_id: str
    rejects: tuple[Reject, ...]
    counts: dict[str, int]


def build_lake(
    inputs: Sequence[Path],
    lake: Path,
    *,
    services: Sequence[str] = (),
    latest: bool = False,
    processes: int = 1,
    memory: int | None = None,
    threads: int | None = None,
    progress: Progress = silent,
    pools: Pools = workers,
) -> BuildResult:
    """Build a snapshot of the inputs in the folder ``lake`` and make it current.

    ``services`` are prefixes to evaluate besides the SageMaker family. ``processes`` are those that share the work: the
    snapshot is the same for any number. More than one asks of a script that it keeps what it does behind
    ``if __name__ == "__main__"``.

    ``pools`` gives what they work in, by default processes of this machine; see also ``pipeline.cluster``.

    ``memory`` in bytes and ``threads`` are for DuckDB, by default a good share of what this process may use; it spills
    to a folder in the lake, or in TMPDIR if that is set.

    Raises PolicylakeError where nothing can be read, inputs contradict each other (see ``latest``), or the lake cannot
    be written.
    """
    known = reference.load()
    evaluated = tuple(sorted({*SAGEMAKER_FAMILY, *(service.lower() for service in services)}))
    with new_snapshot(lake) as snapshot, collection_off(), snapshot.working(memory, threads) as connection:
        read = gather(inputs, known, latest=latest, processes=processes, progress=progress, pools=pools)
        progress(Step("loading"))
        loaded = _load(connection, read.tables, known)
        with pools(processes) as pool:
            evaluate(connection, known, evaluated, pool, progress)
        written = [r for r in relations() if r.name not in EXPANDED]
        counts = snapshot.write_all(connection, written, loaded, progress)
        progress(Step("publishing"))
        snapshot_id = snapshot.publish(_manifest(read, known, evaluated, counts))
    return BuildResult(snapshot_id, read.rejects, counts)


def _load(connection: Connection, tables: dict[str, pa.Table], known: Reference) -> list[str]:
    """Load the flattened relations, ordered by their grain, and the reference; return the names of the former.

    ``actions`` lacks its counts and goes to staging. What was loaded is taken out of ``tables``.
    """
    connection.execute("create schema staging")
    load_table(connection, "actions", tables.pop("actions"), "staging", relation("actions").grain)
    ordered = list(tables)
    for name in ordered:
        load_table(connection, name, tables.pop(name), order=relation(name).grain)
    for name in RELATIONS:
        load_table(connection, name, known.table(name))
    return ordered


def _manifest(
    read: Gathered, known: Reference, services: Sequence[str], counts: Mapping[str, int]
) -> dict[str, object]:
    severities = [reject.severity for reject in read.rejects]
    return {
        "policylake_version": __version__,
        "services": list(services),
        "reference": {"version": known.version, "data_date": known.data_date.isoformat(), "origin": known.origin},
        "inputs": [source._asdict() for source in read.sources],
        "counts": dict(counts),
        "rejects": {severity: severities.count(severity) for severity in ("error", "warning")},
        "missing": read.incomplete,
    }
