"""The conditions of whole lakes: no two read alike but those that mean the same, and no two mean the same."""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from shared import SHARED

from pipeline import reference
from pipeline.build import build_lake
from pipeline.evaluate import formula as formulas
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.given import formula_of
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.values import KeyDomain
from pipeline.lake import open_lake

KNOWLEDGE = Knowledge(reference.load(), {})
SOLVER = Solver(KNOWLEDGE.domain)
#: Services with many conditions, beside the SageMaker family.
SERVICES = ("ec2", "iam", "kms")


def _domain_with_empty_values(key: str) -> KeyDomain:
    return KNOWLEDGE.domain(key)._replace(can_be_empty=True)


#: Takes an empty text for a value of every key. The words do not: of keys that AWS never sends empty they say nothing
#: about it, and a condition that differs from another there only is the same to a reader.
WITH_EMPTY_VALUES = Solver(_domain_with_empty_values)

needs_shared = pytest.mark.skipif(SHARED is None, reason="the data beside the repository are not there")


@pytest.fixture(
    params=["sample", pytest.param("guide", marks=needs_shared), pytest.param("managed", marks=needs_shared)]
)
def conditions(request: pytest.FixtureRequest, tmp_path: Path) -> list[tuple[str, Formula]]:
    """The words and formula of every condition of a lake."""
    lake = tmp_path / "lake"
    if request.param == "sample":
        lake = request.getfixturevalue("sample_lake")
    elif request.param == "guide":
        build_lake([SHARED / "data" / "guide-policies"], lake, services=("iam",))
    else:
        build_lake([_managed_policies(tmp_path / "policies")], lake, services=SERVICES)
    rows = open_lake(lake).query("select condition, formula from residual_conditions order by condition_id").to_pylist()
    assert len(rows) >= {"sample": 40, "guide": 7, "managed": 700}[request.param]
    return [(row["condition"], formula_of(row["formula"])) for row in rows]


def _managed_policies(folder: Path) -> Path:
    folder.mkdir()
    lines = (SHARED / "data" / "aws-managed-policies.jsonl").read_text(encoding="utf-8").splitlines()
    for policy in map(json.loads, lines):
        (folder / f"{policy['name']}.json").write_text(json.dumps(policy["document"]))
    assert len(lines) == 1524
    return folder


def test_conditions_read_the_same_exactly_where_they_mean_the_same(conditions: list[tuple[str, Formula]]) -> None:
    by_words: dict[str, list[Formula]] = defaultdict(list)
    by_keys: dict[frozenset[str], list[tuple[str, Formula]]] = defaultdict(list)
    for words, f in conditions:
        by_words[words].append(f)
        by_keys[frozenset(test.key for test in formulas.tests(f))].append((words, f))
    pairs = [(words, *pair) for words, found in by_words.items() for pair in itertools.combinations(found, 2)]
    assert not [words for words, one, other in pairs if not _is_same_but_for_empty(one, other)]
    assert not [pair for listed in by_keys.values() for pair in _equal_pairs(listed) if pair[0] != pair[1]]


def _is_same_but_for_empty(one: Formula, other: Formula) -> bool:
    """Whether two conditions differ for a reader of words in nothing: only for an empty value of keys never empty."""
    return _means(one, other, SOLVER) and not _means(one, other, WITH_EMPTY_VALUES)


def _equal_pairs(listed: Iterable[tuple[str, Formula]]) -> Iterator[tuple[str, str]]:
    for (words, one), (others, other) in itertools.combinations(listed, 2):
        if _means(one, other, SOLVER):
            yield words, others


def _means(one: Formula, other: Formula, solver: Solver) -> bool:
    return solver.implies(one, other) and solver.implies(other, one)
