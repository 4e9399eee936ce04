"""The one exception that the command line catches, and the record of an input problem.

Must not read, write or decide anything.
"""

from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]

#: Exit codes: an expectation failed; wrong usage, unreadable input, or a control that did not run; some inputs were
#: rejected, and the rest was built.
FAILED, UNREADABLE, SOME_REJECTED = 1, 2, 3


class PolicylakeError(Exception):
    """A failure that a user can mend: the message says where, what and what to do. ``exit_code`` is the process's."""

    def __init__(self, message: str, exit_code: int = UNREADABLE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Problem(NamedTuple):
    """What is wrong at one place of a JSON document.

    ``pointer`` is an RFC 6901 JSON pointer into the document ("" is the whole of it). ``message`` says
    what is wrong, ``remedy`` what to do about it. An ``error`` means that something was left out or is
    missing, a ``warning`` that it is used although AWS would refuse it or it is doubtful.
    """

    pointer: str
    severity: Severity
    code: str
    message: str
    remedy: str


class Reject(NamedTuple):
    """A :class:`Problem` with its place: a row of the relation ``rejects``.

    ``source`` is the input file; ``line`` and ``column`` count from 1 and are None where a file has no
    text. Every string may hold text from untrusted input.
    """

    source: str
    line: int | None
    column: int | None
    pointer: str
    severity: Severity
    code: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)
        return printable(f"{place}: {self.severity}: {self.message}; {self.remedy}")


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, safe for a terminal."""
    return printable(str(error).strip().split("\n", 1)[0])


def printable(text: str) -> str:
    """Return ``text`` on one line and safe for a terminal: control and direction characters are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
