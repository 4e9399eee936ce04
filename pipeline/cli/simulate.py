"""The command ``simulate``: JSON lines in, one decision a line out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import DEFAULT_LAKE, LakeOption, standard_output
from pipeline.errors import PolicylakeError
from pipeline.lake import Lake, open_lake
from pipeline.reference import load

#: Lines of a file that are read at once: fewer questions to the lake. Standard input is answered line by line.
AHEAD = 512


def simulate(
    requests: Annotated[
        str, typer.Option("--requests", metavar="FILE", help="File of JSON lines; - is standard input.")
    ] = "-",
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Decide requests, one JSON object a line: principal, action, resource and context, with an id if you like.

    Each line is answered from the lake, or from its own policies if it carries any: identity_policies,
    permissions_boundary, scps, rcps, resource_policy, session_policies. A bad line gives an error line.
    So do lines that need a lake where there is none; then the exit code is 2.
    """
    from pipeline.simulate import simulate_lines

    failures: list[PolicylakeError] = []

    def opened() -> Lake:
        try:
            return open_lake(lake)
        except PolicylakeError as error:
            failures.append(error)
            raise

    with _lines(requests) as lines, standard_output() as out:
        ahead = 1 if requests == "-" else AHEAD
        for answer in simulate_lines(lines, opened, load(), ahead=ahead):
            out.write((answer + "\n").encode("utf-8", "backslashreplace"))
            out.flush()
    if failures:
        raise failures[0]


@contextmanager
def _lines(source: str) -> Iterator[Iterator[str]]:
    """Yield the lines of a file or of standard input. Raises PolicylakeError for no such file."""
    if source == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        yield iter(sys.stdin)
        return
    try:
        with Path(source).open(encoding="utf-8", errors="replace") as file:
            yield iter(file)
    except OSError as error:
        raise PolicylakeError(f"--requests {source}: {error.strerror}; give a file of JSON lines, or -") from error
