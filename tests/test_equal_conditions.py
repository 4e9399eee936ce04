"""Conditions that mean the same have one id, however policies write them; others have two."""

import json
from pathlib import Path
from typing import Any

import pytest
from ingest_inputs import arn, export, inline, role, write

from pipeline.build import build_lake
from pipeline.lake import Lake, open_lake

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "cases" / "evaluation" / "equal.json").read_text(encoding="utf-8")
)
SIDES = ("one", "other")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with two roles for each case: one a way to write a condition."""
    folder = tmp_path_factory.mktemp("equal")
    roles = []
    for kind, cases in CASES.items():
        for number, case in enumerate(cases):
            for side in SIDES:
                document = {"Version": "2012-10-17", "Statement": case[side]}
                roles.append(role(f"{kind}-{number}-{side}", RolePolicyList=[inline("p", document)]))
    write(folder, "export.json", export(roles=roles))
    build_lake([folder], folder / "lake")
    return open_lake(folder / "lake")


def conditions(kind: str, number: int, lake: Lake) -> list[tuple[str, str]]:
    """Return id and words of the condition of each of the two roles."""
    sql = "select condition_id, condition from access where principal_arn = $principal"
    found = [lake.query(sql, {"principal": arn(f"role/{kind}-{number}-{side}")}).to_pylist() for side in SIDES]
    return [(row["condition_id"], row["condition"]) for (row,) in found]


@pytest.mark.parametrize("number", range(len(CASES["equal"])), ids=[case["name"] for case in CASES["equal"]])
def test_what_means_the_same_has_one_id(number: int, lake: Lake) -> None:
    one, other = conditions("equal", number, lake)
    assert one[0] is not None
    assert one == other


@pytest.mark.parametrize("number", range(len(CASES["unequal"])), ids=[case["name"] for case in CASES["unequal"]])
def test_what_differs_has_two_ids_and_two_sentences(number: int, lake: Lake) -> None:
    one, other = conditions("unequal", number, lake)
    assert one[0] != other[0]
    assert one[1] != other[1]
