"""Account pages: where an account stands, what limits it, and its principals with their verdicts counted."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from pipeline.report.actions import matrix_link, principal_link
from pipeline.report.matrix import counts_of, place_of
from pipeline.report.model import LETTERS, Book, Principal
from pipeline.report.pages import Pages
from pipeline.report.policies import Policy
from pipeline.report.principals import Sources
from pipeline.report.tables import Cell, filled, write_table

COLUMNS = ("principal", "type", *LETTERS, "policies", "last used")


def page_name(account_id: str, number: int) -> str:
    """Return the file of an account's page."""
    if not account_id:
        return "accounts/documents.html"
    name = account_id if re.fullmatch(r"[0-9]{12}", account_id) else f"account-{number}"
    return f"accounts/{name}.html"


def page_names(book: Book) -> dict[str, str]:
    """Return the file of each account's page, by account id."""
    return {account_id: page_name(account_id, number) for number, account_id in enumerate(book.accounts)}


def write_accounts(pages: Pages, book: Book, sources: Sources, policies: dict[str, Policy]) -> list[dict[str, Any]]:
    """Write a page for each account; return what the overview says of each."""
    summaries = []
    for account_id, name in page_names(book).items():
        row = book.accounts[account_id]
        listed = book.principals.get(account_id, ())
        counts = counts_of([book.vector(principal) for principal in listed])
        key = f"tables/{name.removeprefix('accounts/').removesuffix('.html')}"
        columns, rows = filled(*_table(listed, book, sources, is_of_documents=not account_id))
        table = write_table(pages.folder, key, "Users and roles" if account_id else "Documents", columns, rows)
        summary = {
            "id": account_id,
            "name": row["account_name"] or "",
            "place": place_of(row),
            "principals": len(listed),
            "counts": counts._asdict(),
            "is_exported": row["is_exported"],
            "is_management": row["is_management_account"],
            "data_as_of": row["data_as_of"] or "",
            "href": name,
            "matrix": matrix_link(account=account_id or "documents"),
        }
        known = [control for control in sources.controls.get(account_id, ()) if control["policy_id"]]
        controls = [
            {"kind": kind.upper(), "level": level, "policies": [_control(control, policies) for control in listed]}
            for (kind, _, level), listed in groupby(known, key=_level)
        ]
        pages.write(name, "account", account=summary, row=row, controls=controls, table=table)
        summaries.append(summary)
    return summaries


def _table(
    listed: Sequence[Principal], book: Book, sources: Sources, *, is_of_documents: bool
) -> tuple[Sequence[str], list[list[Cell]]]:
    """Return columns and rows; of documents only what can differ: each is one policy, and none is ever used."""
    rows = [_row(principal, book, sources) for principal in listed]
    if not is_of_documents:
        return COLUMNS, rows
    return ("document", *LETTERS), [[row[0], *row[2:-2]] for row in rows]


def _row(principal: Principal, book: Book, sources: Sources) -> list[Cell]:
    counts = counts_of([book.vector(principal)])
    mark = " (incomplete)" if principal.details["is_incomplete"] else ""
    numbers = [Cell(f"{count:,}", kind="number") for count in counts]
    policies = len(sources.policies.get(principal.arn, ()))
    used = (principal.details["last_used_at"] or "")[:10]
    return [
        Cell(principal.name + mark, principal_link(principal)),
        Cell(principal.type, kind="word"),
        *numbers,
        Cell(str(policies), kind="number"),
        Cell(used, kind="day"),
    ]


def _level(row: dict[str, Any]) -> tuple[str, int, str]:
    """Return the kind of an SCP or RCP and the level that it is attached to, with its name."""
    return row["attachment_kind"], row["level"], row["level_name"] or str(row["level"])


def _control(row: dict[str, Any], policies: dict[str, Policy]) -> dict[str, str]:
    policy = policies.get(row["policy_id"])
    return {
        "name": row["policy_name"] or (policy.name if policy else row["policy_id"]),
        "href": f"policy.html#{row['policy_id']}",
    }
