"""Breaks one rule at a time and shows which test notices: `make mutations` writes docs/mutation-run.md.

The mutants are data (tests/mutants.toml). Each is applied to a copy of the checkout, where the test that noticed it
last runs (as the page has it) and, where that one passes, the tests of its side until one fails. The checkout itself
stays as it is. Exit code 1: a mutant survived, or its text is not there once.
"""

import argparse
import datetime
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MUTANTS = ROOT / "tests" / "mutants.toml"
PAGE = ROOT / "docs" / "mutation-run.md"
#: Seconds after which the tests of a mutant are ended: more than those of any side take on a busy machine.
LONGEST = 3600
#: Of the agreement of both evaluators, an organization of each family: the others ask the same in longer time.
AGREEMENT = (
    "test_agreement.py::test_no_answer_about_the_sample_contradicts_the_concrete_evaluator",
    "test_agreement.py::test_no_answer_about_hostile_policies_contradicts_the_concrete_evaluator[17]",
    "test_agreement.py::test_no_answer_between_accounts_contradicts_the_concrete_evaluator[4]",
)
#: The tests of each side, the quick ones first.
TESTS = {
    "iam": (
        "test_decide.py", "test_simulate.py", "test_simulate_lake.py", "test_simulate_together.py", "test_parse.py",
        "test_solver_smt.py", *AGREEMENT,
    ),
    "evaluate": (
        "test_evaluate_rows.py", "test_evaluate_accounts.py", "test_decisions_in_lake.py", "test_evaluate_normal.py",
        "test_dependencies.py", "test_equal_conditions.py", "test_scopes.py", "test_covering.py",
        "test_evaluate_algebra.py", "test_witnesses.py", "test_partitions.py", "test_bucket_owners.py",
        "test_explain.py", "test_solver_smt.py", *AGREEMENT,
    ),
    "sql": (
        "test_evaluate_rows.py", "test_evaluate_accounts.py", "test_decisions_in_lake.py", "test_simulate_lake.py",
        "test_dependencies.py", "test_report_reasons.py", "test_bucket_owners.py", *AGREEMENT,
    ),
    "diff": (
        "test_diff_everyday.py", "test_diff.py", "test_diff_infrastructure.py", "test_diff_gate.py",
        "test_diff_pairs.py",
    ),
    "controls": ("test_controls.py", "test_check.py", "test_control_cases.py", "test_export_command.py"),
}  # fmt: skip
#: Formulas for test_solver_smt.py.
FORMULAS = "150"
SIDES = {
    "iam": "the concrete evaluator",
    "evaluate": "the set-based evaluator",
    "sql": "its SQL models",
    "diff": "the diff",
    "controls": "the controls",
}


class Mutant(NamedTuple):
    """A rule and what breaks it: in ``file`` the text ``old``, which occurs once, becomes ``new``."""

    side: str
    rule: str
    section: str
    file: str
    old: str
    new: str


class Result(NamedTuple):
    """The first test that failed, an empty text where none did; ``seconds`` of wall time."""

    mutant: Mutant
    noticed_by: str
    seconds: float


def mutants() -> list[Mutant]:
    """Return the mutants as they are written."""
    return [Mutant(**found) for found in tomllib.loads(MUTANTS.read_text(encoding="utf-8"))["mutant"]]


def misplaced(listed: Iterable[Mutant], root: Path = ROOT) -> list[str]:
    """Say which mutants have a text that does not occur once in its file."""
    found = []
    for mutant in listed:
        path = root / mutant.file
        count = path.read_text(encoding="utf-8").count(mutant.old) if path.is_file() else 0
        if count != 1:
            found.append(
                f"{mutant.file}: the text of {mutant.rule!r} occurs {count} times: write it anew in {MUTANTS.name}"
            )
    return found


