"""The report as Markdown for a comment on a pull request: numbers, the answers of a small part, what changed, the worst
findings. Names that others gave stand in code spans, so that they neither mention anybody nor make links.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.report.changes import Changes
from pipeline.report.findings import AS_ABOVE, Finding, by_severity
from pipeline.report.markdown_answers import answers_in_markdown
from pipeline.report.markdown_text import code, linked, table_row, text_of
from pipeline.report.model import LETTERS
from pipeline.report.overview import Row
from pipeline.report.summary import Summary
from pipeline.report.tables import Cell

#: Characters of a comment that GitHub takes, less a margin for what a bot puts around it.
MOST = 60_000
MOST_FINDINGS = 30
MOST_OF_CONTROL = 3
MOST_CHANGES = 20
#: Characters that the rows of changes may take, so that they leave room for findings.
MOST_OF_CHANGES = 20_000


def markdown(summary: Summary, url: str | None = None) -> str:
    """Return the report as Markdown of fewer than 60,000 characters; it says what it leaves out.

    ``url`` is where the HTML report is to be found: then numbers and findings link there.
    """
    before = [
        _head(summary),
        _verdicts(summary, url),
        answers_in_markdown(summary.answers, url),
        _changed(summary, url),
    ]
    after = [_controls(summary, url), _dangerous(summary, url), _missing(summary)]
    tail = f"Made by policylake from snapshot {code(summary.snapshot_id)}" + (
        f": [the whole report]({url})." if url else "."
    )
    room = MOST - sum(len(part) + 2 for part in (*before, *after)) - len(tail) - 400
    parts = (*before, _worst(summary, url, max(room, 0)), *after, tail)
    text = "\n\n".join(part for part in parts if part) + "\n"
    return (
        text
        if len(text) < MOST
        else text[: MOST - 80].rsplit("\n", 1)[0] + "\n\nThe rest is left out: a comment holds no more.\n"
    )


def _head(summary: Summary) -> str:
    lines = ["## Who can do what with SageMaker", f"{summary.book.scope}."]
    if summary.part:
        lines.append("Part: " + ", ".join(f"{kind} {code(words)}" for kind, words in summary.part.words) + ".")
    if summary.scenario:
        lines.append(f"Scenario: {text_of(summary.scenario.title)}.")
    return "\n".join(lines)


def _verdicts(summary: Summary, url: str | None) -> str:
    changes, before = _changes(summary)
    told = [f"{linked(f'{summary.totals[verdict]:,}', url, f'matrix.html#verdict={verdict}')}" for verdict in LETTERS]
    lines = [table_row(("answers", *LETTERS)), table_row(["---", *["---:"] * len(LETTERS)]), table_row(["now", *told])]
    if changes:
        differences = [f"{changes[verdict]:+,}" if changes[verdict] else "0" for verdict in LETTERS]
        lines.append(table_row([f"since {before}", *differences]))
    elif summary.history:
        lines += ["", "The lake holds no earlier snapshot to compare with."]
    return "\n".join(lines)


def _changes(summary: Summary) -> tuple[dict[str, int], str]:
    """Return how the verdicts differ from those of the snapshot before, and its day."""
    listed = summary.history.snapshots if summary.history else ()
    for before, one in pairwise(listed):
        if one.is_current and one.changes is not None:
            return one.changes, before.day
    return {}, ""


def _changed(summary: Summary, url: str | None) -> str:
    """Return the weightiest rows of what changed since the snapshot before, how many more there are and where."""
    changes = summary.changes
    if changes is None:
        return ""
    until = f", of exports until {changes.before.day}" if changes.before.day else ""
    since = f"since snapshot {code(changes.before.snapshot_id)}{until}"
    if changes.trouble:
        return f"### Changes\n\nWhat changed {since} is not compared: {text_of(changes.trouble)}"
    notes = "\n".join(f"- {text_of(note)}" for note in changes.notes)
    if not changes.total:
        return "\n\n".join(part for part in ("### Changes", f"No access changed {since}.", notes) if part)
    told = ", ".join(f"{count:,} {word}" for word, count in changes.counts)
    head = [f"### Changes: {linked(told, url, 'changes.html')}", "", f"Scopes of access that differ {since}:", "",
            table_row(("principal", "action", "change", "on", "now", "before")), table_row(["---"] * 6)]  # fmt: skip
    shown: list[str] = []
    used = 0
    for cells in changes.rows[:MOST_CHANGES]:
        line = _change(cells, url)
        if used + len(line) > MOST_OF_CHANGES:
            break
        shown.append(line)
        used += len(line) + 1
    left = changes.total - len(shown)
    command = code(f"policylake diff {changes.before.snapshot_id} {summary.snapshot_id}")
    rest = [f"{left:,} more rows: {command} lists them all{_page_too(changes, url)}."] if left else []
    return "\n\n".join(part for part in ("\n".join([*head, *shown]), *rest, notes) if part)


def _change(cells: Sequence[Cell], url: str | None) -> str:
    principal, action, word, scope, now, before = cells[:6]
    names = [linked(code(cell.text), url, cell.href) if cell.href else code(cell.text) for cell in (principal, action)]
    return table_row([*names, word.text, code(scope.text), text_of(now.text), text_of(before.text)])


def _page_too(changes: Changes, url: str | None) -> str:
    """Return where the HTML report has the rows, if an address of it is given; its page is bounded, too."""
    if url is None:
        return ""
    return f", [the report's page]({url.rstrip('/')}/changes.html) the first {len(changes.rows):,}"


def _controls(summary: Summary, url: str | None) -> str:
    rows = [_control(finding, url) for finding in summary.findings]
    if not rows:
        return "No control finds anything."
    head = [table_row(("severity", "control", "open", "accepted")), table_row(("---", "---", "---:", "---:"))]
    return "\n".join(
        ["<details><summary>All controls that find something</summary>", "", *head, *rows, "", "</details>"]
    )


def _control(finding: Finding, url: str | None) -> str:
    title = linked(text_of(finding.title), url, f"findings.html#{finding.name}")
    return table_row((finding.severity, title, f"{finding.open_count:,}", f"{finding.accepted:,}"))


def _worst(summary: Summary, url: str | None, room: int) -> str:
    """Return the worst findings: of each control the first, so that one of many does not hide the others."""
    listed = by_severity(summary.findings)
    told = ", ".join(f"{count:,} {severity}" for severity, count, _ in listed if count)
    if not told:
        return ""
    head = [
        f"### Findings: {told}",
        "",
        table_row(("severity", "what", "what is wrong", "instead")),
        table_row(["---"] * 4),
    ]
    used = sum(len(line) + 1 for line in head)
    shown: list[str] = []
    for finding, cells, remedy in _cases(summary.findings):
        line = table_row(
            (
                finding.severity,
                _subject(cells[0], url),
                text_of(cells[finding.table.columns.index("what is wrong")].text),
                text_of(remedy),
            )
        )
        if len(shown) == MOST_FINDINGS or used + len(line) + 1 > room:
            break
        shown.append(line)
        used += len(line) + 1
    left = sum(finding.open_count for finding in summary.findings) - len(shown)
    rest = f"\n\n{left:,} more findings are left out here; `policylake check` lists them all." if left else ""
    return "\n".join([*head, *shown]) + rest


def _cases(findings: Sequence[Finding]) -> Iterator[tuple[Finding, Sequence[Cell], str]]:
    """Give the first findings of each control with what to do instead, which is said once."""
    for finding in findings:
        for place, cells in enumerate(finding.table.rows[: min(MOST_OF_CONTROL, finding.open_count)]):
            yield finding, cells, finding.remedy if place == 0 else AS_ABOVE.text


def _subject(cell: Cell, url: str | None) -> str:
    return linked(code(cell.text), url, cell.href) if cell.href else code(cell.text)


def _dangerous(summary: Summary, url: str | None) -> str:
    if not (summary.dangerous and summary.principals):
        return ""
    rows = [_action(row, url) for row in summary.dangerous]
    head = [table_row(("action", "what it opens", "allowed", "conditional")), table_row(("---", "---", "---:", "---:"))]
    return "\n".join(["### The actions that open most", "", *head, *rows])


def _action(row: Row, url: str | None) -> str:
    name = linked(code(row.action.name), url, f"matrix.html#action={row.action.name}")
    return table_row((name, row.why, f"{row.counts['allowed']:,}", f"{row.counts['conditional']:,}"))


def _missing(summary: Summary) -> str:
    if not summary.gaps:
        return ""
    return "\n".join(["### What is missing", "", *(f"- {text_of(gap)}" for gap in summary.gaps)])
