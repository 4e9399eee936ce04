"""Accepted risks: reads ``exceptions.toml`` and marks the findings that it accepts. An exception that has expired, or
that accepts nothing, is a finding itself.
"""

import difflib
import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.controls.model import FINDINGS, digest
from pipeline.errors import PolicylakeError
from pipeline.user_files import WrongError, check_members, read_text, text_in, toml_of

FILE = "exceptions.toml"
MEMBERS = ("control", "subject", "reason", "approver", "expiry")
TABLE = re.compile(r"^\s*\[\[\s*exception\s*\]\]", re.MULTILINE)
#: What is found of exceptions themselves.
OF_EXCEPTIONS = EXPIRED, UNMATCHED = "exception-expired", "exception-unmatched"
TITLES = {EXPIRED: "An accepted risk has expired", UNMATCHED: "An accepted risk matches no finding"}
SEVERITY_OF = {EXPIRED: "high", UNMATCHED: "low"}
REMEDIES = {
    EXPIRED: "Mend what the control finds, or let its approver decide again and write a later expiry.",
    UNMATCHED: "Take the exception out of the file if the finding is gone, or correct its subject.",
}


class ExceptionRule(NamedTuple):
    """Who accepts what of a control, why and until when.

    ``subject`` is a glob over a finding's subject, or over its finding_id; * and ? are wildcards, case counts. The day
    of ``expiry`` is the last on which it holds. ``line`` is that of its table in the file ``source``.
    """

    control: str
    subject: str
    reason: str
    approver: str
    expiry: date
    source: str
    line: int


def read_exceptions(path: Path) -> tuple[ExceptionRule, ...]:
    """Return the exceptions of a file, in its order. Raises PolicylakeError for what it says wrongly."""
    text = read_text(path, "give a file of exceptions with --exceptions")
    tables = toml_of(text, str(path))
    listed = tables.pop("exception", [])
    if tables or not isinstance(listed, list):
        found = next(iter(tables), "exception")
        close = difflib.get_close_matches(found, ["exception"], 1) and found != "exception"
        hint = "did you mean [[exception]]? Write" if close else "write"
        what = f"{found}: {hint} a table [[exception]] for each accepted risk, and nothing else"
        raise PolicylakeError(f"{path}:{_line_of(text, found)}: {what}")
    lines = _lines(text, len(listed))
    return tuple(_rule(path, line, table) for line, table in zip(lines, listed, strict=True))


def _line_of(text: str, name: str) -> int:
    """Return the line where a name of the top level begins, or the first one where it cannot be told."""
    found = re.search(rf"^[ \t]*\[*[ \t]*[\"']?{re.escape(name)}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _lines(text: str, count: int) -> list[int]:
    """Return the line of each table: the places of its header, or the first line where they cannot be told."""
    found = [text.count("\n", 0, match.end()) + 1 for match in TABLE.finditer(text)]
    return found if len(found) == count else [1] * count


def _rule(path: Path, line: int, table: Any) -> ExceptionRule:
    try:
        if not isinstance(table, dict):
            raise WrongError("a table is expected; write [[exception]] and its members below")
        check_members(table, MEMBERS, "an exception")
        control, subject, reason, approver = (text_in(table, member) for member in MEMBERS[:-1])
        return ExceptionRule(control, subject, reason, approver, _day(table), str(path), line)
    except WrongError as error:
        raise PolicylakeError(f"{path}:{line}: {error}") from error


def _day(table: dict[str, Any]) -> date:
    value = table.get("expiry")
    if isinstance(value, datetime) or not isinstance(value, date | str):
        raise WrongError("expiry: a day is expected; write expiry = 2027-03-31, without quotes")
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except ValueError as error:
        raise WrongError(f"expiry: {value} is no day; write expiry = 2027-03-31, without quotes") from error


def check_controls(exceptions: Sequence[ExceptionRule], known: Sequence[str]) -> None:
    """Raise PolicylakeError for an exception of a control that there is not."""
    for rule in exceptions:
        if rule.control not in known:
            close = difflib.get_close_matches(rule.control, known, 1)
            hint = f"did you mean {close[0]}?" if close else "policylake controls lists them"
            if "*" in rule.control or "?" in rule.control:
                hint = "wildcards hold for subject only; write a table [[exception]] for each control"
            place = f"{rule.source}:{rule.line}"
            raise PolicylakeError(f"{place}: control {rule.control}: there is none of that id; {hint}")


def accepted(
    rows: Sequence[dict[str, Any]], exceptions: Sequence[ExceptionRule], controls: Sequence[str], today: date
) -> list[dict[str, Any]]:
    """Mark the findings among ``rows`` that an exception accepts, and return the findings of the exceptions.

    The first exception of the file that fits a finding accepts it. Those of controls that did not run say nothing.
    """
    met: set[ExceptionRule] = set()
    for row in rows:
        for rule in exceptions:
            if rule.control == row["control_id"] and _fits(rule, row):
                met.add(rule)
                if rule.expiry >= today and row["status"] == "open":
                    row.update(status="accepted", **_words(rule))
    found = []
    for rule in dict.fromkeys(exceptions):
        if rule.control in controls and rule not in met:
            found.append(_finding(UNMATCHED, rule, "no finding of the control fits it"))
        elif rule.control in controls and rule.expiry < today:
            found.append(_finding(EXPIRED, rule, f"it expired on {rule.expiry.isoformat()}"))
    return found


def _fits(rule: ExceptionRule, row: dict[str, Any]) -> bool:
    glob = _glob(rule.subject)
    return any(glob.fullmatch(row[name]) is not None for name in ("subject", "finding_id"))


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """Return the glob as an expression. Brackets are text: names of policies and ARNs may hold them."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in re.sub(r"\*+", "*", pattern))
    return re.compile("".join(parts), re.DOTALL)


def _words(rule: ExceptionRule) -> dict[str, str]:
    return {
        "exception_reason": rule.reason,
        "exception_approver": rule.approver,
        "exception_expiry": rule.expiry.isoformat(),
    }


def _finding(control: str, rule: ExceptionRule, what: str) -> dict[str, Any]:
    return {
        **dict.fromkeys(FINDINGS.names),
        **_words(rule),
        "finding_id": digest(control, rule.control, rule.subject),
        "control_id": control,
        "title": TITLES[control],
        "severity": SEVERITY_OF[control],
        "subject": f"{rule.control}: {rule.subject}",
        "subject_kind": "exception",
        "source": f"{rule.source}:{rule.line}",
        "message": f"The exception for {rule.subject} of {rule.control}, approved by {rule.approver}: {what}.",
        "remedy": REMEDIES[control],
        "status": "open",
    }
