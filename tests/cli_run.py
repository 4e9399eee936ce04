"""Runs the command line in this process, as a shell would see it: exit code, standard output, standard error."""

import io
import json
import signal
import sys
from typing import Any, NamedTuple

from pipeline.cli import main


class Run(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode("utf-8")


def run(monkeypatch, *arguments: str, stdin: str = "") -> Run:
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    typed = io.TextIOWrapper(io.BytesIO(stdin.encode("utf-8", "surrogateescape")), encoding="utf-8")
    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["policylake", *arguments])
        patch.setattr(sys, "stdin", typed)
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        code = _exit_code()
    signal.signal(signal.SIGINT, handler)
    for stream in streams:
        stream.flush()
    return Run(code, streams[0].buffer.getvalue(), streams[1].buffer.getvalue().decode("utf-8"))


def rows_of(done: Run) -> list[dict[str, Any]]:
    """Return the rows of a command that printed JSON."""
    assert done.code == 0, done.err
    return json.loads(done.text)


def _exit_code() -> int:
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0
