"""Sizes in bytes as people write and read them."""

import re

import typer

UNITS = ("B", "kB", "MB", "GB", "TB")
STEP = 1000
POWERS = {"": 1, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b", re.IGNORECASE)
#: Less than this no build can do with.
LEAST = 64 * 2**20


def size_text(size: float) -> str:
    """Return a number of bytes in the unit that people would take."""
    for unit in UNITS:
        if size < STEP or unit == UNITS[-1]:
            break
        size /= STEP
    return f"{size:.0f} {unit}" if unit == UNITS[0] else f"{size:.1f} {unit}"


def memory_size(text: str) -> int:
    """Return the bytes of a size such as 4GiB or 500MB, for an option. Raises typer.BadParameter."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{text} is no size; give one such as 4GiB or 800MB")
    number, letter, binary = found.groups()
    power = POWERS[letter.lower()] if letter else 0
    size = int(float(number) * (1024 if binary else STEP) ** power)
    if size < LEAST:
        raise typer.BadParameter(f"{text} is too little for any build; give 64MiB or more")
    return size
