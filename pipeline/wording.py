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


def why_not_proven(verdict: str, witness: str | None, change: str | None) -> str:
    """Return why a row is not proven, from its verdict, witness and smallest change.

    One that has both though, or needs none, is that of a bucket of which nobody knows the owner.
    """
    is_decided = verdict == "allowed" or (witness is not None and change is not None)
    return UNOWNED if is_decided else BEYOND
