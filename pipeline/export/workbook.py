"""Findings as an Excel workbook for people: summary, findings, controls, accepted risks, dangerous grants and the rest.

No text becomes a formula, and what a sheet cannot hold is told on the first one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter

from pipeline import assets
from pipeline.export.formats import EPOCH, SHEET_ROWS, fill
from pipeline.export.records import ACCEPTED, NOT_CHECKED, OPEN, Contents, Finding, counts_by_severity
from pipeline.export.values import cell, plain
from pipeline.lake import Lake
from pipeline.reference.dangerous import DANGEROUS
from pipeline.wording import counted

#: Rows of a sheet below its header.
MOST = SHEET_ROWS - 1
FINDING_COLUMNS = (
    "severity", "control_id", "title", "subject", "message", "remedy", "status", "is_new", "first_seen", "account_id",
    "principal_arn", "action", "resource_arn", "policy_name", "attachment_kind", "attached_to", "attachment_count",
    "file", "line", "corrected_statement", "finding_id",
)  # fmt: skip
ACCEPTED_COLUMNS = ("control_id", "severity", "subject", "exception_reason", "exception_approver", "exception_expiry",
                    "message", "finding_id")  # fmt: skip
STATUSES = (OPEN, ACCEPTED, NOT_CHECKED)
HEADER = "header"
#: Dark enough on white to be read.
COLORS = {"critical": "#8B0000", "high": "#B3261E", "medium": "#8A5A00", "low": "#1F5FA8", "info": "#555555"}
WIDEST = 60
WIDTHS = {"message": WIDEST, "remedy": WIDEST, "subject": 50, "title": 50, "condition": WIDEST, "rationale": WIDEST,
          "principal_arn": 50, "corrected_statement": 40, "why": 50, "what": 40, "value": WIDEST}  # fmt: skip
NARROW = 16
Rows = Iterable[Sequence[object]]


class Sheet(NamedTuple):
    """A sheet: ``size`` is how many ``rows`` there are, which are read once."""

    name: str
    columns: Sequence[str]
    size: int
    rows: Rows


def write_workbook(contents: Contents, lake: Lake, path: Path) -> list[str]:
    """Write the workbook; return what its sheets could not hold, in words."""
    sheets = [*_sheets(contents, lake)]
    cut = [
        f"sheet {sheet.name}: the first {MOST:,} of {sheet.size:,} rows, for Excel holds no more; "
        "the Parquet files have all"
        for sheet in sheets
        if sheet.size > MOST
    ]
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    # The same rows give the same bytes, so no clock.
    book.set_properties({"title": "Findings of policylake", "created": EPOCH})
    styles = _styles(book)
    for sheet in (_summary(contents, cut), *sheets):
        _write(book.add_worksheet(sheet.name), sheet, styles)
    book.close()
    return cut


def _styles(book: Any) -> dict[str, Any]:
    """Return the formats of cells: of the header, of severities by their names, of all others by an empty one."""
    lines = {"text_wrap": True, "valign": "top"}
    return {
        HEADER: book.add_format({"bold": True, "bg_color": "#E7E9EE", "bottom": 1}),
        "": book.add_format(lines),
        **{name: book.add_format({**lines, "bold": True, "font_color": color}) for name, color in COLORS.items()},
    }


def _write(page: Any, sheet: Sheet, styles: dict[str, Any]) -> None:
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    for number, name in enumerate(sheet.columns):
        page.set_column(number, number, WIDTHS.get(name, NARROW))
        page.write_string(0, number, name, styles[HEADER])
    if sheet.size:
        page.autofilter(0, 0, min(sheet.size, MOST), len(sheet.columns) - 1)
    for number, row in enumerate(islice(sheet.rows, MOST), start=1):
        for column, value in enumerate(row):
            told = sheet.columns[column] == "severity" and value in COLORS
            fill(page, number, column, cell(plain(value)), styles[str(value) if told else ""])


def _sheets(contents: Contents, lake: Lake) -> Iterator[Sheet]:
    accepted = contents.of_status(ACCEPTED)
    yield _of_findings("findings", FINDING_COLUMNS, contents.findings)
    yield _controls(contents)
    yield _of_findings("accepted risks", ACCEPTED_COLUMNS, accepted)
    yield _dangerous(lake)
    rejects = lake.query("from rejects order by reject_id")
    columns = rejects.column_names
    yield Sheet("rejects", columns, rejects.num_rows, (list(row.values()) for row in rejects.to_pylist()))
    yield _provenance(contents)


def _of_findings(name: str, columns: Sequence[str], findings: Sequence[Finding]) -> Sheet:
    rows = ([getattr(finding, column) for column in columns] for finding in findings)
    return Sheet(name, columns, len(findings), rows)


def _controls(contents: Contents) -> Sheet:
    counts = Counter((finding.control_id, finding.status) for finding in contents.findings)
    columns = ("control_id", "severity", "category", "title", "has_run", *STATUSES, "rationale", "remedy", "frameworks")
    rows: list[Sequence[object]] = [
        (c.id, c.severity, c.category, c.title, contents.has_run(c.id), *(counts[c.id, one] for one in STATUSES),
         c.rationale, c.remedy, "; ".join(f"{name} {', '.join(ids)}" for name, ids in sorted(c.frameworks.items())))
        for c in contents.controls
    ]  # fmt: skip
    unread = contents.not_run - {c.id for c in contents.controls}
    rows += [(name, None, None, None, False, *(counts[name, one] for one in STATUSES)) for name in sorted(unread)]
    return Sheet("controls", columns, len(rows), rows)


def _dangerous(lake: Lake) -> Sheet:
    reasons = dict(DANGEROUS)
    found = lake.query(assets.text("sql", "export/dangerous_grants.sql"), {"actions": list(reasons)})
    columns = ("action", "why", *found.column_names[1:])
    rows = (
        [row["action"], reasons[row["action"]], *list(row.values())[1:]]
        for batch in found.to_batches()
        for row in batch.to_pylist()
    )
    return Sheet("dangerous grants", columns, found.num_rows, rows)


def _provenance(contents: Contents) -> Sheet:
    columns = ("file", "content", "bytes", "sha256")
    rows = [(source.path, source.content, source.size, source.sha256) for source in contents.inputs]
    return Sheet("provenance", columns, len(rows), rows)


def _summary(contents: Contents, cut: Sequence[str]) -> Sheet:
    changes, reference = contents.changes, contents.manifest.get("reference", {})
    rows: list[tuple[str, object]] = [
        ("date", contents.today.isoformat()),
        ("snapshot", contents.snapshot_id),
        ("policylake", contents.version),
        ("service reference", f"{reference.get('version', '')} of {reference.get('data_date', '')}"),
        ("services", ", ".join(contents.manifest.get("services", ()))),
        ("open findings", len(contents.open_findings)),
        *((f"open findings, {name}", n) for name, n in counts_by_severity(contents.open_findings).items()),
        ("accepted risks", len(contents.of_status(ACCEPTED))),
        ("findings that were not checked", len(contents.of_status(NOT_CHECKED))),
        *(("control that did not run", name) for name in sorted(contents.not_run)),
        ("export before this one", changes.previous or "none"),
        ("new since then", len(changes.new) if changes.previous else "all"),
        ("gone since then", len(changes.gone)),
        *((f"cells {verdict}", now) for verdict, (now, _) in sorted(changes.verdicts.items())),
        *((f"rejects, {severity}", n) for severity, n in sorted(contents.manifest.get("rejects", {}).items())),
        ("input files", counted(len(contents.inputs), "file")),
        *(("left out", words) for words in cut),
    ]
    return Sheet("summary", ("what", "value"), len(rows), rows)
