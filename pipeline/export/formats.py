"""The formats by name, each a function that writes one Arrow table to a binary stream."""

import html
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from pipeline.errors import PolicylakeError, printable
from pipeline.export.terminal import layout
from pipeline.export.values import BATCH, cell, distinct_names, harmless, json_text, plain, rows, words

MARKDOWN = re.compile(r"([\\`*_\[\]|~])")
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
EXACT = 2**53
#: The same rows give the same bytes, so no clock.
EPOCH = datetime(2000, 1, 1)


class Screen(NamedTuple):
    """Where the rows are shown: ``width`` in cells of a terminal, None for a file or a pipe."""

    width: int | None

    @property
    def is_terminal(self) -> bool:
        """Whether control characters would reach a terminal."""
        return self.width is not None


def write(table: pa.Table, name: str, out: BinaryIO, screen: Screen) -> None:
    """Write ``table`` in the format ``name`` of FORMATS.

    Raises PolicylakeError where the format cannot hold the rows.
    """
    FORMATS[name](table.rename_columns(distinct_names(table.column_names)), out, screen)


def format_of(path: Path) -> str | None:
    """Return the format that a file's name asks for, None where it asks for none."""
    return SUFFIXES.get(path.suffix.lower())


def _table(table: pa.Table, out: BinaryIO, screen: Screen) -> None:
    if table.num_columns:
        texts = [[words(value) for value in row] for row in rows(table)]
        for line in layout([printable(name) for name in table.column_names], texts, screen.width):
            _say(out, line)


def _csv(table: pa.Table, out: BinaryIO, screen: Screen) -> None:
    # Written here and not by polars, whose error for a closed pipe is a plain OSError.
    for text in csv_texts(table, is_terminal=screen.is_terminal, has_header=True):
        _say(out, text, end="")


def csv_texts(table: pa.Table, *, is_terminal: bool = False, has_header: bool) -> Iterator[str]:
    """Yield rows as CSV in which no cell is a formula; what a terminal would obey is escaped for one."""
    # Here and not above: of all formats this one alone pays for it.
    import polars as pl

    def finished(value: object) -> object:
        text = harmless(cell(plain(value)))
        return printable(text) if is_terminal and isinstance(text, str) else text

    def series(name: str, column: pa.ChunkedArray) -> pl.Series:
        values = column.to_pylist()
        if not _is_of_texts(column.type):
            return pl.Series(name, [finished(value) for value in values], strict=False)
        # Most of them stand in many rows: each is looked at once.
        keys = [tuple(value) if isinstance(value, list) else value for value in values]
        known = {key: finished(list(key) if isinstance(key, tuple) else key) for key in set(keys)}
        return pl.Series(name, [known[key] for key in keys])

    names = [str(harmless(name)) for name in table.column_names]
    frame = pl.DataFrame([series(*named) for named in zip(names, table.columns, strict=True)])
    if has_header:
        yield frame.head(0).write_csv()
    for part in frame.iter_slices(BATCH):
        yield part.write_csv(include_header=False)


def _is_of_texts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind.value_type if pa.types.is_list(kind) else kind))


def _json(table: pa.Table, out: BinaryIO, screen: Screen) -> None:
    del screen
    start = "["
    for row in rows(table):
        _say(out, start + json_text(dict(zip(table.column_names, row, strict=True))), end="")
        start = ",\n "
    _say(out, "]" if start != "[" else "[]")


def _jsonl(table: pa.Table, out: BinaryIO, screen: Screen) -> None:
    del screen
    for row in rows(table):
        _say(out, json_text(dict(zip(table.column_names, row, strict=True))))


def _markdown(table: pa.Table, out: BinaryIO, screen: Screen) -> None:
    del screen
    for row in (table.column_names, ["---"] * table.num_columns):
        _say(out, "| " + " | ".join(in_markdown(name) if name != "---" else name for name in row) + " |")
    for values in rows(table):
        _say(out, "| " + " | ".join(in_markdown(words(value)) for value in values) + " |")


def in_markdown(text: str) -> str:
    """Return a text as Markdown shows it: on one line, nothing in it is markup."""
    return MARKDOWN.sub(r"\\\1", html.escape(printable(text), quote=False))


def _parquet(table: pa.Table, out: BinaryIO, screen: Screen) -> None:
    del screen
    try:
        pq.write_table(table, out, compression="zstd")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PolicylakeError(f"parquet: {error}; cast the column to varchar") from error


def _xlsx(table: pa.Table, out: BinaryIO, screen: Screen) -> None:
    del screen
    if table.num_rows >= SHEET_ROWS:
        words_of_size = f"a sheet holds {SHEET_ROWS - 1} rows and there are {table.num_rows}"
        raise PolicylakeError(f"xlsx: {words_of_size}; use csv or parquet")
    # Through a buffer: a workbook needs to seek and standard output cannot.
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    book.set_properties({"created": EPOCH})
    sheet = book.add_worksheet("policylake")
    bold = book.add_format({"bold": True})
    for column, name in enumerate(table.column_names):
        sheet.write_string(0, column, str(harmless(name)), bold)
    for number, row in enumerate(rows(table), start=1):
        for column, value in enumerate(row):
            fill(sheet, number, column, cell(value))
    sheet.freeze_panes(1, 0)
    book.close()
    out.write(buffer.getvalue())


def fill(sheet: "xlsxwriter.worksheet.Worksheet", row: int, column: int, value: object, style: object = None) -> None:
    """Write a plain value into a cell; no text becomes a formula. ``style`` is a format of the workbook."""
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, style)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) <= EXACT):
        sheet.write_number(row, column, value, style)
    elif value is not None:
        text = str(harmless(str(value)))
        # Excel cannot hold more in one cell; the mark says that the rest is missing.
        sheet.write_string(
            row, column, text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…", style
        )


def _say(out: BinaryIO, text: str, end: str = "\n") -> None:
    out.write((text + end).encode("utf-8", "backslashreplace"))


Writer = Callable[[pa.Table, BinaryIO, Screen], None]

#: Format names as ``--format`` takes them.
FORMATS: dict[str, Writer] = {
    "table": _table,
    "csv": _csv,
    "json": _json,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "xlsx": _xlsx,
    "md": _markdown,
}
#: Formats that are no text.
BINARY = frozenset({"parquet", "xlsx"})
SUFFIXES = {f".{name}": name for name in FORMATS if name != "table"} | {".txt": "table"}
