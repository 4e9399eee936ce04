"""Writes data as small scripts, which pages opened from disk may load where they may not fetch JSON."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

#: Characters of a script file: it loads in a moment and stays far below the 2 MB of a page.
MOST = 700_000
#: Within a script a text must neither end it nor break a line.
ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029", "\x7f": "\\u007f"}
)

Item = TypeVar("Item")


def as_json(value: object) -> str:
    """Return compact JSON that is safe inside a script: no <, >, & or line separators; lone surrogates are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def script(key: str, text: str) -> str:
    """Return a script that hands JSON over under its key."""
    return f"PL.put({as_json(key)},{text});\n"


def write_script(folder: Path, key: str, value: object) -> None:
    """Write ``data/<key>.js``."""
    write_text(folder, key, as_json(value))


def write_text(folder: Path, key: str, text: str) -> None:
    """Write ``data/<key>.js`` from finished JSON."""
    path = folder / "data" / f"{key}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script(key, text), encoding="utf-8")


def in_pieces(
    items: Sequence[Item], build: Callable[[Sequence[Item]], object], most: int = MOST
) -> list[tuple[Sequence[Item], str]]:
    """Return runs of items with the JSON that ``build`` makes of each, each below ``most`` or of one item."""
    text = as_json(build(items))
    if len(text) <= most or len(items) == 1:
        return [(items, text)]
    middle = len(items) // 2
    return [*in_pieces(items[:middle], build, most), *in_pieces(items[middle:], build, most)]


def in_script_order(key: str) -> bytes:
    """Return what to sort by so that the order is that of ``<`` in a script (UTF-16 code units)."""
    return key.encode("utf-16-be", "surrogatepass")
