"""How values of tests are written: one spelling for each text, pattern, number and instant. Decides nothing."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from pipeline.iam.grammar import Part

#: Characters that mean something in a pattern.
_MEANINGFUL = re.compile(r"[*?]|\$(?=\{|\Z)")
_START = datetime(1970, 1, 1, tzinfo=UTC)
#: Of the years that ISO 8601 writes with four digits.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_MICROSECONDS = 1_000_000


def escaped(text: str) -> str:
    """Return a literal text as policies write it; a last ``$`` too, lest it and a ``{`` after it open a variable."""
    return _MEANINGFUL.sub(r"${\g<0>}", text)


def literal(text: str) -> str:
    """Return a text for an operator without wildcards: only what would open a variable is escaped."""
    return text.replace("${", "${$}{") if "${" in text else text


def pattern(parts: Iterable[Part]) -> str:
    """Return a pattern with wildcards that stand side by side in one order, each run of ``*`` as one."""
    written = []
    for is_literal, run in groupby(parts, key=lambda part: part.kind == "literal"):
        pieces = list(run)
        if is_literal:
            written.append(escaped("".join(piece.text for piece in pieces)))
        else:
            marks = sum(piece.kind == "mark" for piece in pieces)
            written.append("?" * marks + "*" * (marks < len(pieces)))
    return "".join(written)


def number(value: Decimal) -> str:
    """Return a number without zeros that do nothing, with all its digits."""
    written = format(value, "f")
    shortest = written.rstrip("0").rstrip(".") if "." in written else written
    return "0" if value == 0 else shortest


def moment(seconds: Decimal) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC, to the microsecond; None where no year of four digits has them."""
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        return None
    since = timedelta(microseconds=int(seconds * _MICROSECONDS))
    return (_START + since).isoformat().replace("+00:00", "Z")


def instant(seconds: Decimal) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC; as a number where that would not be all of it, or cannot be."""
    is_whole = (Fraction(seconds) * _MICROSECONDS).denominator == 1
    return (moment(seconds) if is_whole else None) or number(seconds)
