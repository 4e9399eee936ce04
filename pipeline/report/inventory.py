"""Data of the page of known resources: each account's with their tags, and the actions that take their types."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.lake import Lake
from pipeline.report.compact import ranges
from pipeline.report.model import Book
from pipeline.report.queries import rows
from pipeline.report.scripts import in_pieces, write_script, write_text
from pipeline.report.tables import Cell, Table, write_table

COLUMNS = ("account", "service", "type", "resources", "tagged")
Row = dict[str, Any]


def write_inventory(folder: Path, lake: Lake, book: Book) -> Table:
    """Write ``data/inventory.js`` and the scripts that it names; return the table of resources by account and type."""
    listed = [row for row in rows(lake, "inventory") if book.actions_left is None or row["account_id"] in book.accounts]
    taken = {row["type_name"]: book.numbers(row["action_numbers"]) for row in rows(lake, "inventory_actions")}
    accounts: dict[str, list[Row]] = {}
    for row in listed:
        accounts.setdefault(row["account_id"], []).append(row)
    types = sorted({row["type_name"] for row in listed})
    scripts: dict[str, list[str]] = {}
    number = 0
    for account_id, own in accounts.items():
        for _, text in in_pieces(own, lambda run: _run(run, types)):
            scripts.setdefault(account_id, []).append(f"inventory/{number:05}")
            write_text(folder, scripts[account_id][-1], text)
            number += 1
    write_script(folder, "inventory", {
        "types": [[name, ranges(taken.get(name, ()))] for name in types],
        "accounts": scripts,
    })  # fmt: skip
    counted = Counter((row["account_id"], row["type_name"]) for row in listed)
    tagged = Counter((row["account_id"], row["type_name"]) for row in listed if row["tags"])
    told = [_cells(account_id, name, count, tagged[account_id, name], book)
            for (account_id, name), count in sorted(counted.items())]  # fmt: skip
    return write_table(folder, "tables/inventory", "Known resources", COLUMNS, told)


def _run(run: Sequence[Row], types: Sequence[str]) -> list[list[Any]]:
    return [
        [row["resource_arn"], types.index(row["type_name"]), [list(pair) for pair in row["tags"] or ()]] for row in run
    ]


def _cells(account_id: str, name: str, count: int, tagged: int, book: Book) -> list[Cell]:
    service, _, kind = name.partition(" ")
    account = book.accounts.get(account_id, {}).get("account_name")
    shown = f"{account} {account_id}" if account else account_id
    numbers = [Cell(f"{n:,}", kind="number") for n in (count, tagged)]
    return [Cell(shown, f"inventory.html#account={account_id}"), Cell(service), Cell(kind), *numbers]
