"""The command ``build``: its options, its progress and the list of rejects on standard error."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.common import DEFAULT_LAKE, LakeOption, note
from pipeline.cli.progress import shown, table_of
from pipeline.cli.sizes import memory_size
from pipeline.cli.stopping import stoppable
from pipeline.errors import SOME_REJECTED, PolicylakeError, Reject
from pipeline.lake.duck import interrupt
from pipeline.machine import processors
from pipeline.progress import Progress, Step
from pipeline.reference import load
from pipeline.remote import shown as shown_path
from pipeline.timings import Stopwatch
from pipeline.wording import counted
from pipeline.workers import Pools, workers

#: Rejects that the terminal shows; --verbose shows all of them.
SHOWN = 25
#: Relations whose size the last line tells.
#: Relations that the last line counts, with what one row of theirs is.
SUMMED = {
    "accounts": "account",
    "principals": "principal",
    "policies": "policy",
    "attachments": "attachment",
    "statements": "statement",
}


def build(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help="Files, folders and URLs, in any mix.")],
    lake: LakeOption = DEFAULT_LAKE,
    services: Annotated[
        list[str] | None,
        typer.Option("--services", metavar="PREFIX,...", help="Answer for these service prefixes too, such as s3,kms."),
    ] = None,
    latest: Annotated[
        bool, typer.Option("--latest", help="Where inputs hold one account twice with different data, take the newest.")
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            metavar="N",
            min=1,
            help="Read and decide in this many processes of this machine.",
            show_default="processors",
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option("--engine", help="Where to read and decide: processes of this machine, or a Ray cluster."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="HOST:PORT",
            help="The Ray cluster; by default that of RAY_ADDRESS, or one that is started on this machine.",
        ),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            "--memory",
            metavar="SIZE",
            parser=memory_size,
            help="Memory for DuckDB, such as 4GiB; what does not fit goes to files in the lake, or in TMPDIR.",
            show_default="half of what there is",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", metavar="N", min=1, help="Threads for DuckDB.", show_default="processors"),
    ] = None,
    cache: Annotated[
        bool,
        typer.Option(
            "--cache/--no-cache",
            help="Use what former builds of this lake found, and keep what this one finds. The snapshot is the same.",
        ),
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no list of rejects.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List every reject; tell the stages where there is no terminal.")
    ] = False,
    timings: Annotated[
        bool,
        typer.Option(
            "--timings", help="Print the seconds, processor seconds and peak memory of each stage at the end."
        ),
    ] = False,
) -> None:
    """Read inputs, evaluate them, and make the result the current snapshot of the lake.

    Inputs are account authorization details, organization.json, tagged resources, resource-policies.json, tuning job
    lists and loose policy documents; each file is recognised by its content. Exit code 3 says that some inputs were
    rejected and the rest was built; the relation rejects has them all.
    """
    from pipeline.build import build_lake

    wanted = prefixes(services or ())
    watch = Stopwatch() if timings else None
    with (
        _engine(engine, address, processes) as (pools, count),
        stoppable(interrupt),
        shown(quiet=quiet, verbose=verbose) as show,
    ):
        result = build_lake(
            inputs,
            lake,
            services=wanted,
            latest=latest,
            processes=count,
            pools=pools,
            memory=memory,
            threads=threads,
            keeps=cache,
            progress=_both(watch, show) if watch else show,
        )
    errors = sum(reject.severity == "error" for reject in result.rejects)
    if not quiet:
        _list(result.rejects, len(result.rejects) if verbose else SHOWN)
        summary = _summary(result.counts, errors, len(result.rejects) - errors)
        note(f"{shown_path(lake)}: snapshot {result.snapshot_id}: {summary}")
    if watch:
        for line in table_of(watch.stop()):
            note(line)
    if errors:
        raise typer.Exit(SOME_REJECTED)


@contextmanager
def _engine(name: str, address: str | None, processes: int | None) -> Iterator[tuple[Pools, int]]:
    """Yield what gives a build its workers, and how many."""
    if name == "local":
        if address is not None:
            raise PolicylakeError(f"--address {address}: processes of this machine have none; add --engine ray")
        yield workers, processes or processors()
        return
    if processes is not None:
        remedy = "leave it out, or give --engine local"
        raise PolicylakeError(f"--processes {processes}: a Ray cluster has its own; {remedy}")
    # Here and not above: nobody else needs it.
    from pipeline.cluster import SEVERAL, cluster

    with cluster(address) as pools:
        yield pools, SEVERAL


def prefixes(given: Iterable[str]) -> tuple[str, ...]:
    """Return the service prefixes of a repeated, comma-separated option.

    Raises PolicylakeError for one that the service reference does not know.
    """
    wanted = dict.fromkeys(part.strip().lower() for text in given for part in text.split(",") if part.strip())
    known = set(load().table("reference_services")["service"].to_pylist()) if wanted else set()
    for prefix in wanted:
        if prefix not in known:
            raise PolicylakeError(f"--services {prefix}: no such service; give prefixes of actions, such as s3,kms")
    return tuple(wanted)


def _both(first: Progress, second: Progress) -> Progress:
    def tell(step: Step) -> None:
        first(step)
        second(step)

    return tell


def _summary(counts: Mapping[str, int], errors: int, warnings: int) -> str:
    sizes = ", ".join(counted(counts[name], one, name) for name, one in SUMMED.items() if name in counts)
    return f"{sizes}; {counted(errors, 'error')}, {counted(warnings, 'warning')}"


def _list(rejects: Sequence[Reject], most: int) -> None:
    """Print the first rejects, errors before warnings, and say where the others are."""
    ordered = sorted(rejects, key=lambda reject: reject.severity != "error")
    for reject in ordered[:most]:
        note(str(reject))
    if len(ordered) > most:
        more = len(ordered) - most
        note(f"... and {more:,} more: --verbose lists them all, so does: policylake sql 'from rejects'")
