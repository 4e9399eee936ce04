"""The command ``check``: runs the controls and fails where they find something as bad as the limit."""

import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import pyarrow as pa
import typer

from pipeline.cli.common import (
    DEFAULT_LAKE,
    ControlsOption,
    ExceptionsOption,
    FailOnOption,
    FormatName,
    LakeOption,
    OutOption,
    SettingsOption,
    emit,
    file_output,
    is_for_people,
    lake_at,
    note,
    standard_output,
)
from pipeline.cli.not_run import tell_not_run
from pipeline.cli.pairs import single_values
from pipeline.errors import PolicylakeError
from pipeline.lake import Lake
from pipeline.wording import counted

if TYPE_CHECKING:
    from pipeline.controls import Control, NotRun

CheckFormat = Literal[FormatName, "junit", "sarif", "github"]
#: Columns that a table for people shows.
SHOWN = ("severity", "control_id", "status", "subject", "message")

OnlyOption = Annotated[list[str] | None, typer.Option("--only", metavar="ID", help="Only this control; may repeat.")]


def check(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT", help="Check these files and folders, as build takes them, and not a lake."),
    ] = None,
    fail_on: FailOnOption = "high",
    no_fail: Annotated[bool, typer.Option("--no-fail", help="Never exit with 1, whatever is found.")] = False,
    controls: ControlsOption = None,
    exceptions: ExceptionsOption = None,
    settings: SettingsOption = None,
    only: OnlyOption = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", metavar="ID", help="Not this control; may repeat.")
    ] = None,
    today: Annotated[
        str | None,
        typer.Option(
            "--today", metavar="DATE", help="The day that expiries are held against.", show_default="the day in UTC"
        ),
    ] = None,
    lake: LakeOption = DEFAULT_LAKE,
    format_name: Annotated[
        CheckFormat | None,
        typer.Option("--format", help="How to print findings; by default what the name of --out says, else table."),
    ] = None,
    out: OutOption = None,
) -> None:
    """Run the controls over the lake, or over files, and print what they find, the worst first.

    With INPUT a lake of the files is built, and removed afterwards: for pull requests and commit hooks.

    Exit code 1 says that a finding is as bad as --fail-on and nobody accepted its risk in exceptions.toml. Else 3 says
    that some inputs of the lake were rejected: what they held was not looked at. 2 says that a control could not run,
    or that a file of --controls is none; the others did, and what they found is printed. Accepted findings are printed,
    marked.

    junit, sarif and github name file and line of the statements, if the inputs are still where the build read them;
    github is what makes GitHub mark the lines of a pull request.
    """
    from pipeline.controls import FILE, find, read_exceptions
    from pipeline.controls.accepted import check_controls

    chosen, known, unread = _chosen(controls or (), only or (), skip or ())
    file = exceptions or (Path(FILE) if Path(FILE).is_file() else None)
    rules = read_exceptions(file) if file else ()
    check_controls(rules, known)
    day = day_of(today)
    given = single_values(settings or (), "--set")
    # What a control that cannot be read takes is not known.
    absent = {one.control for one in unread}
    values = {name: value for name, value in given.items() if name.partition(".")[0] not in absent}
    with _lake_of(inputs or (), lake) as opened:
        found = find(opened, chosen, values, rules, day, unread)
        _print(opened, found, chosen, day, format_name, out)
        status = _status(opened, found, None if no_fail else fail_on)
    if status:
        raise typer.Exit(status)


@contextmanager
def _lake_of(inputs: Sequence[Path], lake: Path) -> Iterator[Lake]:
    """Open the lake, or one of the inputs that is gone afterwards; its rejects are told."""
    if not inputs:
        yield lake_at(lake)
        return
    from pipeline.build import build_lake
    from pipeline.lake import open_lake

    with tempfile.TemporaryDirectory(prefix="policylake-check-") as place:
        built = build_lake(inputs, Path(place) / "lake", keeps=False)
        for reject in built.rejects:
            if reject.severity == "error":
                note(str(reject))
        yield open_lake(Path(place) / "lake")


def day_of(text: str | None) -> date:
    """Return the day that ``--today`` names, by default that in UTC."""
    try:
        return date.fromisoformat(text) if text else datetime.now(UTC).date()
    except ValueError as error:
        raise PolicylakeError(f"--today {text}: no day; give one such as 2026-11-25") from error


def _chosen(
    folders: Sequence[Path], only: Sequence[str], skip: Sequence[str]
) -> tuple[tuple["Control", ...], tuple[str, ...], list["NotRun"]]:
    """Return the controls to run, the ids of all, and those that files which are none would be. Raises PolicylakeError
    for an id that there is not."""
    from pipeline.controls import load_controls

    wrong: list[NotRun] = []
    controls = load_controls(folders, wrong.append)
    known = (*(control.id for control in controls), *(one.control for one in wrong))
    check_known("--only", only, known)
    check_known("--skip", skip, known)

    def is_wanted(name: str) -> bool:
        return (not only or name in only) and name not in skip

    chosen = tuple(control for control in controls if is_wanted(control.id))
    unread = [one for one in wrong if is_wanted(one.control)]
    if not chosen and not unread:
        raise PolicylakeError("--only and --skip leave no control; leave one of the two out")
    return chosen, known, unread


def check_known(option: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raise PolicylakeError for the name of a control that there is not."""
    for name in names:
        if name not in known:
            raise PolicylakeError(f"{option} {name}: there is no such control; policylake controls lists them")


def _status(lake: Lake, found: pa.Table, fail_on: str | None) -> int:
    """Return the exit code, and say on standard error what it stands for."""
    from pipeline.export.records import OPEN, counts_by_severity, findings_of
    from pipeline.export.run import exit_status

    findings = findings_of(found)
    left = [finding for finding in findings if finding.status == OPEN]
    counts = ", ".join(f"{count} {severity}" for severity, count in counts_by_severity(left).items())
    note(f"{counted(len(left), 'open finding')}{': ' if counts else ''}{counts}; {len(findings) - len(left)} accepted")
    if lake.manifest.get("rejects", {}).get("error"):
        note("some inputs were rejected and not looked at: policylake query rejects_by_file")
    tell_not_run(found, note)
    return exit_status(findings, lake.manifest, fail_on)


def _print(
    lake: Lake,
    found: pa.Table,
    controls: Sequence["Control"],
    day: date,
    format_name: CheckFormat | None,
    out: Path | None,
) -> None:
    if format_name == "junit" or format_name == "sarif" or format_name == "github":
        text = _text(lake, found, controls, day, format_name)
        with standard_output() if out is None else file_output(out) as stream:
            stream.write(text.encode("utf-8", "backslashreplace"))
        return
    shown = found.select(SHOWN) if is_for_people(format_name, out) else found
    emit(shown, format_name, out, nothing="nothing found")


def _text(lake: Lake, found: pa.Table, controls: Sequence["Control"], day: date, name: str) -> str:
    from pipeline.export import annotations, junit, sarif
    from pipeline.export.run import contents_of

    contents = contents_of(lake, found, controls, day)
    if name == "github":
        return annotations.annotations_text(contents.findings)
    return junit.junit_text(contents) if name == "junit" else sarif.sarif_text(contents)
