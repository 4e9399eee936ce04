"""The report as Markdown for a comment on a pull request: numbers, the answers of a small part, what changed, the worst
findings. Names that others gave stand in code spans, so that they neither mention anybody nor make links.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from pipeline.errors import printable
from pipeline.report.answers import Answers, Told
from pipeline.report.changes import Changes
from pipeline.report.findings import AS_ABOVE, Finding, by_severity
from pipeline.report.model import LETTERS
from pipeline.report.overview import Row
from pipeline.report.summary import Summary
from pipeline.report.tables import Cell
from pipeline.wording import counted, one_line, shortened

#: Characters of a comment that GitHub takes, less a margin for what a bot puts around it.
MOST = 60_000
MOST_FINDINGS = 30
MOST_OF_CONTROL = 3
MOST_CHANGES = 20
#: Rows of answers of a part, and names of principals or actions and resources in one.
MOST_ANSWERS = 40
MOST_NAMES = 6
MOST_TYPES = 3
MOST_NOTES = 12
#: What is said of a further action of which AWS does not say which calls need it; these stand last.
UNTOLD = "calls that AWS does not name"
#: Characters that the rows of answers may take.
MOST_OF_ANSWERS = 20_000
#: Characters that the rows of changes may take, so that they leave room for findings.
MOST_OF_CHANGES = 20_000
#: Characters of a text in a cell, and of a condition of an answer.
MOST_TEXT = 300
MOST_CONDITION = 1500


def markdown(summary: Summary, url: str | None = None) -> str:
    """Return the report as Markdown of fewer than 60,000 characters; it says what it leaves out.

    ``url`` is where the HTML report is to be found: then numbers and findings link there.
    """
    parts = [
        _head(summary),
        _verdicts(summary, url),
        _answers(summary.answers, url),
        _changed(summary, url),
        _controls(summary, url),
        _dangerous(summary, url),
        _missing(summary),
    ]
    tail = f"Made by policylake from snapshot {code(summary.snapshot_id)}" + (
        f": [the whole report]({url})." if url else "."
    )
    room = MOST - sum(len(part) + 2 for part in parts) - len(tail) - 400
    parts.insert(4, _worst(summary, url, max(room, 0)))
    text = "\n\n".join(part for part in (*parts, tail) if part) + "\n"
    return (
        text
        if len(text) < MOST
        else text[: MOST - 80].rsplit("\n", 1)[0] + "\n\nThe rest is left out: a comment holds no more.\n"
    )


def _head(summary: Summary) -> str:
    lines = ["## Who can do what with SageMaker"]
    people = [account.principals for account in summary.accounts if account.account_id]
    documents = summary.principals - sum(people)
    held = [f"{counted(sum(people), 'user or role', 'users and roles')} in {counted(len(people), 'account')}"] if (
        people or not documents) else []  # fmt: skip
    held += [counted(documents, "loose document")] if documents else []
    lines.append(", ".join([*held, counted(len(summary.book.actions), "action")]) + ".")
    if summary.part:
        lines.append("Part: " + ", ".join(f"{kind} {code(words)}" for kind, words in summary.part.words) + ".")
    if summary.scenario:
        lines.append(f"Scenario: {text_of(summary.scenario.title)}.")
    return "\n".join(lines)


def _verdicts(summary: Summary, url: str | None) -> str:
    changes, before = _changes(summary)
    told = [f"{_linked(f'{summary.totals[verdict]:,}', url, f'matrix.html#verdict={verdict}')}" for verdict in LETTERS]
    lines = [_row(("answers", *LETTERS)), _row(["---", *["---:"] * len(LETTERS)]), _row(["now", *told])]
    if changes:
        differences = [f"{changes[verdict]:+,}" if changes[verdict] else "0" for verdict in LETTERS]
        lines.append(_row([f"since {before}", *differences]))
    elif summary.history:
        lines += ["", "The lake holds no earlier snapshot to compare with."]
    return "\n".join(lines)


def _answers(answers: Answers | None, url: str | None) -> str:
    """Return what few principals can do, or who can call few actions: a row for each answer."""
    if answers is None:
        return ""
    is_action = answers.kind == "action"
    names = [_linked(code(one.name), url, one.href) for one in answers.told]
    only = names[0] if len(names) == 1 else "them" if is_action else "they"
    title = f"### Who can {'' if len(names) == 1 else 'call '}{only}" if is_action else f"### What {only} can do"
    if not names:
        told = "tells who can call them" if is_action else "tells it"
        return f"{title}\n\n{counted(answers.total, answers.kind)} are too many for a comment: the HTML report {told}."
    named = [[name] if len(names) > 1 else [] for name in names]
    rows = [row for name, one in zip(named, answers.told, strict=True) for row in _rows(name, one)]
    notes = [note for name, one in zip(named, answers.told, strict=True) for note in _notes(name, one)]
    columns = [*([answers.kind] if named[0] else []), "verdict", "who" if is_action else "actions", "on", "condition"]
    shown: list[str] = []
    used = 0
    for line in rows[:MOST_ANSWERS]:
        if used + len(line) > MOST_OF_ANSWERS:
            break
        shown.append(line)
        used += len(line) + 1
    left = len(rows) - len(shown) + sum(section["rest_groups"] for one in answers.told for section in one.sections)
    where = f"[the HTML report]({url})" if url else "the HTML report"
    rest = [f"{left:,} more answers: {where} has them all."] if left else []
    table = "\n".join([_row(columns), _row(["---"] * len(columns)), *shown])
    notes = notes[:MOST_NOTES] + ([f"- and {len(notes) - MOST_NOTES} more"] if len(notes) > MOST_NOTES else [])
    return "\n\n".join([title, table, *rest, *(["\n".join(notes)] if notes else [])])


def _rows(name: Sequence[str], told: Told) -> list[str]:
    """Return the rows of an action or a principal; one to which nothing is granted, or which nobody can call, too."""
    rows = [(section["verdict"], group) for section in told.sections for group in section["groups"]]
    if not rows:
        return [_row([*name, "none", "", "", "nothing is granted"])]
    return [
        _row([*name, verdict, _what(group) if "parts" in group else _who(group), *_where(group)])
        for verdict, group in rows
    ]


def _notes(name: Sequence[str], told: Told) -> list[str]:
    """Return what else there is to know: what could not be read, and further actions that are missing."""
    start = "- " + "".join(f"{one}: " for one in name)
    notes = [f"{start}The answers may be wrong. Missing: {text_of('; '.join(told.missing))}."] if told.missing else []
    kind = (
        "action" if any("parts" in group for section in told.sections for group in section["groups"]) else "principal"
    )
    told_first = sorted(told.gaps, key=lambda gap: gap["needed_when"] == UNTOLD)
    return notes + [
        f"{start}Granted, but {code(gap['dependent_action'])} is missing for {counted(gap['count'], kind)}: "
        f"{text_of(gap['reason'])} (needed by {text_of(gap['needed_when'])})"
        for gap in told_first
    ]


def _who(group: dict[str, Any]) -> str:
    """Return whom a group of an action names; those of several accounts each with its own."""
    listed = [principal for holders in group["holders"] for principal in holders["principals"]]
    count, place = group["who"]
    is_apart = len({principal["account"] for principal in listed}) > 1
    names = [
        code(one["name"])
        + (f" in {text_of(one['account'])}" if is_apart else "")
        + (" (incomplete)" if one["is_incomplete"] else "")
        for one in listed[:MOST_NAMES]
    ]
    left = len(listed) + group["more"] - len(names)
    return f"{count}{' ' if place else ''}{text_of(place)}: " + ", ".join(names) + _rest(left)


def _what(group: dict[str, Any]) -> str:
    names = [name for part in group["parts"] for _, listed in part["levels"] for name in listed]
    return f"{counted(len(names), 'action')}: " + _few(names, len(names))


def _where(group: dict[str, Any]) -> tuple[str, str]:
    """Return the resources and the condition of an answer, or what refuses it; of several scopes each on a line."""
    scopes = group["scopes"]
    apart = [place for part in group.get("parts", ()) for place in part["places"]]
    places = [_patterns(apart)] if apart else [_patterns(scope["places"]) for scope in scopes]
    excepted = [_excepted(scope["exceptions"]) for scope in scopes]
    where = [place + but for place, but in zip(places, excepted or [""], strict=True)] if places else []
    told = [text_of(scope["condition"], MOST_CONDITION) if scope["condition"] else "" for scope in scopes]
    lines = [one or "none" for one in told] if any(told) else []
    if group["more_scopes"]:
        where.append(f"and {counted(group['more_scopes'], 'more scope')}, in the HTML report")
    if group["is_partial"]:
        lines.append(_partial(group["lacking"]))
    if group["layer"]:
        lines.append(_refusal(group))
    return "<br>".join(where), "<br>".join(lines)


def _excepted(patterns: Sequence[str]) -> str:
    return f" but not {_few(patterns, len(patterns))}" if patterns else ""


def _partial(lacking: Sequence[str]) -> str:
    needs = f"{' and '.join(lacking)}, too" if lacking else "all of it at once, and no request meets all the conditions"
    return f"not enough: every call needs {text_of(needs)}"


def _refusal(group: dict[str, Any]) -> str:
    """Return what denies or blocks: the statements, and for those whom none does the layer in words."""
    name, words = group["layer"]
    statements = list(dict.fromkeys(one["text"] for holders in group["holders"] for one in holders["decided_by"]))
    told = [f"by {name}: {_few(statements, len(statements))}"] if statements else []
    if not all(holders["decided_by"] for holders in group["holders"]):
        told.append(f"by {words}")
    if group["more"]:
        told.append("of others the HTML report tells it")
    return "; ".join(told)


def _patterns(places: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return the patterns of resources, each once, with their types where they are of some types only."""
    types: dict[str, list[str]] = {}
    for pattern, some in places:
        types.setdefault(pattern, []).extend(some)
    shown = [
        code(pattern) + (f" ({_types(list(dict.fromkeys(some)))})" if some else "")
        for pattern, some in list(types.items())[:MOST_NAMES]
    ]
    return ", ".join(shown) + _rest(len(types) - len(shown))


