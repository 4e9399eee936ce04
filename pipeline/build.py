"""Builds a snapshot: read the inputs, flatten, evaluate, write. Knows the order of the rooms and nothing of theirs."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline import __version__, reference
from pipeline.errors import Reject
from pipeline.evaluate import evaluate
from pipeline.evaluate.run import SAGEMAKER_FAMILY
from pipeline.flatten import flatten
from pipeline.flatten.records import Inputs
from pipeline.ingest import read_inputs
from pipeline.lake import Snapshot, new_snapshot
from pipeline.lake.dictionary import relation, relations
from pipeline.lake.duck import Connection, connect, room_needed
from pipeline.lake.write import load_rows, load_table
from pipeline.memory import collection_off
from pipeline.reference import RELATIONS, Reference

#: Relations that large lakes expand when asked: their rows are joined from others.
EXPANDED = (
    "policy_places",
    "statement_actions",
    "principal_statements",
    "principal_reasons",
    "profile_cells",
    "access",
    "access_matrix",
)


class BuildResult(NamedTuple):
    """``counts`` are rows by relation; ``rejects`` are all problems of the inputs, warnings included."""

    snapshot_id: str
    rejects: tuple[Reject, ...]
    counts: dict[str, int]


def _silent(message: str) -> None:
    del message


def build_lake(
    inputs: Sequence[Path],
    lake: Path,
    *,
    services: Sequence[str] = (),
    latest: bool = False,
    progress: Callable[[str], None] = _silent,
) -> BuildResult:
    """Build a snapshot of the inputs in the folder ``lake`` and make it current.

    ``services`` are prefixes to evaluate besides the SageMaker family. Raises PolicylakeError where nothing can be
    read, inputs contradict each other (see ``latest``), or the lake cannot be written.
    """
    known = reference.load()
    evaluated = tuple(sorted({*SAGEMAKER_FAMILY, *(service.lower() for service in services)}))
    with new_snapshot(lake) as snapshot, collection_off(), room_needed():
        connection = connect()
        read = read_inputs(inputs, latest=latest, progress=progress)
        _load(connection, read, known)
        progress("evaluating")
        evaluate(connection, known, evaluated, progress)
        progress("writing")
        counts = _write(snapshot, connection)
        snapshot_id = snapshot.publish(_manifest(read, known, evaluated, counts))
    return BuildResult(snapshot_id, read.rejects, counts)


def _load(connection: Connection, read: Inputs, known: Reference) -> None:
    """Load the flattened relations and the reference as tables; ``actions`` lacks its counts and goes to staging."""
    connection.execute("create schema staging")
    rows = flatten(read, lambda key: known.key(key) is not None)
    for name, listed in rows.items():
        load_rows(connection, relation(name), listed, "staging" if name == "actions" else "main")
    for name in RELATIONS:
        load_table(connection, name, known.table(name))


def _write(snapshot: Snapshot, connection: Connection) -> dict[str, int]:
    return {r.name: snapshot.write(connection, r) for r in relations() if r.name not in EXPANDED}


def _manifest(read: Inputs, known: Reference, services: Sequence[str], counts: Mapping[str, int]) -> dict[str, object]:
    severities = [reject.severity for reject in read.rejects]
    return {
        "policylake_version": __version__,
        "services": list(services),
        "reference": {"version": known.version, "data_date": known.data_date.isoformat(), "origin": known.origin},
        "inputs": [source._asdict() for source in read.sources],
        "counts": dict(counts),
        "rejects": {severity: severities.count(severity) for severity in ("error", "warning")},
        "missing": sum(1 for principal in read.principals if principal.missing),
    }
