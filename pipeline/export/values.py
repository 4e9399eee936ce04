"""Turns the cells of Arrow data into what each format can hold. Must not write."""

import base64
import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa

from pipeline.errors import printable
from pipeline.wording import FORMULA

Row: TypeAlias = tuple[object, ...]

BATCH = 10_000
#: What JSON text may hold and a terminal may not: control, direction and other invisible characters.
ESCAPED = re.compile(r"[^\x20-\x7e]")
SURROGATES, BEYOND = 0x400, 0x10000


def rows(table: pa.Table) -> Iterator[Row]:
    """Yield the rows as tuples of plain values (see :func:`plain`)."""
    for batch in table.to_batches(max_chunksize=BATCH):
        columns = [[plain(value) for value in column.to_pylist()] for column in batch.columns]
        yield from zip(*columns, strict=True) if columns else ()


def plain(value: Any) -> object:
    """Return a value as JSON knows it: maps become objects, times and numbers that JSON lacks become text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return _from_list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _from_list(value: list[Any]) -> object:
    if value and all(type(part) is tuple for part in value):
        return {str(key): plain(part) for key, part in value}
    return [plain(part) for part in value]


def json_text(value: object) -> str:
    """Return JSON on one line; characters that are not printable are escaped, the others stay as they are."""
    return ESCAPED.sub(_escape, json.dumps(value, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character.isprintable():
        return character
    code = ord(character)
    if code < BEYOND:
        return f"\\u{code:04x}"
    high, low = divmod(code - BEYOND, SURROGATES)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def cell(value: object) -> object:
    """Return a plain value for one cell of a spreadsheet: lists and objects are JSON text."""
    return json_text(value) if isinstance(value, list | dict) else value


def harmless(value: object) -> object:
    """Return a cell whose text no spreadsheet takes for a formula: an apostrophe stands before it."""
    return "'" + value if isinstance(value, str) and FORMULA.match(value) else value


def words(value: object) -> str:
    """Return a plain value for people: on one line, safe for terminals; lists and objects with commas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(words(part) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{printable(key)}={words(part)}" for key, part in value.items())
    return printable(str(value))


def distinct_names(names: list[str]) -> list[str]:
    """Return the column names with a number behind those that stood before."""
    seen: set[str] = set()
    result = []
    for name in names:
        fresh, number = name, 1
        while fresh in seen:
            number += 1
            fresh = f"{name}_{number}"
        seen.add(fresh)
        result.append(fresh)
    return result
