"""Builds a snapshot: read the inputs, flatten, evaluate, write. Knows the order of the rooms and nothing of theirs."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from pipeline import __version__, reference
from pipeline.account_groups import (
    MERGED,
    OF_GROUPS,
    Share,
    Task,
    action_sets_in,
    evaluate_group,
    evaluate_in_share,
    merged,
    tasks_of,
)
from pipeline.cache import Cache, cache_in
from pipeline.errors import Reject
from pipeline.evaluate.numbers import hold_one_text_each
from pipeline.evaluate.run import OF_ALL, SAGEMAKER_FAMILY
from pipeline.flattened import Tables
from pipeline.gather import Gathered, gather
from pipeline.lake import new_snapshot
from pipeline.lake.dictionary import relation
from pipeline.lake.duck import Limits, connect
from pipeline.lake.write import Snapshot, load_table
from pipeline.progress import Progress, Step, silent
from pipeline.reference import RELATIONS, Reference
from pipeline.workers import Pools, workers

#: Relations that have one file, whatever the number of account groups.
OF_ALL_ACCOUNTS = ("accounts", "account_ancestors", "inventory", "training_jobs", "rejects", *OF_ALL)


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
    keeps: bool = True,
    progress: Progress = silent,
    pools: Pools = workers,
) -> BuildResult:
    """Build a snapshot of the inputs in the folder ``lake`` and make it current.

    ``services`` are prefixes to evaluate besides the SageMaker family. ``processes`` are those that share the work: the
    snapshot is the same for any number. More than one asks of a script that it keeps what it does behind
    ``if __name__ == "__main__"``. ``keeps`` says to use what former builds kept in the lake's cache, and to keep what
    this one finds: the snapshot is the same without.

    ``pools`` gives what they work in, by default processes of this machine; see also ``pipeline.cluster``.

    ``memory`` in bytes and ``threads`` are for DuckDB, by default a good share of what this process may use, in each of
    several processes a part of it; it spills to a folder in the lake, or in TMPDIR if that is set.

    Raises PolicylakeError where nothing can be read, inputs contradict each other (see ``latest``), or the lake cannot
    be written.
    """
    known = reference.load()
    evaluated = tuple(sorted({*SAGEMAKER_FAMILY, *(service.lower() for service in services)}))
    with (
        new_snapshot(lake) as snapshot,
        snapshot.working(memory, threads) as within,
        cache_in(snapshot.lake, (known.fingerprint,), is_kept=keeps) as cache,
    ):
        read = gather(
            inputs,
            known,
            cache,
            latest=latest,
            processes=processes,
            with_trusts=_ask_trust(known, evaluated),
            progress=progress,
            pools=pools,
        )
        tasks, common = tasks_of(read, known, evaluated, within)
        files = _evaluated(tasks, cache, within, processes, pools, progress)
        _write(snapshot, {**read.shared, **common}, tasks, files, known, within, progress)
        counts = snapshot.counts()
        progress(Step("publishing"))
        snapshot_id = snapshot.publish(_manifest(read, known, evaluated, counts, snapshot.incomplete()))
    return BuildResult(snapshot_id, read.rejects, counts)


def _ask_trust(known: Reference, services: Iterable[str]) -> bool:
    """Whether what trust policies say matters: whether actions of sts are answered for, or needed by others."""
    dependents = known.table("reference_dependent_actions").to_pylist()
    needed = {row["dependent_action"] for row in dependents if row["action"].split(":")[0] in services}
    return any(action.lower().startswith("sts:") for action in (*needed, *(f"{service}:" for service in services)))


def _evaluated(
    tasks: Sequence[Task], cache: Cache, within: Limits, processes: int, pools: Pools, progress: Progress
) -> list[dict[str, Path]]:
    """Return the files of each group by relation: from the cache, or evaluated."""
    keys = [cache.key(*task.causes) for task in tasks]
    kept = {key: found for key in keys if (found := cache.files(key)) is not None}
    left = [(key, task) for key, task in zip(keys, tasks, strict=True) if key not in kept]
    with pools(processes) as pool:
        if len(left) == 1:
            ((key, task),) = left
            kept[key] = cache.keep_files(key, evaluate_group(task, within, pool, progress))
        elif left:
            done = len(tasks) - len(left)
            progress(Step("evaluating", done, len(tasks), "account groups"))
            share = Share(within.memory // pool.count, max(1, within.threads // pool.count), within.spill)
            evaluated = pool.map(partial(evaluate_in_share, share), [task for _, task in left])
            for number, ((key, _), files) in enumerate(zip(left, evaluated, strict=True), start=done + 1):
                kept[key] = cache.keep_files(key, files)
                progress(Step("evaluating", number, len(tasks), "account groups"))
    return [kept[key] for key in keys]


def _write(
    snapshot: Snapshot,
    tables: Tables,
    tasks: Sequence[Task],
    files: Sequence[dict[str, Path]],
    known: Reference,
    within: Limits,
    progress: Progress,
) -> None:
    """Write the relations that all accounts share, and add the files of the groups."""
    names = (*OF_ALL_ACCOUNTS, *RELATIONS, *MERGED, *OF_GROUPS)
    with closing(connect(within=within)) as connection:
        for number, name in enumerate(names):
            progress(Step("writing", number, len(names), "relations"))
            found = {task.file_name: of[name] for task, of in zip(tasks, files, strict=True) if name in of}
            if name in OF_GROUPS and found:
                for file_name, file in found.items():
                    snapshot.add(relation(name), file_name, file)
            elif name in MERGED and found:
                if name == "action_set_members":
                    hold_one_text_each(connection, (action_sets_in(found.values()),))
                snapshot.write(connection, relation(name), merged(name, found.values()))
            else:
                load_table(connection, name, _rows(name, tables, known))
                snapshot.write(connection, relation(name))
    progress(Step("writing", len(names), len(names), "relations"))


def _rows(name: str, tables: Tables, known: Reference) -> pa.Table:
    """Return the rows of a relation that has one file: none, of one that groups have and no group had any."""
    if name in RELATIONS:
        return known.table(name)
    return tables[name] if name in OF_ALL_ACCOUNTS else relation(name).schema.empty_table()


def _manifest(
    read: Gathered, known: Reference, services: Sequence[str], counts: Mapping[str, int], incomplete: int
) -> dict[str, object]:
    severities = [reject.severity for reject in read.rejects]
    return {
        "policylake_version": __version__,
        "services": list(services),
        "reference": {"version": known.version, "data_date": known.data_date.isoformat(), "origin": known.origin},
        "inputs": [source._asdict() for source in read.sources],
        "counts": dict(counts),
        "rejects": {severity: severities.count(severity) for severity in ("error", "warning")},
        "missing": incomplete,
    }
