"""Text and TOML files that users write by hand, read with messages that say where, what and what to do.

Must not know what stands in them.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import PolicylakeError


class FileError(PolicylakeError):
    """What is wrong with a file: ``place`` is what messages call it, with the line where that is known."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place, self.problem = place, problem


class WrongError(Exception):
    """What is wrong with what a file says and what to do, without the place, which whoever catches it adds."""


def read_text(path: Path, remedy: str, shown: str | None = None) -> str:
    """Return the text of a file. Raises FileError, which calls the file ``shown`` (its path unless given).

    ``remedy`` is what to do where the file cannot be read, such as "give a file of scenarios with --scenarios".
    """
    name = shown or str(path)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(name, f"{error.strerror}; {remedy}") from error
    except UnicodeDecodeError as error:
        raise FileError(name, f"no UTF-8 at byte {error.start}; save the file as UTF-8") from error


def toml_of(text: str, name: str) -> dict[str, Any]:
    """Return the tables of TOML. Raises FileError, which calls the file ``name``, for what is none."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileError(name, f"no TOML: {error}; mend it there") from error


def check_members(table: Mapping[str, Any], members: Sequence[str], thing: str) -> None:
    """Raise WrongError for a member that a thing, such as "a control", does not take."""
    for member in table:
        if member not in members:
            raise WrongError(f"{member}: no member of {thing}; it takes {', '.join(members)}")


def text_in(table: Mapping[str, Any], member: str) -> str:
    """Return a text that must be there, without white space around it. Raises WrongError."""
    text = table.get(member)
    if not isinstance(text, str) or not text.strip():
        raise WrongError(f'{member}: {"missing" if text is None else "a text is expected"}; write {member} = "..."')
    return text.strip()
