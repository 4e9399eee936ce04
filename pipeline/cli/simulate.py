"""The command ``simulate``: JSON lines in, one decision a line out."""

import codecs
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import expectations
from pipeline.cli.common import DEFAULT_LAKE, LakeOption, note, standard_output
from pipeline.errors import FAILED, PolicylakeError
from pipeline.lake import Lake, open_lake
from pipeline.reference import load

#: Lines of a file that are read at once: fewer questions to the lake. Standard input is answered line by line.
AHEAD = 512


def simulate(
    requests: Annotated[
        str, typer.Option("--requests", metavar="FILE", help="File of JSON lines; - is standard input.")
    ] = "-",
    expect: Annotated[
        bool, typer.Option("--expect", help="Hold each decision to the line's expect; exit with 1 if one differs.")
    ] = False,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Decide requests, one JSON object a line: principal, action, resource and context, with an id if you like.

    Each line is answered from the lake, or from its own policies if it carries any: identity_policies,
    permissions_boundary, scps, rcps, resource_policy, session_policies. A bad line gives an error line.
    So does a value that its key cannot have, such as the address 999.1.1.1, and, if the lake is asked, a request that
    AWS cannot make, such as one with aws:SourceVpc and aws:SourceIp. Lines in error leave the exit code 0, unless they
    need a lake and there is none: then it is 2.

    With --expect each line carries its expect: allowed, explicitDeny, implicitDeny, denied (either of these two), or an
    object with decision, blocked_by (exactly these layers) and sids (statements that must have applied). Each answer
    says as_expected; what differs is told on standard error, and the exit code is 1. Lines in error count as different,
    and so does a line without expect, and one that tests nothing: an action or key that nobody knows. What AWS would
    not send with the action is a warning. Without --expect all of this is only told in detail, and expect is ignored.
    """
    from pipeline.simulate import checked_lines, simulate_lines

    failures: list[PolicylakeError] = []

    def opened() -> Lake:
        try:
            return open_lake(lake)
        except PolicylakeError as error:
            failures.append(error)
            raise

    def decided(lines: Iterable[str]) -> Iterator[str]:
        return simulate_lines(lines, opened, load(), ahead=1 if requests == "-" else AHEAD, is_strict=expect)

    verdicts: Counter[str] = Counter()
    with _lines(requests) as lines, standard_output() as out:

        def say(answer: str) -> None:
            out.write((answer + "\n").encode("utf-8", "backslashreplace"))
            out.flush()

        if not expect:
            for answer in decided(lines):
                say(answer)
        for checked in checked_lines(lines, decided) if expect else ():
            say(json.dumps(checked.answer))
            expectations.tell(checked)
            verdicts[checked.verdict] += 1
    if failures:
        raise failures[0]
    if expect:
        _judge(verdicts, requests)


def _judge(verdicts: Counter[str], requests: str) -> None:
    """Say how the lines came out. Ends the command with 1 where one is not as expected; no line at all is an error."""
    if not verdicts:
        raise PolicylakeError(f"--requests {requests}: no line, so nothing was tested; give one JSON object a line")
    note(expectations.summary(verdicts))
    if verdicts["differs"] or verdicts["error"]:
        raise typer.Exit(FAILED)


@contextmanager
def _lines(source: str) -> Iterator[Iterator[str]]:
    """Yield the lines of a file or of standard input. Raises PolicylakeError for no such file."""
    if source == "-":
        # sys.stdin is declared as any text stream; that of a process can be told how to read.
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")  # type: ignore[union-attr]
        yield _decoded(sys.stdin, source)
        return
    try:
        with Path(source).open(encoding=_encoding(Path(source))) as file:
            yield _decoded(file, source)
    except OSError as error:
        raise PolicylakeError(f"--requests {source}: {error.strerror}; give a file of JSON lines, or -") from error


def _encoding(path: Path) -> str:
    """Return the encoding that the first bytes of a file tell: UTF-16 where its mark stands there, else UTF-8."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _decoded(lines: Iterable[str], source: str) -> Iterator[str]:
    """Yield lines. Raises PolicylakeError where they are in another encoding: a letter that is lost may be the one that
    a Deny names."""
    try:
        yield from lines
    except UnicodeError as error:
        wrong = "the text is neither UTF-8 nor UTF-16 with its mark; save the file as UTF-8, not compressed"
        raise PolicylakeError(f"--requests {source}: {wrong}") from error
