"""Findings as Markdown, for a pull request's comment, a wiki or a mail: counts, then a table a control."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.controls import SEVERITIES
from pipeline.export.formats import in_markdown
from pipeline.export.records import (
    ACCEPTED,
    NOT_CHECKED,
    NOT_CHECKED_NOW,
    Contents,
    Finding,
    counts_by_severity,
)
from pipeline.wording import counted

#: Findings of one control that are listed; the others are counted.
MOST = 200


def write_markdown(contents: Contents, path: Path) -> None:
    """Write all controls that found something, the worst first."""
    path.write_text(markdown_text(contents), encoding="utf-8", errors="backslashreplace")


def markdown_text(contents: Contents) -> str:
    """Return the page."""
    by_control: dict[str, list[Finding]] = {}
    for finding in contents.findings:
        by_control.setdefault(finding.control_id, []).append(finding)
    ordered = sorted(by_control.items(), key=lambda item: (rank(item[1][0].severity), item[0]))
    return "\n".join([*_head(contents), *(line for _, findings in ordered for line in _section(contents, findings))])


def rank(severity: str) -> int:
    """Return the place of a severity, the worst first."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _head(contents: Contents) -> list[str]:
    found, accepted = contents.open_findings, len(contents.of_status(ACCEPTED))
    count = len(contents.of_status(NOT_CHECKED))
    unchecked = f"{count:,} not checked, " if count else ""
    counts = counts_by_severity(found)
    telling = {finding.control_id for finding in contents.findings}
    silent = sum(contents.has_run(control.id) for control in contents.controls if control.id not in telling)
    return [
        "# Findings of policylake",
        "",
        f"{contents.today.isoformat()}, snapshot `{contents.snapshot_id}`: {counted(len(found), 'open finding')}, "
        f"{accepted:,} accepted, {unchecked}{counted(silent, 'control')} without any.",
        "",
        "| severity | open |",
        "| --- | --- |",
        *(f"| {in_markdown(severity)} | {count:,} |" for severity, count in counts.items()),
        "",
    ]


def _section(contents: Contents, findings: Sequence[Finding]) -> list[str]:
    first = findings[0]
    card = next((control for control in contents.controls if control.id == first.control_id), None)
    lines = [f"## {in_markdown(first.title)}", "", f"`{first.control_id}`, {in_markdown(first.severity)}", ""]
    if card:
        lines += [in_markdown(card.rationale), "", f"**Instead:** {in_markdown(card.remedy)}", ""]
    lines += ["| subject | what | where | status |", "| --- | --- | --- | --- |"]
    lines += [_row(finding) for finding in findings[:MOST]]
    if len(findings) > MOST:
        lines += ["", f"{len(findings) - MOST:,} more are in findings.parquet and the other files of the export."]
    return [*lines, ""]


def _row(finding: Finding) -> str:
    told = NOT_CHECKED_NOW if not finding.is_checked else "new" if finding.is_new else "open"
    status = finding.acceptance if finding.is_accepted else told
    cells = (finding.subject, finding.message, place(finding), status)
    return "| " + " | ".join(in_markdown(text) for text in cells) + " |"


def place(finding: Finding) -> str:
    """Return file and line as editors read them, or what the policy hangs on where there is no file."""
    return ":".join(str(part) for part in (finding.file, finding.line) if part) or finding.attached_to or ""
