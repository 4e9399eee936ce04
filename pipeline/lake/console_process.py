"""The process that works on the queries of a console, one after another, and ends with the one that started it.

Guards stand behind one another: a query may name relations and harmless functions only (console_guard); DuckDB may
open no file but the snapshot's Parquet files and its own temporary ones, and its settings cannot be changed; where the
system limits processes, this one gets no more memory than a query may have, and ends when it computes for too long.
"""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import duckdb
import psutil

from pipeline.errors import PolicylakeError
from pipeline.lake import console_guard, duck
from pipeline.lake.views import create_views
from pipeline.workers import end_with_parent

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows
    resource = None

MIB = 2**20
#: Characters of a query; of a value, a column's name and an error that are shown; and of all values together.
MOST_SQL = 20_000
MOST_VALUE = 2000
MOST_NAME = 200
MOST_ERROR = 4000
MOST_TEXT = 2_000_000
MOST_COLUMNS = 1000
#: Bytes of a message between the processes: the characters above in JSON, where one takes six bytes at most.
MOST_MESSAGE = 16 * MIB
#: Bytes that the process holds beside what a query takes.
ROOM = 512 * MIB
#: Bytes of addresses, at most, for each byte that a query may hold: DuckDB keeps addresses whose memory it gave back.
ADDRESSES = 2
#: Bytes that a query may put into files of the temp folder.
SPILL = 4096 * MIB
#: Threads that a query may use; each takes memory of its own.
MOST_THREADS = 4
#: Seconds of computing beyond a query's time on all threads, after which the system ends the process.
GRACE = 10
OUT_OF_MEMORY = "sql: it takes more than {:,.0f} MiB of memory; ask for less, or at the command line: policylake sql"


class Bounds(NamedTuple):
    """What a query may take: ``memory`` in bytes, ``patience`` in seconds."""

    memory: int
    most_rows: int
    patience: float


def run(pipe: Connection, snapshot: str, bounds: Bounds) -> None:
    """Answer the queries that come through the pipe until it ends."""
    _follow_parent()
    try:
        os.chdir(snapshot)  # the views name their files from here, and so show nobody where they are
        connection = open_relations(bounds.memory)
    except (PolicylakeError, OSError) as error:
        _send(pipe, {"error": f"sql: the snapshot cannot be opened ({error}); build it again"})
        return
    hidden = console_guard.hidden(connection)
    _limit(bounds)
    _be_silent()
    _send(pipe, {"ready": True})
    with suppress(EOFError, OSError):
        while True:
            sql = json.loads(pipe.recv_bytes(MOST_MESSAGE))
            _limit_computing(bounds)
            told = _told(partial(_answer, connection, hidden, sql, bounds.most_rows), bounds)
            _send(pipe, told)


def open_relations(memory: int) -> duck.Connection:
    """Return a connection to the relations of the snapshot in the working directory, which opens no other file."""
    limits = duck.limits()
    within = limits._replace(memory=memory, threads=min(limits.threads, MOST_THREADS))
    connection = duck.connect(within=within)
    with duck.errors_explained("sql"):
        create_views(connection, Path(), with_comments=True)
        files = [str(path) for path in sorted(Path().rglob("*.parquet"))]
        connection.execute(f"set max_temp_directory_size = '{SPILL}B'")
        connection.execute("set allowed_directories = []")
        connection.execute("set allowed_paths = ?", [files])
        duck.close_in(connection)
    return connection


def _answer(connection: duck.Connection, hidden: frozenset[str], sql: str, most_rows: int) -> dict[str, Any]:
    cursor = connection.cursor()
    try:
        with duck.errors_explained("sql"):
            console_guard.check(cursor, sql, hidden)
            return _rows(cursor.execute(sql), most_rows)
    finally:
        cursor.close()


def _rows(result: duck.Connection, most_rows: int) -> dict[str, Any]:
    """Return the first rows as texts, and whether there are more: no more rows and characters than are shown."""
    columns = [_cut(str(column[0]), MOST_NAME) for column in result.description or ()]
    if len(columns) > MOST_COLUMNS:
        raise PolicylakeError(f"sql: more than {MOST_COLUMNS:,} columns; name those that you need")
    rows: list[list[str | None]] = []
    room = MOST_TEXT
    while row := result.fetchone():
        texts = [_text(value) for value in row]
        room -= sum(len(text or "") for text in texts)
        if len(rows) == most_rows or (rows and room < 0):
            return {"columns": columns, "rows": rows, "cut": True}
        rows.append(texts)
    return {"columns": columns, "rows": rows, "cut": False}


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    if isinstance(value, (bool, list, dict)):
        with suppress(TypeError):  # a map may have lists for keys
            text = json.dumps(value, ensure_ascii=False, default=str)
    return _cut(text, MOST_VALUE)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _told(answer: Callable[[], dict[str, Any]], bounds: Bounds) -> dict[str, Any]:
    """Return an answer or why there is none; ``spent`` where the process should not be asked again."""
    spent = False
    try:
        told = answer()
    except PolicylakeError as error:
        cause = error.__cause__
        spent = isinstance(cause, (duckdb.OutOfMemoryException, duckdb.InternalException, duckdb.FatalException))
        is_large = isinstance(cause, duckdb.OutOfMemoryException)
        told = {"error": OUT_OF_MEMORY.format(bounds.memory / MIB) if is_large else _cut(str(error), MOST_ERROR)}
    except MemoryError:
        told, spent = {"error": OUT_OF_MEMORY.format(bounds.memory / MIB)}, True
    except RecursionError:
        told = {"error": "sql: too many expressions within one another; write it in a simpler way"}
    except Exception as error:  # whatever a value that cannot be written raises, the page must be told
        told, spent = {"error": _cut(f"sql: its answer cannot be shown ({error})", MOST_ERROR)}, True
    return {**told, "spent": spent or _held() > ROOM + bounds.memory}


def _send(pipe: Connection, told: dict[str, Any]) -> None:
    pipe.send_bytes(json.dumps(told, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def _held() -> int:
    """Return the bytes that this process holds, with what it keeps for the next query."""
    held = psutil.Process().memory_info()
    return int(getattr(held, "data", held.rss))


def _follow_parent() -> None:
    """End with the process that started this one, which alone hears of Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    end_with_parent()


def _be_silent() -> None:
    """Keep what libraries print when they give up from the terminal: the other process tells of it in words."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _limit(bounds: Bounds) -> None:
    """Let the system hold this process to its memory and its files, and keep it from writing what is left of it."""
    if resource is None:
        return
    for kind, most in (("DATA", bounds.memory * ADDRESSES + ROOM), ("FSIZE", SPILL), ("CORE", 0)):
        with suppress(AttributeError, OSError, ValueError):
            number = getattr(resource, f"RLIMIT_{kind}")
            _, hard = resource.getrlimit(number)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(number, (most, most))


def _limit_computing(bounds: Bounds) -> None:
    """Let the system end this process should it compute for much longer than a query may, whoever forgot it."""
    if resource is None:
        return
    with suppress(AttributeError, OSError, ValueError):
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime + bounds.patience * MOST_THREADS + GRACE)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
