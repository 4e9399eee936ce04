"""Measures what formulas cost: builds a lake in one process with the clock on what decides, simplifies or words them.

Prints JSON: the distinct formulas that were solved, the processor time of solving them, that of all work on formulas
(solving, simplifying, cutting scopes, witnesses, smallest changes, words), and that of the whole build.
Run by bench/run.py: python bench/formulas.py INPUT LAKE, or python bench/formulas.py --decisions for the concrete
evaluator: decisions of the tests' cases, policies parsed beforehand.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Seconds for which the concrete evaluator decides the same cases again and again.
DECIDING = 3.0
#: What solves formulas, and all that works on them, as its callers know it.
SOLVING = "pipeline.evaluate.solver:satisfy"
WORKING = (
    "pipeline.evaluate.solver:Solver._satisfy", "pipeline.evaluate.solver:Solver._simplified",
    "pipeline.evaluate.solver:Solver._is_implied", "pipeline.evaluate.cells:pieces",
    "pipeline.evaluate.witness:Witnesses._of", "pipeline.evaluate.tables:smallest_change",
    "pipeline.evaluate.tables:words",
)  # fmt: skip


class Clock:
    """Adds up the processor time of functions, of the outermost where they call each other."""

    def __init__(self) -> None:
        self.seconds, self.calls, self._depth = 0.0, 0, 0

    def on(self, place: str) -> None:
        """Measure a function from now on, named as ``module:function`` or ``module:Class.function``."""
        module, _, dotted = place.partition(":")
        *classes, name = dotted.split(".")
        owner = resolve_name(":".join((module, ".".join(classes)))) if classes else resolve_name(module)
        setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*values: Any, **named: Any) -> Any:
            self.calls += 1
            if self._depth:
                return function(*values, **named)
            self._depth = 1
            start = time.process_time()
            try:
                return function(*values, **named)
            finally:
                self.seconds += time.process_time() - start
                self._depth = 0

        return timed


def of_build(inputs: Path, lake: Path) -> dict[str, float]:
    """Build and return the figures. Solver and scopes remember: only what is new to them is measured."""
    from pipeline.build import build_lake

    solving, all_work = Clock(), Clock()
    solving.on(SOLVING)
    for place in WORKING:
        all_work.on(place)
    start = time.process_time()
    build_lake([inputs], lake)
    whole = time.process_time() - start
    return {"solved": solving.calls, "solving": solving.seconds, "formulas": all_work.seconds, "build": whole}


def of_decisions() -> dict[str, float]:
    """Decide the tests' cases again and again; return how many decisions, and their processor time."""
    from pipeline import reference
    from pipeline.iam.decide import Layers, Request, decide
    from pipeline.simulate import answer, simulate_lines

    cases: list[tuple[Request, Layers]] = []

    def kept(request: Request, layers: Layers) -> Any:
        cases.append((request, layers))
        return decide(request, layers)

    answer.decide = kept
    texts = [path.read_text() for path in sorted((ROOT / "tests" / "cases" / "decisions").glob("*.jsonl"))]
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    for _ in simulate_lines(lines, None, reference.load()):
        pass
    count, start = 0, time.process_time()
    while time.process_time() - start < DECIDING:
        for request, layers in cases:
            decide(request, layers)
        count += len(cases)
    return {"decisions": count, "seconds": time.process_time() - start}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    found = of_decisions() if sys.argv[1:] == ["--decisions"] else of_build(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps(found))
