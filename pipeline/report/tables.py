"""Tables of finished cells: the first rows go into the page, the others into scripts that the page loads when asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.report.compact import Numbered
from pipeline.report.scripts import in_pieces, write_text

#: Rows that stand in the page itself.
SHOWN = 200


class Cell(NamedTuple):
    """A cell: text, where it leads, and its kind (``code``, ``number``, ``difference``, ``added``, ``steps``, ``day``,
    ``word``, ``lines``)."""

    text: str
    href: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """``rows`` are those that the page shows of ``count``; ``pieces`` are the keys of the scripts with the others."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    count: int
    pieces: tuple[str, ...]


def write_table(
    folder: Path,
    key: str,
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    shown: int = SHOWN,
) -> Table:
    """Return a table for a page; rows beyond the first ``shown`` go to ``data/<key>-<n>.js``."""
    pieces = []
    if len(rows) > shown:
        for number, (_, text) in enumerate(in_pieces(rows[shown:], packed)):
            pieces.append(f"{key}-{number}")
            write_text(folder, pieces[-1], text)
    return Table(caption, tuple(columns), rows[:shown], len(rows), tuple(pieces))


def filled(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> tuple[list[str], list[list[Cell]]]:
    """Return columns and rows without the columns in which no row has a text."""
    kept = [place for place in range(len(columns)) if any(row[place].text for row in rows)]
    return [columns[place] for place in kept], [[row[place] for place in kept] for row in rows]


def packed(rows: Sequence[Sequence[Cell]]) -> dict[str, Any]:
    """Return rows as numbers of their distinct cells, which are few: of findings most say the same.

    A cell is its text, or text, address and kind; 0 stands for the address of the principal that the text names.
    """
    numbered = Numbered[Cell]()
    listed = [[numbered(cell) for cell in row] for row in rows]
    return {"cells": [_spelt(cell) for cell in numbered.all()], "rows": listed}


def _spelt(cell: Cell) -> str | list[str | int]:
    if not (cell.href or cell.kind):
        return cell.text
    return [cell.text, 0 if cell.href == f"principal.html#{cell.text}" else cell.href, cell.kind]
