"""Tells what a run without a person is at: a line a stage on standard error, as text or as JSON for a log collector."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

import typer

from pipeline.errors import UNREADABLE, PolicylakeError, printable
from pipeline.progress import Step

LogFormat = Literal["text", "json"]


class Log:
    """Writes lines with time, level, stage and message. A stage lasts until the next one begins, or the end."""

    def __init__(self, form: LogFormat, *, quiet: bool = False) -> None:
        self._form, self._quiet = form, quiet
        self._stage: str | None = None
        self._began = self._start = time.monotonic()

    def step(self, step: Step) -> None:
        """Take a step of some work; the first one of another stage ends the stage before."""
        if step.stage != self._stage:
            self.end()
            self._stage, self._began = step.stage, time.monotonic()

    def end(self) -> None:
        """End the stage, if one lasts, with a line that has its seconds."""
        if self._stage is not None:
            self.tell("info", self._stage, "done", seconds=round(time.monotonic() - self._began, 2))
        self._stage = None

    def tell(self, level: Literal["info", "warning", "error"], stage: str, message: str, **values: object) -> None:
        """Write a line; ``values`` are members of its own in JSON, and stand behind the message in text."""
        if self._quiet and level == "info":
            return
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        if self._form == "json":
            line = json.dumps({"time": now, "level": level, "stage": stage, "message": message, **values})
        else:
            behind = "".join(f" {name}={value}" for name, value in values.items())
            line = printable(f"{now} {level} {stage}: {message}{behind}")
        print(line, file=sys.stderr, flush=True)

    def failed(self, message: str, status: int) -> None:
        """Write the line of what ended the run, at the stage that it ended."""
        self.tell("error", self._stage or "run", message, exit_status=status)
        self._stage = None

    @property
    def is_json(self) -> bool:
        """Whether programs read the lines."""
        return self._form == "json"

    @property
    def seconds(self) -> float:
        """How long the run has taken."""
        return round(time.monotonic() - self._start, 2)


@contextmanager
def logged(log: Log) -> Iterator[None]:
    """Write what fails as a line of the log where that is JSON: its collectors read nothing else."""
    try:
        yield
    except (PolicylakeError, OSError) as error:
        if not log.is_json:
            raise
        message = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        status = error.exit_code if isinstance(error, PolicylakeError) else UNREADABLE
        log.failed(message, status)
        raise typer.Exit(status) from error
