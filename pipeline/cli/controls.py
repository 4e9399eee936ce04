"""The command ``controls``: lists them, tests them on their cases, and begins a new one."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
import typer

from pipeline.cli.check import OnlyOption, check_known
from pipeline.cli.common import ControlsOption, FormatOption, OutOption, emit, note
from pipeline.errors import FAILED, UNREADABLE

if TYPE_CHECKING:
    from pipeline.controls import Control, NotRun
    from pipeline.controls.cases import Outcome

OUTCOMES = pa.schema([(name, pa.string()) for name in ("control", "case", "outcome", "problem")])

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def controls(
    context: typer.Context,
    controls: ControlsOption = None,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """List the controls that check and export run; test and new are for those who write them."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.controls import load_controls

    wrong: list[NotRun] = []
    found = load_controls(controls or (), wrong.append)
    emit(pa.Table.from_pylist([_row(control) for control in found]), format_name, out)
    for one in wrong:
        note(f"{one.place}: {one.problem}; this file is no control")
    if wrong:
        raise typer.Exit(UNREADABLE)


def _row(control: "Control") -> dict[str, object]:
    return {
        "control": control.id,
        "severity": control.severity,
        "category": control.category,
        "title": control.title,
        "parameters": "; ".join(f"{p.name}: {p.description} [{p.default}]" for p in control.parameters),
        "frameworks": [f"{name} {one}" for name, ids in control.frameworks.items() for one in ids],
        "source": str(control.path),
    }


@app.command("test")
def run_cases(
    controls: ControlsOption = None,
    only: OnlyOption = None,
    format_name: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Run the cases of the controls, which stand beside them: ID.toml has inputs and what must be found in them.

    With --controls only one's own are tested, else those that come with policylake. Exit code 1 says that a case
    failed, 2 that a control or its cases cannot be read: those of the others ran, and what became of them is printed.
    """
    from pipeline.controls import load_controls

    own = {folder.resolve() for folder in controls or ()}
    wrong: list[NotRun] = []
    loaded = load_controls(controls or (), wrong.append)
    chosen = [c for c in loaded if not own or c.path.parent.resolve() in own]
    check_known("--only", only or (), {*(c.id for c in chosen), *(one.control for one in wrong)})
    found = outcomes_of([c for c in chosen if not only or c.id in only], wrong)
    emit(pa.Table.from_pylist(list(map(_outcome, found)), schema=OUTCOMES), format_name, out, nothing="no case ran")
    failed = sum(o.problem is not None for o in found)
    unread = [one for one in wrong if not only or one.control in only]
    for one in unread:
        note(f"{one.place}: {one.problem}; the cases of {one.control} did not run")
    note(f"{len(found)} cases, {failed} failed")
    if failed or unread:
        raise typer.Exit(UNREADABLE if unread else FAILED)


def _outcome(one: "Outcome") -> dict[str, object]:
    outcome = "failed" if one.problem else "passed"
    return {"control": one.control, "case": one.case, "outcome": outcome, "problem": one.problem}


def outcomes_of(controls: Sequence["Control"], wrong: list["NotRun"]) -> list["Outcome"]:
    """Return what becomes of the cases of the controls, in one lake of all of them that is gone afterwards.

    Controls whose cases cannot be read are added to ``wrong``.
    """
    from pipeline.build import build_lake
    from pipeline.controls.cases import outcomes, read_cases, write_inputs
    from pipeline.lake import open_lake

    cases = read_cases(controls, wrong.append)
    if not cases:
        return []
    with tempfile.TemporaryDirectory(prefix="policylake-cases-") as place:
        folder = Path(place)
        write_inputs(cases, folder / "inputs")
        built = build_lake([folder / "inputs"], folder / "lake", keeps=False)
        return outcomes(open_lake(folder / "lake"), controls, cases, built.rejects)


@app.command("new")
def new(
    control: Annotated[str, typer.Argument(metavar="ID", help="Id of the control, such as team-tag-missing.")],
    folder: Annotated[
        Path,
        typer.Option("--controls", metavar="DIR", help="Folder of one's own controls; it is made if it is not there."),
    ] = Path("controls"),
) -> None:
    """Begin a control: ID.sql finds something, ID.toml has its cases, ID.md is its page. They are there to be edited.

    What they hold runs as it stands: policylake controls test --controls DIR.
    """
    from pipeline.controls.scaffold import begin

    for path in begin(control, folder):
        typer.echo(str(path))
    note(f"edit them, then run: policylake controls test --controls {folder}")
