"""Findings: what the controls find, by severity, with the statement, why it counts, and what to write instead."""

import difflib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.controls import SEVERITIES, Control, ExceptionRule, NotRun, find, load_controls, remedy_parts
from pipeline.iam.parse import STATEMENT_ELEMENTS
from pipeline.lake import Lake
from pipeline.report.actions import address_of
from pipeline.report.model import Book
from pipeline.report.own import Own
from pipeline.report.part import Part
from pipeline.report.policies import Policy
from pipeline.report.queries import rows
from pipeline.report.tables import Cell, Table, filled, write_table
from pipeline.wording import one_line, shortened

Row = dict[str, Any]
#: Findings of a control that stand in the page itself; so a page with all controls stays far below 2 MB.
SHOWN = 12
#: Severities of which a document tells more.
GRAVE = ("critical", "high")
MOST_CHARACTERS = 1200
COLUMNS = ("what", "action", "what is wrong", "attached to", "instead")
#: Stands in the last column where a finding has nothing of its own to write instead.
AS_ABOVE = Cell("as above")


class Checks(NamedTuple):
    """What is looked for: controls, None for those that come along, accepted risks, and the day of their expiry.

    ``unread`` are controls that cannot be read. ``found`` are the findings where somebody has them already; the
    controls then only explain them.
    """

    controls: Sequence[Control] | None = None
    exceptions: Sequence[ExceptionRule] = ()
    today: date | None = None
    found: pa.Table | None = None
    unread: Sequence[NotRun] = ()


class Finding(NamedTuple):
    """What one control finds. ``open_count`` are those that nobody accepted; ``table`` has the accepted ones, too."""

    name: str
    title: str
    severity: str
    rationale: str
    remedy: str
    table: Table
    open_count: int
    accepted: int


class Belonging(NamedTuple):
    """What belongs to a part of a report; ``statements``, by policy and place, are None where it has all actions."""

    book: Book
    part: Part
    own: Own
    statements: frozenset[tuple[str, int]] | None


def belonging(lake: Lake, book: Book, part: Part | None, own: Own | None) -> Belonging | None:
    """Return what belongs to a part; None for no part."""
    if part is None or own is None:
        return None
    if not part.actions:
        return Belonging(book, part, own, None)
    matching = rows(lake, "part/matching_statements", {"actions": sorted(part.actions)})
    return Belonging(book, part, own, frozenset((row["policy_id"], row["statement_index"]) for row in matching))


def _belongs(row: Row, policies: dict[str, Policy], own: Belonging | None) -> bool:
    if own is None:
        return True
    if row["subject_kind"] in ("exception", "control"):
        # What did not look may have found something of any part.
        return bool(row["subject_kind"] == "control")
    statement = _statement(row)
    return (
        (row["principal_arn"] is None or row["principal_arn"] in own.book.arns)
        and (row["account_id"] is None or row["account_id"] in own.book.accounts)
        and (row["action"] is None or not own.part.actions or row["action"] in own.part.actions)
        and (row["policy_id"] is None or row["policy_id"] in policies)
        and (statement is None or own.statements is None or statement in own.statements)
        and (statement is None or own.own.shows(*statement))
        and any(row[name] for name in ("principal_arn", "policy_id", *(() if own.part.principals else ("account_id",))))
    )


def _statement(row: Row) -> tuple[str, int] | None:
    """Return policy and place of the statement that a finding is of."""
    if not row["statement_id"]:
        return None
    policy_id, _, index = row["statement_id"].rpartition("#")
    return policy_id, int(index)


def write_findings(
    folder: Path,
    lake: Lake,
    policies: dict[str, Policy],
    checks: Checks,
    book: Book,
    own: Belonging | None,
    most_grave: int = SHOWN,
) -> list[Finding]:
    """Return the findings by control, the worst first; long tables go on in ``data/tables``.

    ``own`` is what belongs to the part that the report is of: other findings are left out. ``most_grave`` are the rows
    of a control of GRAVE findings that its table holds by itself.
    """
    controls = load_controls() if checks.controls is None else checks.controls
    table = checks.found
    if table is None:
        table = find(lake, controls, None, checks.exceptions, checks.today, checks.unread)
    by_control: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        if _belongs(row, policies, own):
            by_control.setdefault(row["control_id"], []).append(row)
    known = {control.id: control for control in controls}
    told = [
        _told(folder, known.get(name), listed, policies, book, most_grave if listed[0]["severity"] in GRAVE else SHOWN)
        for name, listed in by_control.items()
    ]
    return sorted(told, key=lambda one: (SEVERITIES.index(one.severity), -one.open_count, one.name))


def _told(
    folder: Path, control: Control | None, listed: Sequence[Row], policies: dict[str, Policy], book: Book, shown: int
) -> Finding:
    first = listed[0]
    name, remedy = first["control_id"], one_line(control.remedy if control else first["remedy"])
    told = [(row, _cells(row, remedy, policies, book)) for row in listed]
    told.sort(key=lambda one: _order(*one))
    columns, cells = filled(COLUMNS, [cells for _, cells in told])
    if "instead" in columns:
        cells = [[*row[:-1], row[-1] if row[-1].text else AS_ABOVE] for row in cells]
    count = sum(row["status"] == "open" for row in listed)
    table = write_table(folder, f"tables/finding-{name}", first["title"], columns, cells, shown)
    why = one_line(control.rationale) if control else ""
    return Finding(name, first["title"], first["severity"], why, remedy, table, count, len(listed) - count)


