"""Findings of the sample organization made by hand: each kind of place in the inputs, accepted ones, hostile names."""

from pathlib import Path

import pyarrow as pa

from pipeline.controls import FINDINGS, Control

FORMULA = '=HYPERLINK("http://example.com","x")'
STATEMENTS = """
select
    statements.statement_id, attachments.policy_id, attachments.policy_name, attachments.attachment_kind,
    attachments.target_arn as attached_to, attachments.source, attachments.account_id
from attachments
inner join statements on attachments.policy_id = statements.policy_id
order by attachments.target_arn, attachments.attachment_kind, statements.statement_id
"""


def card(name, title, severity, category, rationale, remedy, frameworks):
    """A control without what the exports do not read."""
    return Control(name, title, severity, category, rationale, remedy, "", "", frameworks, (), (), "", Path())


CARDS = (
    card("wide-grants", "A whole service on every resource", "high", "grants", "It grows.", "Name the actions.",
         {"nist-800-53-r5": ("AC-6", "AC-3"), "cis-aws": ("1.16",)}),
    card("unused-roles", "Roles that nobody uses", "medium", "hygiene", "They wait.", "Delete them.", {}),
    card("silent", "A control that finds nothing", "low", "guide", "None.", "Nothing.", {"soc2": ("CC6.1",)}),
)  # fmt: skip


def number(count):
    return f"{count:032x}"


def row(count, control=CARDS[0], **given):
    base = {
        "finding_id": number(count), "control_id": control.id, "title": control.title, "severity": control.severity,
        "subject": f"subject {count}", "subject_kind": "statement", "message": "It allows too much.",
        "remedy": "Narrow it.", "status": "open",
    }  # fmt: skip
    return base | given


def table(rows):
    return pa.Table.from_pylist(rows, schema=FINDINGS)


def of_statements(lake):
    """A finding a statement and place, one of a principal, an accepted one, and one with a formula for a subject."""
    placed = [row(n, attachment_count=1, **place) for n, place in enumerate(lake.query(STATEMENTS).to_pylist(), 1)]
    start = len(placed) + 1
    arn = "arn:aws:iam::333344445555:role/old"
    kept = {"status": "accepted", "exception_reason": "Until the move", "exception_approver": "CISO",
            "exception_expiry": "2027-03-31"}  # fmt: skip
    unused = {"subject_kind": "role", "account_id": "333344445555"}
    return table([
        *placed,
        row(start, CARDS[1], principal_arn=arn, subject=arn, **unused),
        row(start + 1, CARDS[1], subject=FORMULA, message="bad \x01\x1b[31m <b>|x</b>", **unused),
        row(start + 2, CARDS[1], subject="kept", **unused, **kept),
        row(start + 3, CARDS[1], subject="loose document"),
    ])  # fmt: skip