def copied(folder: Path) -> Path:
    """Return a copy of the checkout: its files that git knows, and those that are new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def first_failure(root: Path, files: Sequence[str]) -> str:
    """Return the first test that fails in a copy, an empty text where all pass."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["POLICYLAKE_SMT_FORMULAS"] = FORMULAS
    try:
        done = subprocess.run(
            [*command, *(f"tests/{name}" for name in files)],
            cwd=root, env=environment, capture_output=True, text=True, timeout=LONGEST,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no end within {LONGEST} s"
    if done.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (tests/.*?)(?: - .*)?$", done.stdout, re.MULTILINE)
    return found.group(1).removeprefix("tests/") if found else f"pytest ends with exit code {done.returncode}"


def tried(mutant: Mutant, root: Path, noticed_last: str = "") -> Result:
    """Run the tests against a mutant in a copy, first the one that noticed it last, and put the copy right again."""
    path, start = root / mutant.file, time.monotonic()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        noticed_by = first_failure(root, [noticed_last]) if noticed_last else ""
        if not noticed_last or noticed_by != noticed_last:
            noticed_by = first_failure(root, TESTS[mutant.side])
    finally:
        path.write_text(text, encoding="utf-8")
    result = Result(mutant, noticed_by, time.monotonic() - start)
    print(f"{noticed_by or 'nothing':90} {result.seconds:4.0f} s  {mutant.side}: {mutant.rule}", file=sys.stderr)
    return result


def run(listed: Sequence[Mutant], jobs: int) -> list[Result]:
    """Try mutants in as many copies as there are jobs."""
    last = {result.mutant: result.noticed_by for result in noticed_before(listed)}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        free: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            free.put(copied(Path(folder) / str(number) / "checkout"))

        def one(mutant: Mutant) -> Result:
            root = free.get()
            try:
                return tried(mutant, root, last.get(mutant, ""))
            finally:
                free.put(root)

        return list(pool.map(one, listed))


def unbroken(sides: Iterable[str], jobs: int) -> list[str]:
    """Return the tests of sides that fail without any mutant."""
    same = [Mutant(side, "nothing is broken", "", "README.md", "", "") for side in sorted(sides)]
    return [f"{result.mutant.side}: {result.noticed_by}" for result in run(same, jobs) if result.noticed_by]


INTRODUCTION = """# Mutation run

Do the tests notice a broken rule? Each row breaks one rule of one side, in a copy of the checkout, and names the test
that failed: the one that noticed it in the run before, else the first. Written by `make mutations` on
{today:%d %B %Y}; the mutants are data in `tests/mutants.toml`.
Sections are those of [How a request is decided](evaluation-rules.md), `solver.md` is [the solver's page](solver.md),
`diff.md` [that of the diff](diff.md), `checking.md` [that of controls](checking.md).

{count} rules broken ({sides}): {noticed} noticed, {survived} survived.
"""
_ROW = re.compile(r"^\| (.*) \| .* \| `(.*)` \| `(.*)` \|$", re.MULTILINE)


def page(results: Sequence[Result], today: datetime.date) -> str:
    """Write the page of a run."""
    survived = sum(not result.noticed_by for result in results)
    counts = Counter(result.mutant.side for result in results)
    sides = ", ".join(f"{counts[side]} of {words}" for side, words in SIDES.items())
    noticed = len(results) - survived
    introduction = INTRODUCTION.format(today=today, count=len(results), sides=sides, noticed=noticed, survived=survived)
    return introduction + "".join(
        _table(side, [r.mutant for r in results if r.mutant.side == side], results) for side in SIDES
    )


def _table(side: str, listed: Sequence[Mutant], results: Sequence[Result]) -> str:
    found = {result.mutant: result.noticed_by for result in results}
    rows = [
        f"| {_cell(mutant.rule)} | {mutant.section} | `{mutant.file}` | {_noticed(found[mutant])} |\n"
        for mutant in listed
    ]
    heading = f"\n## {SIDES[side][0].upper()}{SIDES[side][1:]}\n"
    tests = ", ".join(dict.fromkeys(f"`{name.split('::')[0]}`" for name in TESTS[side]))
    head = "| rule | section | file | noticed by |\n| --- | --- | --- | --- |\n"
    return f"{heading}\nTests: {tests}.\n\n{head}{''.join(rows)}"


def _noticed(test: str) -> str:
    return f"`{_cell(test)}`" if test else "**SURVIVED**"


def noticed_before(listed: Sequence[Mutant]) -> list[Result]:
    """Return the results of the page for mutants that it has as noticed."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    shown = {(rule, file): test for rule, file, test in _ROW.findall(text)}
    found = ((mutant, shown.get((_cell(mutant.rule), mutant.file))) for mutant in listed)
    return [Result(mutant, test.replace("\\|", "|"), 0) for mutant, test in found if test]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose side, rule or file has this text; writes no page")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", action="store_true", help="keep what the page has as noticed, and try the rest")
    options = parser.parse_args()
    listed = [m for m in mutants() if options.only.lower() in f"{m.side} {m.rule} {m.file}".lower()]
    kept = noticed_before(listed) if options.again else []
    wanted = [mutant for mutant in listed if mutant not in {result.mutant for result in kept}]
    problems = misplaced(listed) or unbroken({mutant.side for mutant in wanted}, options.jobs)
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return 1
    found = {result.mutant: result for result in (*kept, *run(wanted, options.jobs))}
    results = [found[mutant] for mutant in listed]
    if not options.only:
        PAGE.write_text(page(results, datetime.date.today()), encoding="utf-8")
    survivors = [result.mutant.rule for result in results if not result.noticed_by]
    print(f"{len(results)} mutants, {len(survivors)} survived", *survivors, sep="\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
