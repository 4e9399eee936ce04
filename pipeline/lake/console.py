"""A place for queries of people who are not at the command line: reads the relations of one snapshot and no other file,
with limits of time, memory, rows and size.

The queries run in processes of their own (console_process). This one holds the clock over everything that a query
takes, looks at its memory, and ends the process of a query that goes beyond; another takes its place.
"""

import json
import multiprocessing
import queue
import shutil
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import psutil

from pipeline.errors import PolicylakeError
from pipeline.lake import duck, guard
from pipeline.lake.console_process import (
    MOST_MESSAGE,
    MOST_SQL,
    OUT_OF_MEMORY,
    ROOM,
    Bounds,
    run,
)
from pipeline.lake.read import Lake
from pipeline.lake.spill import query_folder
from pipeline.workers import interrupts_held

MIB = 2**20
MOST_ROWS = 1000
#: Seconds that a query may take, from the moment it is handed over until its answer is here.
PATIENCE = 20.0
#: Seconds that a process may take to open the lake.
START = 60.0
#: Bytes that a query may hold.
MEMORY = 1024 * MIB
#: Queries that run at a time; others wait for a moment and are told to come again.
AT_ONCE = 2
#: Seconds between two looks at the memory of a query.
LOOK = 0.05


class Answer(NamedTuple):
    """Rows as texts, None for null; ``is_cut`` where there are more than are shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    is_cut: bool


class Console:
    """Answers queries over one snapshot. May be used by several threads; ``close`` ends its processes."""

    def __init__(
        self, lake: Lake, *, patience: float = PATIENCE, most_rows: int = MOST_ROWS, memory: int = MEMORY
    ) -> None:
        self.lake = lake  # keeps the snapshot from being removed
        self.patience = patience
        bounds = Bounds(min(memory, duck.limits().memory), most_rows, patience)
        snapshot = (lake.path / "snapshots" / lake.snapshot_id).resolve()
        self._helpers = tuple(Helper(snapshot, bounds) for _ in range(AT_ONCE))
        self._free: queue.LifoQueue[Helper] = queue.LifoQueue()
        for helper in self._helpers:
            self._free.put(helper)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the processes, so that the first query need not wait for them."""
        for helper in self._helpers:
            helper.start()

    def answer(self, sql: str) -> Answer:
        """Return the rows of one query. Raises PolicylakeError with what to do for what it may not, or cannot, do."""
        if len(sql) > MOST_SQL:
            raise PolicylakeError(f"sql: more than {MOST_SQL:,} characters; give a shorter query")
        guard.check_text(sql)
        try:
            helper = self._free.get(timeout=self.patience)
        except queue.Empty:
            raise PolicylakeError("sql: other queries are still running; try again in a moment") from None
        try:
            told = helper.ask(sql)
        finally:
            self._free.put(helper)
        return Answer(tuple(told["columns"]), tuple(tuple(row) for row in told["rows"]), bool(told["cut"]))

    def close(self) -> None:
        """End what still runs. May be called again, and from any thread."""
        duck.interrupt()
        for helper in self._helpers:
            helper.close()


class Helper:
    """One process that answers one query after another. It is started when needed, and anew after it was ended."""

    def __init__(self, snapshot: Path, bounds: Bounds) -> None:
        self._snapshot, self._bounds = snapshot, bounds
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_ready = self._is_asked = self._is_late = self._is_large = self._is_closed = False
        self._changing = threading.Lock()

    def start(self) -> None:
        """Start a process unless one is there. Raises PolicylakeError where the system starts none."""
        with self._changing:
            if self._is_closed:
                raise PolicylakeError("sql: the server ends")
            if self._process is not None and self._process.is_alive():
                return
            self._forget()
            context = multiprocessing.get_context("spawn")
            own, others = context.Pipe()
            process = context.Process(
                target=run, args=(others, str(self._snapshot), self._bounds), name="policylake-sql", daemon=True
            )
            try:
                with interrupts_held():
                    process.start()
            except OSError as error:
                own.close()
                raise PolicylakeError(f"sql: no process can be started ({error.strerror or error})") from error
            finally:
                others.close()
            self._process, self._pipe = process, own

    def ask(self, sql: str) -> dict[str, Any]:
        """Return what the process answers to a query, within the time for it. Raises PolicylakeError otherwise."""
        self.start()
        self._wait_until_ready()
        timer = threading.Timer(self._bounds.patience, self._end_late)
        self._is_asked, self._is_late = True, False
        timer.start()
        try:
            told = self._exchange(sql)
        finally:
            with self._changing:
                self._is_asked = False
            timer.cancel()
        if told is None or told.get("spent"):
            self._replace()
        if told is None:
            raise PolicylakeError(self._why())
        if "error" in told:
            raise PolicylakeError(str(told["error"]))
        return told

    def close(self) -> None:
        """End the process, for good."""
        with self._changing:
            self._is_closed = True
            if self._process is not None:
                self._end(self._process)

    def _wait_until_ready(self) -> None:
        if self._is_ready or self._pipe is None:
            return
        said = b""
        with suppress(EOFError, OSError):  # it ended: nothing is said, which is told below
            said = self._pipe.recv_bytes(MOST_MESSAGE) if self._pipe.poll(START) else b""
        told = json.loads(said) if said else {"error": "sql: the process for queries does not start; try again"}
        if "error" in told:
            self._replace(start=False)
            raise PolicylakeError(str(told["error"]))
        self._is_ready = True

    def _exchange(self, sql: str) -> dict[str, Any] | None:
        """Send a query and return the answer, None where the process ended or was ended before there was one."""
        pipe, process = self._pipe, self._process
        if pipe is None or process is None:
            return None
        self._is_large = False
        try:
            pipe.send_bytes(json.dumps(sql).encode())
            while not pipe.poll(LOOK):
                if _memory(process.pid) > self._bounds.memory + ROOM:
                    self._is_large = True
                    process.kill()
            told: dict[str, Any] = json.loads(pipe.recv_bytes(MOST_MESSAGE))
        except (EOFError, OSError, ValueError):
            return None
        return told

    def _end_late(self) -> None:
        with self._changing:
            if self._is_asked and self._process is not None:
                self._is_late = True
                self._process.kill()

    def _why(self) -> str:
        if self._is_late:
            return f"sql: stopped after {self._bounds.patience:g} s; ask for less"
        if self._is_large:
            return OUT_OF_MEMORY.format(self._bounds.memory / MIB)
        return "sql: this query ended the process that worked on it; write it in a simpler way"

    def _replace(self, *, start: bool = True) -> None:
        """End the process and start the next one, which gets ready meanwhile."""
        with self._changing:
            self._forget()
        if start:
            with suppress(PolicylakeError):  # the next query starts it again, or says why it cannot
                self.start()

    def _end(self, process: BaseProcess) -> None:
        """End a process, and remove what it could not hold in memory."""
        process.kill()
        process.join()
        if process.pid is not None:
            shutil.rmtree(query_folder(process.pid), ignore_errors=True)

    def _forget(self) -> None:
        if self._process is not None:
            self._end(self._process)
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
        self._is_ready = False


def _memory(pid: int | None) -> int:
    """Return the bytes that a process holds, 0 where it has ended."""
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
