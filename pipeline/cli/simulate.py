"""The command ``simulate``: JSON lines in, one decision a line out."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import DEFAULT_LAKE, LakeOption, standard_output
from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake
from pipeline.reference import load
from pipeline.simulate.lines import POLICY_MEMBERS


def simulate(
    requests: Annotated[
        str, typer.Option("--requests", metavar="FILE", help="File of JSON lines; - is standard input.")
    ] = "-",
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Decide requests, one JSON object a line: principal, action, resource and context, with an id if you like.

    Each line is answered from the lake, or from its own policies if it carries any: identity_policies,
    permissions_boundary, scps, rcps, resource_policy, session_policies. A bad line gives an error line.
    """
    from pipeline.simulate import simulate_lines

    reference = load()
    opened = None
    with _lines(requests) as lines, standard_output() as out:
        for needs_lake, group in groupby(lines, _needs_lake):
            opened = open_lake(lake) if needs_lake and opened is None else opened
            for answer in simulate_lines(group, opened, reference):
                out.write((answer.rstrip("\n") + "\n").encode("utf-8", "backslashreplace"))
                out.flush()


def _needs_lake(line: str) -> bool:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(request, dict) and all(request.get(name) is None for name in POLICY_MEMBERS)


@contextmanager
def _lines(source: str) -> Iterator[Iterator[str]]:
    """Yield the lines of a file or of standard input that are not blank. Raises PolicylakeError for no such file."""
    if source == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        yield (line for line in sys.stdin if line.strip())
        return
    try:
        with Path(source).open(encoding="utf-8", errors="replace") as file:
            yield (line for line in file if line.strip())
    except OSError as error:
        raise PolicylakeError(f"--requests {source}: {error.strerror}; give a file of JSON lines, or -") from error
