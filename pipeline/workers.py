"""Runs one function over many shards in processes, this one among them. Knows nothing of what the function does.

Processes are spawned, never forked: DuckDB and Arrow hold threads. Function, shards and results must be picklable.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Protocol, TypeAlias, TypeVar

from pipeline.errors import PolicylakeError

S = TypeVar("S")
R = TypeVar("R")


class Pool(Protocol):
    """What runs a function over shards: processes of this machine, or others.

    ``count`` is how many shards run at a time. A shard may run twice, on a machine of its own: what one leaves in its
    process may save work to the next ones there, and nothing more.
    """

    count: int

    def map(self, function: Callable[[S], R], shards: Iterable[S]) -> Iterator[R]:
        """Yield the result of each shard, in their order. Function, shards and results must be picklable."""
        ...


#: Gives a pool in which that many shards run at a time, until the block ends.
Pools: TypeAlias = Callable[[int], AbstractContextManager[Pool]]

#: Shards that a process has before it, the one at work included.
AHEAD = 2
DIED = "a worker process ended in the midst of its work, killed by someone or for lack of memory"
NOT_STARTED = "worker processes cannot be started"
REMEDY = "give --processes 1 to do without them"


class Workers:
    """Processes to work in; ``count`` includes this one, which takes shards itself while it waits for the others."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._executor = _executor(count - 1) if count > 1 else None
        self._most = AHEAD * (count - 1)
        self._started: set[BaseProcess] = set()

    def map(self, function: Callable[[S], R], shards: Iterable[S]) -> Iterator[R]:
        """Yield the result of each shard, in their order, whichever was done first.

        Raises what ``function`` raises of the first shard that fails, and PolicylakeError where a process dies.
        """
        listed = list(shards)
        if self._executor is None or len(listed) < 2:
            yield from map(function, listed)
            return
        try:
            yield from self._shared(self._executor, function, listed)
        except BrokenProcessPool as error:
            raise PolicylakeError(f"{DIED}; {REMEDY}") from error

    def _shared(self, executor: ProcessPoolExecutor, function: Callable[[S], R], shards: list[S]) -> Iterator[R]:
        """Yield the results in order. While the next is not there, take the last shard that nobody has begun.

        The others have a few shards at a time: what was submitted cannot be taken back safely.
        """
        unbegun = deque(range(len(shards)))
        futures: dict[int, Future[R]] = {}
        for number in range(len(shards)):
            while unbegun:
                at_work = sum(not future.done() for future in futures.values())
                for following in [unbegun.popleft() for _ in range(min(self._most - at_work, len(unbegun)))]:
                    futures[following] = self._submitted(executor, function, shards[following])
                if not unbegun or (number in futures and futures[number].done()):
                    break
                last = unbegun.pop()
                futures[last] = _here(function, shards[last])
            yield futures.pop(number).result()

    def _submitted(self, executor: ProcessPoolExecutor, function: Callable[[S], R], shard: S) -> Future[R]:
        """Give a shard to the others; the first ones start processes, which are noted to be ended."""
        before = set(multiprocessing.active_children())
        try:
            with interrupts_held():
                future = executor.submit(function, shard)
                self._started |= set(multiprocessing.active_children()) - before
        except OSError as error:
            raise PolicylakeError(f"{NOT_STARTED} ({error.strerror or error}); {REMEDY}") from error
        return future

    def stop(self) -> None:
        """End the processes, whatever they are at."""
        if self._executor:
            for process in self._started:
                process.kill()
            self._executor.shutdown()


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """Yield ``count`` processes, which start when they are first needed and end with the block, however it ends."""
    pool = Workers(count)
    try:
        yield pool
    finally:
        with interrupts_held():
            pool.stop()


def _here(function: Callable[[S], R], shard: S) -> Future[R]:
    done: Future[R] = Future()
    try:
        done.set_result(function(shard))
    except Exception as error:  # as in another process: whatever it is, the result has it
        done.set_exception(error)
    return done


def _executor(processes: int) -> ProcessPoolExecutor | None:
    """Return the other processes, None on systems that lack what they need, such as semaphores."""
    try:
        return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), end_with_parent)
    except (ImportError, NotImplementedError, OSError):
        return None


def end_with_parent() -> None:
    """End a process with the one that started it, even where that one is killed and can tell nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_end, args=(parent.sentinel,), daemon=True).start()


def _wait_and_end(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C and the like wait. Processes started meanwhile never hear of it: it is for this one to end them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
