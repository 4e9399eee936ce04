"""The command ``report``: writes the HTML report of the current snapshot."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli.common import (
    DEFAULT_LAKE,
    ControlsOption,
    ExceptionsOption,
    LakeOption,
    ScenarioOption,
    ScenariosOption,
    file_output,
    note,
    standard_output,
)
from pipeline.cli.not_run import tell_not_run
from pipeline.cli.scenarios import put_under
from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake

if TYPE_CHECKING:
    from pipeline.report import Checks

ReportFormat = Literal["html", "md", "pdf"]


def report(
    scenario: ScenarioOption = None,
    scenarios: ScenariosOption = None,
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="ACCOUNT", help="Only this account: its id or name. May repeat."),
    ] = None,
    principal: Annotated[
        list[str] | None, typer.Option("--principal", metavar="PRINCIPAL", help="Only this user or role. May repeat.")
    ] = None,
    action: Annotated[
        list[str] | None,
        typer.Option("--action", metavar="ACTION", help="Only this action; * and ? are wildcards. May repeat."),
    ] = None,
    exceptions: ExceptionsOption = None,
    controls: ControlsOption = None,
    lake: LakeOption = DEFAULT_LAKE,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="With --format md: where the HTML report is to be found, for links."),
    ] = None,
    format_name: Annotated[
        ReportFormat, typer.Option("--format", help="A folder of pages, a comment for a pull request, or a document.")
    ] = "html",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            help="Folder of the HTML report, or file of another; by default out, standard output for md, report.pdf.",
        ),
    ] = None,
) -> None:
    """Write the report of the current snapshot: an HTML folder, and print where its first page is.

    --format md writes Markdown for a comment on a pull request: verdicts, the weightiest changes since the snapshot
    before, the worst findings; it says what it leaves out. --format pdf prints a document that stands on its own, with
    an installed Chromium or Chrome (POLICYLAKE_BROWSER names another), else with WeasyPrint (extra pdf).
    Of up to 20 principals or actions that a part names, both tell the answers themselves: what each principal can do,
    or who can call each action, with conditions.

    With --account, --principal or --action it is of a part; several of one kind add up, kinds narrow one another. The
    files of a part of accounts or principals name others only where what decides about the part does: its own policies,
    the SCPs and RCPs above it, all shown whole, of resource policies the statements that speak of it, and roles that it
    may pass. Statements, input files and problems of inputs that are of others are left out. A part of actions alone is
    of all accounts.

    With --scenario the whole report is of that scenario, and every page says so.

    Exit code 2, where the report is there, says that a control did not run; the findings say which.
    """
    from pipeline.controls import find
    from pipeline.report import markdown, part_of, read_summary, write_pdf, write_report

    if url is not None and (format_name != "md" or not re.fullmatch(r"https?://[^\s()<>|\[\]]+", url)):
        raise PolicylakeError(f"--url {url}: an address that begins with https:// is expected, with --format md")
    if out == Path("-") and format_name != "md":
        raise PolicylakeError(f"--out -: standard output takes Markdown alone; name a place for --format {format_name}")
    checks = checks_of(controls, exceptions)
    opened = open_lake(lake)
    under = put_under(opened, scenario, scenarios)
    part = part_of(opened, account or (), principal or (), action or ())
    found = find(opened, checks.controls or (), None, checks.exceptions, None, checks.unread)
    checks = checks._replace(found=found)
    note(f"report of snapshot {opened.snapshot_id}")
    if format_name == "html":
        typer.echo(str(write_report(opened, out or Path("out"), scenario=under, part=part, checks=checks)))
    elif format_name == "pdf":
        write_pdf(read_summary(opened, under, part, checks), out or Path("report.pdf"))
        typer.echo(str(out or Path("report.pdf")))
    else:
        summary = read_summary(opened, under, part, checks)
        with standard_output() if out is None else file_output(out) as stream:
            stream.write(markdown(summary, url).encode("utf-8", "backslashreplace"))
    status = tell_not_run(found, note)
    if status:
        raise typer.Exit(status)


def checks_of(controls: list[Path] | None, exceptions: Path | None) -> "Checks":
    """Return what the report looks for: controls that come along and own ones, and the risks that are accepted."""
    from pipeline.controls import FILE, NotRun, load_controls, read_exceptions
    from pipeline.report import Checks

    file = exceptions or (Path(FILE) if Path(FILE).is_file() else None)
    unread: list[NotRun] = []
    found = load_controls(controls or (), unread.append)
    return Checks(found, read_exceptions(file) if file else (), unread=unread)
