"""What a long piece of work says of itself while it runs. Must not print."""

import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias


class Step(NamedTuple):
    """Where work stands: ``done`` of ``of`` things of the kind ``unit`` in a stage; 0 of 0 where nothing is counted.

    A stage lasts until the first step of another one.
    """

    stage: str
    done: int = 0
    of: int = 0
    unit: str = ""


Progress: TypeAlias = Callable[[Step], None]


def silent(step: Step) -> None:
    """Say nothing."""
    del step


#: How much of a build each stage takes, of 100 parts: measured on large organizations (docs/profiling.md). What has
#: several account groups is evaluated, one alone goes through the stages of evaluating.
SHARES = {"reading": 19, "joining accounts": 1, "evaluating": 79, "writing": 1}
OF_ONE_GROUP = {"matching statements": 13, "grouping principals": 11, "deciding": 36, "finding witnesses": 19}
#: Before this much is done, in parts of the whole, an estimate would be a guess.
ENOUGH = 0.02


class TimeLeft:
    """Estimates from the steps of a build how long the whole of it still takes.

    What a stage finds done when it begins, because the cache had it, took no time and counts for nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._shares: dict[str, float] = dict(SHARES)
        self._stage, self._first = "", 0

    def __call__(self, step: Step) -> float | None:
        """Take a step; return the seconds that are left, or None where nothing can be said yet."""
        if step.stage in OF_ONE_GROUP and "evaluating" in self._shares:
            parts = {name: part for name, part in self._shares.items() if name not in ("evaluating", "writing")}
            self._shares = {**parts, **OF_ONE_GROUP, "writing": self._shares["writing"]}
        if step.stage not in self._shares:
            return None
        if step.stage != self._stage:
            self._stage, self._first = step.stage, step.done
            if step.of:
                self._shares[step.stage] *= (step.of - self._first) / step.of
        names = list(self._shares)
        done = sum(self._shares[name] for name in names[: names.index(step.stage)])
        if step.of > self._first:
            done += self._shares[step.stage] * (step.done - self._first) / (step.of - self._first)
        whole = sum(self._shares.values())
        if done < whole * ENOUGH:
            return None
        return (self._clock() - self._began) * (whole - done) / done
