"""The mutants of the mutation run (docs/mutation-run.md) are those of the present code."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from mutation_run import SIDES, misplaced, mutants  # noqa: E402


def test_the_text_of_each_mutant_occurs_once_in_its_file() -> None:
    assert misplaced(mutants()) == []


def test_every_mutant_breaks_a_rule_that_the_page_names() -> None:
    rules = (ROOT / "docs" / "evaluation-rules.md").read_text(encoding="utf-8")
    for mutant in mutants():
        assert mutant.side in SIDES
        assert mutant.old != mutant.new
        number, _, name = mutant.section.partition(" ")
        named = mutant.section in ("solver.md", "checking.md") or (f"## {number}. " in rules and is_named(name, rules))
        assert named, f"{mutant.rule}: no section {mutant.section}"


def is_named(name: str, rules: str) -> bool:
    return re.search(rf"^(#+ ([0-9]+\. )?|\*\*){re.escape(name)}", rules, re.MULTILINE) is not None


def test_the_page_of_the_last_run_shows_every_mutant_and_none_that_survived() -> None:
    page = (ROOT / "docs" / "mutation-run.md").read_text(encoding="utf-8")
    missing = [mutant.rule for mutant in mutants() if f"| {mutant.rule} |" not in page.replace("\\|", "|")]
    assert missing == [], "run make mutations"
    assert "SURVIVED" not in page