def _types(types: Sequence[str]) -> str:
    return ", ".join(types) if len(types) <= MOST_TYPES else f"{len(types)} types"


def _rest(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""


def _few(names: Sequence[str], count: int) -> str:
    shown = [code(name) for name in names[:MOST_NAMES]]
    return ", ".join(shown) + _rest(count - len(shown))


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
    head = [f"### Changes: {_linked(told, url, 'changes.html')}", "", f"Scopes of access that differ {since}:", "",
            _row(("principal", "action", "change", "on", "now", "before")), _row(["---"] * 6)]  # fmt: skip
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
    names = [_linked(code(cell.text), url, cell.href) if cell.href else code(cell.text) for cell in (principal, action)]
    return _row([*names, word.text, code(scope.text), text_of(now.text), text_of(before.text)])


def _page_too(changes: Changes, url: str | None) -> str:
    """Return where the HTML report has the rows, if an address of it is given; its page is bounded, too."""
    if url is None:
        return ""
    return f", [the report's page]({url.rstrip('/')}/changes.html) the first {len(changes.rows):,}"


def _controls(summary: Summary, url: str | None) -> str:
    rows = [_control(finding, url) for finding in summary.findings]
    if not rows:
        return "No control finds anything."
    head = [_row(("severity", "control", "open", "accepted")), _row(("---", "---", "---:", "---:"))]
    return "\n".join(
        ["<details><summary>All controls that find something</summary>", "", *head, *rows, "", "</details>"]
    )


def _control(finding: Finding, url: str | None) -> str:
    title = _linked(text_of(finding.title), url, f"findings.html#{finding.name}")
    return _row((finding.severity, title, f"{finding.open_count:,}", f"{finding.accepted:,}"))


def _worst(summary: Summary, url: str | None, room: int) -> str:
    """Return the worst findings: of each control the first, so that one of many does not hide the others."""
    listed = by_severity(summary.findings)
    told = ", ".join(f"{count:,} {severity}" for severity, count, _ in listed if count)
    if not told:
        return ""
    head = [f"### Findings: {told}", "", _row(("severity", "what", "what is wrong", "instead")), _row(["---"] * 4)]
    used = sum(len(line) + 1 for line in head)
    shown: list[str] = []
    for finding, cells, remedy in _cases(summary.findings):
        line = _row(
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
    return _linked(code(cell.text), url, cell.href) if cell.href else code(cell.text)


def _dangerous(summary: Summary, url: str | None) -> str:
    if not (summary.dangerous and summary.principals):
        return ""
    rows = [_action(row, url) for row in summary.dangerous]
    head = [_row(("action", "what it opens", "allowed", "conditional")), _row(("---", "---", "---:", "---:"))]
    return "\n".join(["### The actions that open most", "", *head, *rows])


def _action(row: Row, url: str | None) -> str:
    name = _linked(code(row.action.name), url, f"matrix.html#action={row.action.name}")
    return _row((name, row.why, f"{row.counts['allowed']:,}", f"{row.counts['conditional']:,}"))


def _missing(summary: Summary) -> str:
    if not summary.gaps:
        return ""
    return "\n".join(["### What is missing", "", *(f"- {text_of(gap)}" for gap in summary.gaps)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _linked(text: str, url: str | None, place: str) -> str:
    if url is None:
        return text
    safe = quote(place, safe="#&=:/.,@+-_~%")
    return f"[{text}]({url.rstrip('/')}/{safe})"


def text_of(text: str, most: int = MOST_TEXT) -> str:
    """Return a text so that Markdown and GitHub leave it as it is: no markup, mentions or references.

    Of a longer one than ``most`` characters the end is left out.
    """
    short = printable(shortened(one_line(text), most))
    marked = re.sub(r"([\\`*_{}\[\]<>|~#])", r"\\\1", short.replace("&", "&amp;"))
    return marked.replace("@", "@\u2060").replace("://", ":\u2060//")


def code(text: str) -> str:
    """Return a text as a code span, whatever backticks and lines are in it; also within a table."""
    short = printable(shortened(one_line(text), MOST_TEXT)).replace("|", "\\|") or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", short)), default=0) + 1)
    pad = " " if short.startswith("`") or short.endswith("`") else ""
    return f"{fence}{pad}{short}{pad}{fence}"
