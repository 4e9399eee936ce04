"""The table of the rules names what there is: functions, models, cases or tests, and mutants."""

import re
import tomllib
from functools import lru_cache
from pathlib import Path

import pytest
from test_decide import every_case

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "evaluation-rules.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## 10. Where each rule stands")[2]
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in TABLE.splitlines()
    if line.startswith("| ") and not line.startswith(("| rule", "| ---"))
]
ONE_REQUEST = ("pipeline/iam", "pipeline/simulate")
ALL_AT_ONCE = ("pipeline/evaluate", "pipeline/iam")


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@lru_cache
def source(folder: str, module: str) -> str:
    path = ROOT / folder / f"{module}.py"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def is_there(name: str, folders: tuple[str, ...]) -> bool:
    if name.endswith(".sql"):
        return bool(list((ROOT / "sql" / "models").rglob(name)))
    module, _, member = name.partition(".")
    written = re.compile(rf"^ *(?:def|class) {re.escape(member)}\b|^{re.escape(member)}\b.*=", re.M)
    return any(written.search(source(folder, module)) for folder in folders)


@lru_cache
def cases() -> frozenset[str]:
    tests = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    found = {name for text in tests for name in re.findall(r"^def (test_\w+)", text, re.M)}
    return frozenset(found | {case["id"] for case in every_case()})


@lru_cache
def mutants() -> frozenset[str]:
    listed = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
    return frozenset(mutant["rule"] for mutant in listed)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_what_there_is(row: list[str]) -> None:
    _, section, one, every, held_by, broken = row
    sections = {number for number in section.split(", ") if f"\n## {number}. " in PAGE}
    assert sections == set(section.split(", "))
    assert names(one)
    assert names(every) or every == "not of a lake"
    assert [name for name in names(one) if not is_there(name, ONE_REQUEST)] == []
    assert [name for name in names(every) if not is_there(name, ALL_AT_ONCE)] == []
    assert names(held_by)
    assert [name for name in names(held_by) if name not in cases()] == []
    assert [rule for rule in broken.split("; ") if rule not in mutants()] == []


def test_there_are_rows() -> None:
    assert len(ROWS) > 60
