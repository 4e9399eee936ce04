"""Grammar of the texts in policies: ARNs, variables, numbers, dates, networks. Splits and reads; matches nothing."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

ARN_FIELDS = 6
#: A whole ARN: partition, service and resource are written out.
WHOLE_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", re.DOTALL)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: ``${*}``, ``${?}`` and ``${$}`` stand for the character itself.
ESCAPES = {"*": "*", "?": "?", "$": "$"}

_PART = re.compile(r"\$\{([^}]*)\}|(\*)|(\?)")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_PREFIX = re.compile(r"[0-9]{0,3}", re.ASCII)
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}", re.ASCII)
#: No weeks, and nothing but T or a space before the time: what else reads as ISO 8601 in some library is none of W3C's.
_TIME = re.compile(r"[0-9]{4}-?[0-9]{2}(-?[0-9]{2}([Tt ][0-9:.]+([Zz]|[+-][0-9:]+)?)?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VARIABLE = re.compile(r"\s*([^,\s]+)\s*(?:,\s*'([^']*)'\s*)?")


class Part(NamedTuple):
    """A piece of a text. ``kind`` is literal, star, mark or variable; ``default`` is None where there is none."""

    kind: str
    text: str
    default: str | None = None


def arn_fields(text: str) -> tuple[str, ...] | None:
    """Return the six fields of an ARN, the sixth with all that is left; None for other texts."""
    fields = text.split(":", ARN_FIELDS - 1)
    return tuple(fields) if len(fields) == ARN_FIELDS and fields[0] == "arn" else None


def partition_in(arn: str) -> str:
    """Return the partition field of an ARN; an empty text where there is none."""
    fields = arn_fields(arn)
    return fields[1] if fields else ""


def region_in(arn: str) -> str:
    """Return the region field of an ARN; an empty text where there is none."""
    fields = arn_fields(arn)
    return fields[3] if fields else ""


def account_in(arn: str) -> str:
    """Return the account field of an ARN; an empty text where there is none."""
    fields = arn_fields(arn)
    return fields[4] if fields else ""


def completed_arn(text: str) -> str:
    """Return an ARN pattern of fewer than six fields completed with ``*``, as identity policies allow (GRAM)."""
    missing = ARN_FIELDS - 1 - _PART.sub("", text).count(":")
    return text + ":*" * missing if text.startswith("arn:") and missing > 0 else text


@lru_cache(maxsize=1 << 16)
def parts(text: str, has_variables: bool) -> tuple[Part, ...]:
    """Split a text into literal pieces, wildcards and variables; ``${`` is plain where there are no variables."""
    found: list[Part] = []
    end = 0
    for match in _PART.finditer(text):
        if match.group(1) is not None and not has_variables:
            continue
        if match.start() > end:
            found.append(Part("literal", text[end : match.start()]))
        found.append(_part(match))
        end = match.end()
    if end < len(text):
        found.append(Part("literal", text[end:]))
    return tuple(found) if has_variables else _plain(text)


def _plain(text: str) -> tuple[Part, ...]:
    kinds = {"*": "star", "?": "mark"}
    return tuple(Part(kinds.get(piece, "literal"), piece) for piece in re.split(r"([*?])", text) if piece)


def _part(match: re.Match[str]) -> Part:
    inside = match.group(1)
    if inside is None:
        return Part("star" if match.group(2) else "mark", match.group())
    if inside in ESCAPES:
        return Part("literal", ESCAPES[inside])
    variable = _VARIABLE.fullmatch(inside)
    return Part("variable", variable.group(1), variable.group(2)) if variable else Part("variable", inside)


def number(text: str) -> Decimal | None:
    """Return a number, integer or decimal; None for other texts."""
    return Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


def instant(text: str) -> Decimal | None:
    """Return seconds since 1970 of an ISO 8601 date or time (UTC if it names no zone) or of epoch seconds."""
    seconds = number(text)
    if seconds is not None:
        return seconds
    written = text.strip()
    if not _TIME.fullmatch(written):
        return None
    try:
        moment = datetime.fromisoformat(written + "-01" if _MONTH.fullmatch(written) else written)
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return Decimal(since.days) * 86400 + since.seconds + Decimal(since.microseconds) / 1_000_000


def network(text: str) -> Network | None:
    """Return an IPv4 or IPv6 network in CIDR form, a prefix behind the slash and no mask (OPS); an address alone is a
    network of one."""
    if not _PREFIX.fullmatch(text.strip().partition("/")[2]):
        return None
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def address(text: str) -> Address | None:
    """Return an IPv4 or IPv6 address; None for other texts."""
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


def without_case(text: str) -> str:
    """Return a text as it is compared without regard to case: by Unicode's simple case folding, one character for each,
    so that "ß" is "ẞ" and not "ss"."""
    return text.lower() if text.isascii() else "".join(map(_folded, text))


def _folded(character: str) -> str:
    """Return what a character folds to: of foldings to several characters the lower case, if that is one."""
    foldings = (character.casefold(), character.lower(), character)
    return next(folded for folded in foldings if len(folded) == 1)


def boolean(text: str) -> bool | None:
    """Return true or false, in any case; None for other texts."""
    return {"true": True, "false": False}.get(text.strip().lower())


def octets(text: str) -> bytes | None:
    """Return the bytes of a base64 text; None for other texts."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


#: How the values of a data type of condition keys are read.
_READERS: dict[str, Callable[[str], object]] = {
    "Bool": boolean, "Numeric": number, "Date": instant, "IPAddress": address, "ARN": arn_fields, "Binary": octets,
}  # fmt: skip


def is_value(text: str, value_type: str) -> bool:
    """Whether a text is a value of a data type of condition keys. Those of type String are any text."""
    return value_type not in _READERS or _READERS[value_type](text) is not None
