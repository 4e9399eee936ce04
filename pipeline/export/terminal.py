"""Lays rows out for a terminal: a table where it fits, else one block of lines a row. Must not write."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells

Texts = Sequence[str]

GAP = "  "
#: A column is not made narrower than this: blocks of lines read better then.
NARROWEST = 18
#: Lines of one cell in a table; the blocks show everything.
MOST_LINES = 8


def layout(names: Texts, rows: Sequence[Texts], width: int | None) -> Iterator[str]:
    """Yield the lines of a table, or of blocks where ``width`` is too small for one. None is as wide as needed."""
    natural = [max([cell_len(name), *(cell_len(row[i]) for row in rows)]) for i, name in enumerate(names)]
    widths = natural if width is None else _shrunk(natural, width - len(GAP) * (len(names) - 1))
    if widths is None:
        yield from _blocks(names, rows, width or 0)
        return
    yield from _line([[name] for name in names], widths)
    yield GAP.join("─" * n for n in widths)
    for row in rows:
        yield from _line([_folded(text, n) for text, n in zip(row, widths, strict=True)], widths)


def _shrunk(natural: list[int], available: int) -> list[int] | None:
    """Cap the widest columns until all fit; None where the cap would be too small."""
    if sum(natural) <= available:
        return natural
    cap = next((c for c in range(max(natural), 0, -1) if sum(min(n, c) for n in natural) <= available), 0)
    return [min(n, cap) for n in natural] if cap >= NARROWEST else None


def _line(cells: Sequence[list[str]], widths: Sequence[int]) -> Iterator[str]:
    for number in range(max(len(lines) for lines in cells)):
        texts = [lines[number] if number < len(lines) else "" for lines in cells]
        yield GAP.join(text + " " * (n - cell_len(text)) for text, n in zip(texts, widths, strict=True)).rstrip()


def _folded(text: str, width: int) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    lines = fold(text, width)
    if len(lines) > MOST_LINES:
        return [*lines[: MOST_LINES - 1], chop_cells(lines[MOST_LINES - 1], width - 1)[0] + "…"]
    return lines


def fold(text: str, width: int) -> list[str]:
    """Break a text into lines of at most ``width`` cells, at spaces where there are any."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        pieces = chop_cells(word, width)
        lines = lines + pieces if lines[-1] else pieces if len(lines) == 1 else lines[:-1] + pieces
    return lines


def _blocks(names: Texts, rows: Sequence[Texts], width: int) -> Iterator[str]:
    label = max(cell_len(name) for name in names)
    room = max(width - label - len(GAP), NARROWEST)
    for number, row in enumerate(rows, start=1):
        yield f"── {number} " + "─" * max(width - len(str(number)) - 4, 0)
        for name, text in zip(names, row, strict=True):
            for i, line in enumerate(fold(text, room) if text else ()):
                yield (name if i == 0 else "").ljust(label) + GAP + line