def _order(row: Row, cells: Sequence[Cell]) -> tuple[bool, bool, str, str]:
    """Order findings: those that somebody accepted last, and those first that say what to write instead."""
    return row["status"] != "open", not cells[-1].text, row["subject"], row["action"] or ""


def _cells(row: Row, remedy: str, policies: dict[str, Policy], book: Book) -> list[Cell]:
    message = row["message"]
    if row["status"] == "accepted":
        why = f"{row['exception_approver']} until {row['exception_expiry']}: {row['exception_reason']}"
        message = f"{message} (accepted by {why})"
    return [
        _subject(row, policies, book),
        Cell(row["action"] or "", kind="code"),
        Cell(shortened(one_line(message), MOST_CHARACTERS)),
        _place(row, policies, book),
        _instead(row, remedy, policies),
    ]


def _subject(row: Row, policies: dict[str, Policy], book: Book) -> Cell:
    """Return the subject: a statement and a policy lead to the document, a principal to its page."""
    statement = _statement(row)
    if row["subject_kind"] in ("statement", "policy") and row["policy_id"] in policies:
        link = f"policy.html#{row['policy_id']}" + (f":{statement[1]}" if statement else "")
        return Cell(row["subject"], link, "code")
    if row["principal_arn"] in book.arns:
        after = f"&action={row['action']}" if row["action"] else ""
        return Cell(row["subject"], address_of(row["principal_arn"]) + after, "code")
    return Cell(row["subject"], kind="code")


def _place(row: Row, policies: dict[str, Policy], book: Book) -> Cell:
    """Return the place of the policy that decides: of a part those that belong to it."""
    policy = policies.get(row["policy_id"] or "")
    statement = _statement(row)
    if policy is None:
        return Cell(row["resource_arn"] or "", kind="code")
    is_whole = book.actions_left is None and row["attached_to"]
    if row["subject_kind"] in ("statement", "policy"):
        first = row["attached_to"] if is_whole else policy.first_place
        count = row["attachment_count"] if is_whole else policy.place_count
        others = f" and {count - 1:,} more" if count > 1 else ""
        return Cell(first + others, f"policy.html#{policy.policy_id}", "code")
    link = f"policy.html#{policy.policy_id}" + (f":{statement[1]}" if statement else "")
    # The same trust policy stands at many roles: it is called by the one that the finding is of.
    own = f"{policy.kind} policy of {row['attached_to']}" if policy.kind and is_whole else policy.name
    return Cell(row["policy_name"] or own, link)


def _instead(row: Row, remedy: str, policies: dict[str, Policy]) -> Cell:
    """Return the corrected statement as a difference, or what to do where that is not what the control says anyway.

    Of a finding that names no statement it is one to add. Lines of what to do that begin with a prompt are commands.
    """
    statement = _statement(row)
    policy = policies.get(statement[0]) if statement else None
    if row["corrected_statement"] and policy and statement:
        return Cell(difference(policy.document, statement[1], row["corrected_statement"]), kind="difference")
    if row["corrected_statement"] and not statement:
        added = (f"+{line}" for line in _lines(json.loads(row["corrected_statement"])))
        return Cell("\n".join(added), kind="added")
    words, commands = remedy_parts(row["remedy"])
    if commands:
        return Cell(words + "\n" + "\n\n".join(commands), kind="steps")
    return Cell(words if words != remedy else "")


def difference(document: str, index: int, corrected: str) -> str:
    """Return a statement and its corrected form as lines that begin with a sign: minus, plus, or a space for both."""
    listed = json.loads(document)["Statement"]
    before = (listed if isinstance(listed, list) else [listed])[index]
    lines = difflib.ndiff(_lines(before), _lines(json.loads(corrected)))
    shown = [line for line in lines if not line.startswith("?")]
    return "\n".join(line[:1] + line[2:] for line in shown)


def _lines(statement: Row) -> list[str]:
    """Return a statement as JSON, its elements in the order in which people write them."""
    ordered = {name: statement[name] for name in STATEMENT_ELEMENTS if name in statement} | statement
    return json.dumps(ordered, indent=2, ensure_ascii=False).splitlines()


def by_severity(findings: Iterable[Finding]) -> list[tuple[str, int, list[Finding]]]:
    """Return each severity that there is with how many findings of it are open, and its controls."""
    listed = list(findings)
    grouped = [(severity, [one for one in listed if one.severity == severity]) for severity in SEVERITIES]
    return [(severity, sum(one.open_count for one in own), own) for severity, own in grouped if own]


def write_rejects(folder: Path, lake: Lake, own: Own | None) -> Table:
    """Return the table of rejects; what is long goes on in ``data/tables``. Of a part it has those of its own files."""
    columns = ("severity", "place", "what is wrong", "what to do", "code")
    listed = []
    files = own.own_files if own else None
    for row in rows(lake, "rejects"):
        if files is not None and row["source"] not in files:
            continue
        place = ":".join(str(part) for part in (row["source"], row["line"], row["column"]) if part is not None)
        listed.append([
            Cell(row["severity"], kind=f"severity-{row['severity']}"),
            Cell(place, kind="code"),
            Cell(row["message"]),
            Cell(row["remedy"]),
            Cell(row["code"], kind="code"),
        ])  # fmt: skip
    return write_table(folder, "tables/rejects", "Problems of the inputs", columns, listed)
