"""The summary for whatever sends the mail: what is new, gone and still open since the last export, and verdicts."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.controls import NOT_RUN
from pipeline.export.formats import in_markdown
from pipeline.export.markdown import place, rank
from pipeline.export.records import ACCEPTED, NOT_CHECKED, Contents, Finding, counts_by_severity
from pipeline.wording import counted

#: Findings that a list of the summary names; the others are counted.
MOST_JSON, MOST_MARKDOWN = 1000, 50
NAMED = ("finding_id", "control_id", "severity", "title", "subject", "account_id", "message", "file", "line", "status")


def write_summary(contents: Contents, folder: Path, status: int, left_out: Sequence[str]) -> None:
    """Write ``summary.json`` and ``summary.md``."""
    told = summary(contents, status, left_out)
    text = json.dumps(told, indent=1, ensure_ascii=True) + "\n"
    (folder / "summary.json").write_text(text, encoding="utf-8")
    page = "\n".join(_page(contents, status, left_out)) + "\n"
    (folder / "summary.md").write_text(page, encoding="utf-8", errors="backslashreplace")


def summary(contents: Contents, status: int, left_out: Sequence[str]) -> dict[str, Any]:
    """Return the summary as JSON holds it. On the first export every finding is new, and none is listed as such."""
    changes = contents.changes
    is_first = changes.previous is None
    return {
        "date": contents.today.isoformat(),
        "snapshot": contents.snapshot_id,
        "policylake_version": contents.version,
        "exit_status": status,
        "previous": changes.previous,
        "findings": {
            "open": len(contents.open_findings),
            "accepted": len(contents.of_status(ACCEPTED)),
            "not_checked": len(contents.of_status(NOT_CHECKED)),
            "open_by_severity": counts_by_severity(contents.open_findings),
            "new": None if is_first else len(changes.new),
            "gone": None if is_first else len(changes.gone),
            "still_open": None if is_first else changes.still_open,
        },
        "not_run": not_run_told(contents),
        "new": [] if is_first else _listed(changes.new, MOST_JSON),
        "gone": _listed(changes.gone, MOST_JSON),
        "verdicts": {
            verdict: {"now": now, "before": before} for verdict, (now, before) in sorted(changes.verdicts.items())
        },
        "inputs": {name: list(paths)[:MOST_JSON] for name, paths in changes.inputs.items()},
        "rejects": dict(contents.manifest.get("rejects", {})),
        "left_out": list(left_out),
    }


def not_run_told(contents: Contents) -> list[dict[str, str]]:
    """Return the controls that did not run, with what is wrong and what to do."""
    missing = [finding for finding in contents.findings if finding.control_id == NOT_RUN]
    return [{"control": finding.subject, "problem": finding.message} for finding in missing]


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (rank(finding.severity), finding.control_id, finding.finding_id))


def _listed(findings: Iterable[Finding], most: int) -> list[dict[str, Any]]:
    return [{name: getattr(finding, name) for name in NAMED} for finding in _ordered(findings)[:most]]


def _page(contents: Contents, status: int, left_out: Sequence[str]) -> list[str]:
    changes = contents.changes
    lines = [
        f"# policylake, {contents.today.isoformat()}",
        "",
        _sentence(contents),
        "",
        "| | now | before |",
        "| --- | --- | --- |",
        *(
            f"| cells {in_markdown(verdict)} | {now:,} | {'' if before is None else f'{before:,}'} |"
            for verdict, (now, before) in sorted(changes.verdicts.items())
        ),
        "",
    ]
    if told := not_run_told(contents):
        lines += [f"**{counted(len(told), 'control')} did not run.** What they found before stays, not checked.", ""]
        lines += [*(f"- {in_markdown(one['problem'])}" for one in told), ""]
    if changes.previous is not None:
        lines += _section("New findings", changes.new)
        lines += _section("Gone findings", changes.gone)
    for name, paths in changes.inputs.items():
        if paths:
            shown = ", ".join(in_markdown(path) for path in paths[:MOST_MARKDOWN])
            lines += [f"Input files {name}: {shown}{_more(len(paths))}", ""]
    rejects = contents.manifest.get("rejects", {})
    if rejects.get("error"):
        lines += [f"{counted(rejects['error'], 'part')} of the inputs could not be read: see rejects.", ""]
    lines += [f"- left out: {in_markdown(words)}" for words in left_out]
    return [*lines, "", f"Snapshot `{contents.snapshot_id}`, exit status {status}."]


def _sentence(contents: Contents) -> str:
    """Return the findings in one sentence."""
    changes = contents.changes
    severities = ", ".join(f"{n:,} {name}" for name, n in counts_by_severity(contents.open_findings).items())
    found = counted(len(contents.open_findings), "open finding") + (f" ({severities})" if severities else "")
    for status, words in ((ACCEPTED, "accepted"), (NOT_CHECKED, "not checked")):
        count = len(contents.of_status(status))
        found += f", {count:,} {words}" if count else ""
    if changes.previous is None:
        return f"{found}. This is the first export."
    since = f"{len(changes.new):,} new, {len(changes.gone):,} gone, {changes.still_open:,} still open"
    return f"{found}. Since {changes.previous}: {since}."


def _section(title: str, findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    rows = [
        "| " + " | ".join(in_markdown(text) for text in (f.severity, f.title, f.subject, f.message, place(f))) + " |"
        for f in _ordered(findings)[:MOST_MARKDOWN]
    ]
    more = [_more(len(findings)).strip(), ""] if len(findings) > MOST_MARKDOWN else []
    return [f"## {title} ({len(findings):,})", "", "| severity | finding | subject | what | where |",
            "| --- | --- | --- | --- | --- |", *rows, "", *more]  # fmt: skip


def _more(count: int) -> str:
    return f" and {count - MOST_MARKDOWN:,} more" if count > MOST_MARKDOWN else ""
