"""Holds the lake's answers against the concrete evaluator until a number of decisions is reached: `make agreement`.

Organizations are generated seed by seed (tests/random_organization.py, tests/random_crossings.py,
tests/random_callers.py, bench/generate.py), requests at random for each (tests/agreement.py). Prints how many of what
were decided and how many answers contradict. Of each kind of contradiction the first is kept in the folder FAILURES
with its inputs and the smallest request that still shows it. Exit code 1: some answer contradicts.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from agreement import Answers, Asked, Requests  # noqa: E402
from random_callers import CallerRequests, write_callers  # noqa: E402
from random_crossings import SERVICES, CrossingRequests, write_crossings  # noqa: E402
from random_organization import write_organization  # noqa: E402

from bench.generate import generate  # noqa: E402
from pipeline import reference  # noqa: E402
from pipeline.build import build_lake  # noqa: E402
from pipeline.lake import open_lake  # noqa: E402
from pipeline.simulate import simulate_lines  # noqa: E402

FAILURES = ROOT / ".agreement"
#: Decisions on each organization.
A_TURN = 2500


class Family(NamedTuple):
    """A way to make organizations and requests, and the services beyond SageMaker's that are evaluated."""

    name: str
    write: Callable[[Path, int], Any]
    requests: type[Requests]
    services: Sequence[str]


def write_common(folder: Path, seed: int) -> None:
    """Write an organization as the benchmark has it: policies as people write them."""
    generate(folder, accounts=3, principals=30, seed=seed)


FAMILIES = (
    Family("hostile policies", write_organization, Requests, ()),
    Family("accounts that reach into each other", write_crossings, CrossingRequests, SERVICES),
    Family("common policies", write_common, Requests, ()),
    Family("policies that ask who calls", write_callers, CallerRequests, ()),
)


class Turn(NamedTuple):
    """What came of one organization: decisions by word, and contradictions by kind."""

    family: str
    decisions: Counter[str]
    contradictions: Counter[str]


class _Asking(NamedTuple):
    """A lake that can be asked."""

    lake: Any
    known: reference.Reference
    answers: Answers

    def decided(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, str, str | None]]:
        """Yield requests with their decisions, and where the answers contradict these."""
        lines = simulate_lines([json.dumps(request.line) for request in asked], self.lake, self.known, ahead=500)
        for request, text in zip(asked, lines, strict=True):
            decision = json.loads(text)["decision"]
            yield request, decision, self.answers.contradiction(request, decision)

    def contradiction(self, asked: Asked) -> str | None:
        """Say where the answers contradict the decision on one request."""
        return next(self.decided([asked]))[2]


def turn(number: int) -> Turn:
    """Make the organization of a number, ask about it, and keep what contradicts."""
    family, seed = FAMILIES[number % len(FAMILIES)], 1000 + number
    with tempfile.TemporaryDirectory() as folder:
        inputs, lake_folder = Path(folder) / "inputs", Path(folder) / "lake"
        family.write(inputs, seed)
        build_lake([inputs], lake_folder, services=family.services)
        lake, known = open_lake(lake_folder), reference.load()
        asking, requests = _Asking(lake, known, Answers(lake, known)), family.requests(lake, known, seed)
        found = Turn(family.name, Counter(), Counter())
        for asked, decision, words in asking.decided([requests.next() for _ in range(A_TURN)]):
            found.decisions[decision] += 1
            if words:
                kind = words.split(" [", 1)[0]
                found.contradictions[kind] += 1
                if found.contradictions[kind] == 1:
                    _keep(family, seed, asked, words, asking)
    return found


def _keep(family: Family, seed: int, asked: Asked, words: str, asking: _Asking) -> None:
    folder = FAILURES / f"{seed}-{crc32(words.encode()):08x}"
    family.write(folder / "inputs", seed)
    least = smallest(asked, asking)
    text = {"contradiction": words, "family": family.name, "seed": seed, "services": family.services, **least.line}
    (folder / "request.json").write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


def smallest(asked: Asked, asking: _Asking) -> Asked:
    """Return the request without the keys that its contradiction does not need."""
    for key in list(asked.line["context"]):
        context = {other: values for other, values in asked.line["context"].items() if other != key}
        fewer = asked._replace(line={**asked.line, "context": context})
        if asking.contradiction(fewer):
            asked = fewer
    return asked


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first organization")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    numbers = range(options.start, options.start + -(-options.decisions // A_TURN))
    organizations, decisions, contradictions = Counter[str](), Counter[str](), Counter[str]()
    with ProcessPoolExecutor(options.jobs) as pool:
        for found in pool.map(turn, numbers):
            organizations[found.family] += 1
            decisions += found.decisions
            contradictions += found.contradictions
            print(f"{decisions.total():,} decisions, {contradictions.total()} disagreements", file=sys.stderr)
    print(f"{decisions.total():,} decisions on {organizations.total()} organizations")
    for counts in (organizations, decisions):
        print(*(f"  {count:9,} {words}" for words, count in counts.most_common()), sep="\n")
    print(f"{contradictions.total():,} disagreements")
    print(*(f"  {count:9,} {words}" for words, count in contradictions.most_common()), sep="\n", end="")
    if contradictions:
        print(f"\nInputs and smallest requests: {FAILURES}")
    return 1 if contradictions else 0


if __name__ == "__main__":
    sys.exit(main())
