"""Texts, names, links and rows in Markdown: names that others gave neither mention anybody nor make links."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from pipeline.errors import printable
from pipeline.wording import one_line, shortened

#: Characters of a text in a cell.
MOST_TEXT = 300


def table_row(cells: Sequence[str]) -> str:
    """Return the line of a table's row."""
    return "| " + " | ".join(cells) + " |"


def linked(text: str, url: str | None, place: str) -> str:
    """Return a text as a link to a place of the HTML report at ``url``, as it is where no address is given."""
    if url is None:
        return text
    safe = quote(place, safe="#&=:/.,@+-_~%")
    return f"[{text}]({url.rstrip('/')}/{safe})"


def text_of(text: str, most: int = MOST_TEXT) -> str:
    """Return a text so that Markdown and GitHub leave it as it is: no markup, mentions or references.

    Of a longer one than ``most`` characters the end is left out.
    """
    short = printable(shortened(one_line(text), most))
    marked = re.sub(r"([\\`*_{}\[\]<>|~#])", r"\\\1", short.replace("&", "&amp;"))
    return marked.replace("@", "@\u2060").replace("://", ":\u2060//")


def code(text: str) -> str:
    """Return a text as a code span, whatever backticks and lines are in it; also within a table."""
    short = printable(shortened(one_line(text), MOST_TEXT)).replace("|", "\\|") or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", short)), default=0) + 1)
    pad = " " if short.startswith("`") or short.endswith("`") else ""
    return f"{fence}{pad}{short}{pad}{fence}"
