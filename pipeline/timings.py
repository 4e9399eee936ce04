"""Measures the stages of a piece of work: time passed, processor time, memory; other processes of ours included."""

import threading
import time
from contextlib import suppress
from typing import NamedTuple

import psutil

from pipeline.progress import Step

#: How often memory is looked at, in seconds: what is gone sooner may be missed.
INTERVAL = 0.1


class Spent(NamedTuple):
    """A stage. ``wall`` and ``processor`` are seconds, ``peak`` the most bytes of memory held at a time.

    Processor time and memory are those of this process and of those that it started, added up.
    """

    stage: str
    wall: float
    processor: float
    peak: int


class Stopwatch:
    """Takes the steps of a piece of work. Looks at the memory from a thread of its own until it is stopped."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._stages: list[Spent] = []
        self._stage: str | None = None
        self._peak = 0
        self._began = (0.0, 0.0)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __call__(self, step: Step) -> None:
        """Take a step; the first one of another stage ends the stage before."""
        if step.stage != self._stage:
            self._end()
            self._stage, self._peak = step.stage, self._held()
            self._began = (time.perf_counter(), self._processor())

    def stop(self) -> list[Spent]:
        """End the last stage; return all, in their order. What came back to a stage is added to it."""
        self._end()
        self._is_over.set()
        self._thread.join()
        found: dict[str, Spent] = {}
        for s in self._stages:
            b = found.get(s.stage, Spent(s.stage, 0.0, 0.0, 0))
            found[s.stage] = Spent(s.stage, b.wall + s.wall, b.processor + s.processor, max(b.peak, s.peak))
        return list(found.values())

    def _end(self) -> None:
        if self._stage is not None:
            wall, processor = self._began
            peak = max(self._peak, self._held())
            spent = (time.perf_counter() - wall, self._processor() - processor)
            self._stages.append(Spent(self._stage, *spent, peak))
            self._stage = None

    def _watch(self) -> None:
        while not self._is_over.wait(INTERVAL):
            self._peak = max(self._peak, self._held())

    def _held(self) -> int:
        total = 0
        for process in self._family():
            with suppress(psutil.Error):  # it ended meanwhile
                total += process.memory_info().rss
        return total

    def _processor(self) -> float:
        """Return the seconds of this process, of its children that ended, and of those that run."""
        times = self._process.cpu_times()
        total = sum((times.user, times.system, times.children_user, times.children_system))
        for process in self._family()[1:]:
            with suppress(psutil.Error):  # it ended meanwhile
                own = process.cpu_times()
                total += own.user + own.system
        return float(total)

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._process, *self._process.children()]
        except psutil.Error:
            return [self._process]
