"""The command ``export``: runs the controls and writes the dated export; with inputs it builds the lake before."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
import typer

from pipeline.cli.check import day_of
from pipeline.cli.common import DEFAULT_LAKE, ControlsOption, ExceptionsOption, FailOnOption, LakeOption, SettingsOption
from pipeline.cli.log import Log, LogFormat, logged
from pipeline.cli.not_run import tell_not_run
from pipeline.cli.pairs import single_values
from pipeline.cli.stopping import stoppable
from pipeline.errors import PolicylakeError
from pipeline.lake import Lake, open_lake
from pipeline.lake.duck import interrupt
from pipeline.progress import Step
from pipeline.remote import is_url

if TYPE_CHECKING:
    from pipeline.controls import Control, ExceptionRule, NotRun
    from pipeline.export.run import Exported, Options


def export(
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="Folder of the exports; each gets a folder of its day.")
    ],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT", help="Build the lake from these files, folders and URLs before."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME,...",
            help="What to write of parquet, csv, jsonl, xlsx, sarif, ocsf, junit, md, asff, html, pdf.",
            show_default="all but pdf",
        ),
    ] = None,
    controls: ControlsOption = None,
    exceptions: ExceptionsOption = None,
    settings: SettingsOption = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=1, help="Remove the oldest exports but N.", show_default="all stay"),
    ] = None,
    today: Annotated[
        str | None,
        typer.Option("--today", metavar="DATE", help="The day, such as 2026-11-25.", show_default="the day in UTC"),
    ] = None,
    fail_on: FailOnOption = None,
    region: Annotated[
        str, typer.Option("--region", metavar="NAME", help="Region of the Security Hub that the ASFF files are for.")
    ] = "us-east-1",
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", help="How to tell the stages on standard error.")
    ] = "text",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell warnings and errors only.")] = False,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Run the controls and write their findings and the main tables into a dated folder; print where it is.

    The folder appears whole or not at all, and DIR/latest leads to the latest one. The same lake and day give the same
    bytes and no second folder; another export of the same day gets a number. Two runs with the same DIR do not overlap:
    the second one ends with a message that says who works there.

    summary.json and summary.md say what is new, gone and still open since the export before. Exit code 3 says that
    some inputs of the lake were rejected, 1 that --fail-on found something, and 2, where a folder is printed, that a
    control did not run: the export is written all the same, and what such a control found before stays in it, marked.
    """
    # Here and not above: no other command needs it.
    from pipeline.controls import find
    from pipeline.export.publish import working_alone
    from pipeline.export.run import Options

    log = Log(log_format, quiet=quiet)
    with logged(log), stoppable(interrupt):
        options = Options(_formats(formats or ()), day_of(today), keep, fail_on, region)
        # Before the build: what is wrong there should not cost one.
        known, unread, accepted = _controls(controls or (), exceptions)
        given = single_values(settings or (), "--set")
        values = {name: value for name, value in given.items() if name.partition(".")[0] not in unread}
        _check_apart(inputs or (), to)
        with working_alone(to):
            if inputs:
                _build(inputs, lake, log)
            opened = open_lake(lake)
            log.step(Step("controls"))
            findings = find(opened, known, values, accepted, options.today, tuple(unread.values()))
            done = _export(opened, findings, known, to, options, log)
    log.end()
    tell_not_run(findings, lambda words: log.tell("error", "controls", words))
    _tell(done, log)
    typer.echo(str(done.folder))
    if done.status:
        raise typer.Exit(done.status)


def _formats(given: Sequence[str]) -> tuple[str, ...]:
    """Return the formats of a repeated, comma-separated option; without one all but PDF.

    Raises PolicylakeError for others, and where nothing can print a PDF that is asked for.
    """
    from pipeline.export.run import FORMATS, PDF, USUAL

    wanted = dict.fromkeys(part.strip() for text in given for part in text.split(",") if part.strip())
    for name in wanted:
        if name not in FORMATS:
            close = difflib.get_close_matches(name, FORMATS, 1)
            hint = f"did you mean {close[0]}?" if close else f"give some of {', '.join(FORMATS)}"
            raise PolicylakeError(f"--format {name}: no format of exports; {hint}")
    if PDF in wanted:
        from pipeline.report import printer

        printer()
    return tuple(wanted) or USUAL


def _check_apart(inputs: Sequence[Path], to: Path) -> None:
    """Raise PolicylakeError where the exports would lie among the inputs: the next build would read them."""
    for path in inputs:
        if not is_url(path) and path.is_dir() and to.resolve().is_relative_to(path.resolve()):
            raise PolicylakeError(f"--to {to}: lies within the input {path}, so the next build would read it; move it")


def _build(inputs: Sequence[Path], lake: Path, log: Log) -> None:
    from pipeline.build import build_lake

    result = build_lake(inputs, lake, progress=log.step)
    log.end()
    for reject in result.rejects:
        if reject.severity == "error":
            log.tell("warning", "build", str(reject))


def _controls(
    folders: Sequence[Path], exceptions: Path | None
) -> tuple[tuple["Control", ...], dict[str, "NotRun"], tuple["ExceptionRule", ...]]:
    """Return the controls, those that cannot be read by their ids, and the accepted risks."""
    from pipeline.controls import FILE, load_controls, read_exceptions
    from pipeline.controls.accepted import check_controls

    file = exceptions or (Path(FILE) if Path(FILE).is_file() else None)
    wrong: list[NotRun] = []
    found = load_controls(folders, wrong.append)
    unread = {one.control: one for one in wrong}
    accepted = read_exceptions(file) if file else ()
    check_controls(accepted, [*(control.id for control in found), *unread])
    return found, unread, accepted


def _export(
    lake: Lake, findings: pa.Table, controls: Sequence["Control"], to: Path, options: "Options", log: Log
) -> "Exported":
    from pipeline.export.run import write_export
    from pipeline.report import Checks, read_summary, write_pdf, write_report

    checks = Checks(controls, found=findings)

    return write_export(
        lake,
        findings,
        controls,
        to,
        options,
        report=lambda folder: write_report(lake, folder, checks=checks),
        document=lambda file: write_pdf(read_summary(lake, None, None, checks), file),
        progress=log.step,
    )


def _tell(done: "Exported", log: Log) -> None:
    """Write the last lines of the log: what is missing, what was removed, how the run ended."""
    for words in done.left_out:
        log.tell("warning", "export", f"left out: {words}")
    for name in done.removed:
        log.tell("info", "export", f"removed {name}, the oldest")
    what = "written" if done.is_fresh else "was there already, from the same lake and findings"
    counts: dict[str, object] = {}
    if done.is_fresh and done.changes.previous:
        changes = done.changes
        counts = {"new": len(changes.new), "gone": len(changes.gone), "still_open": changes.still_open}
    log.tell("info", "export", f"{done.folder}: {what}", **counts, exit_status=done.status, seconds=log.seconds)
