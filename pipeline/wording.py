"""Small rules of texts that messages, exports and the report share. Must not print."""

import re
from collections.abc import Sequence

#: Spreadsheets read a text that begins so as a formula, or run it.
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r]")
#: Why a row of access is not proven.
BEYOND = "whether some request meets the condition, or does not, is beyond the method"
UNOWNED = "the input does not tell whose the bucket is; it is taken as the principal's own"


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Return a number with its thing: "1 finding", "2,000 findings"; ``things`` where an s does not make them many."""
    return f"1 {thing}" if number == 1 else f"{number:,} {things or f'{thing}s'}"


def some(names: Sequence[str], most: int) -> str:
    """Return the first names in a row, and how many more there are."""
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left:,} more" if left > 0 else "")


def one_line(text: str) -> str:
    """Return a text with one space wherever it has white space."""
    return " ".join(text.split())


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters, with a mark where it was cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def why_not_proven(verdict: str, witness: str | None, change: str | None) -> str:
    """Return why a row is not proven, from its verdict, witness and smallest change.

    One that has both though, or needs none, is that of a bucket of which nobody knows the owner.
    """
    is_decided = verdict == "allowed" or (witness is not None and change is not None)
    return UNOWNED if is_decided else BEYOND
