"""Shows people how far a build is: one line that changes, on a terminal; a line a stage elsewhere, if they ask."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from pipeline.cli.common import note
from pipeline.progress import Progress, Step, TimeLeft, silent
from pipeline.timings import Spent

MIB = 2**20


@contextmanager
def shown(*, quiet: bool, verbose: bool) -> Iterator[Progress]:
    """Yield what takes the steps. A terminal's line is gone at the end; elsewhere only ``verbose`` shows stages."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _line() as progress:
            yield progress
    else:
        yield _stages() if verbose else silent


def _stages() -> Progress:
    """Return what tells the beginning of each stage on a line of its own."""
    last: list[str] = []

    def tell(step: Step) -> None:
        if [step.stage] != last:
            last[:] = [step.stage]
            note(step.stage)

    return tell


@contextmanager
def _line() -> Iterator[Progress]:
    # Here and not above: nobody pays for it where there is no terminal.
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Line

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]}"),
        TextColumn("{task.fields[left]}"),
    )
    with Line(*columns, console=Console(stderr=True), transient=True) as line:
        task = line.add_task("", total=None, count="", left="")
        last, time_left = "", TimeLeft()

        def tell(step: Step) -> None:
            nonlocal last
            if step.stage != last:
                last = step.stage
                line.reset(task)
            count = f"{step.done:,} of {step.of:,} {step.unit}" if step.of else ""
            seconds = time_left(step)
            left = "" if seconds is None else f"{timedelta(seconds=round(seconds))} left"
            line.update(
                task, description=step.stage, completed=step.done, total=step.of or None, count=count, left=left
            )

        yield tell


def table_of(stages: Sequence[Spent]) -> Iterator[str]:
    """Yield the lines of a table of the stages, with a last one for the whole."""
    whole = Spent(
        "total", sum(s.wall for s in stages), sum(s.processor for s in stages), max((s.peak for s in stages), default=0)
    )
    width = max(len(s.stage) for s in (*stages, whole))
    yield f"{'stage':{width}}  {'wall s':>8}  {'processor s':>11}  {'peak MiB':>8}"
    for s in (*stages, whole):
        yield f"{s.stage:{width}}  {s.wall:8.2f}  {s.processor:11.2f}  {s.peak / MIB:8.0f}"
