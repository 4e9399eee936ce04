"""The nine policies of AWS's guide page mean what was worked out by hand: scope, condition, and its formula.

Examples 06 and 07 do not parse as printed: their repaired copies stand for them, and 06 as it was meant besides.
"""

import json
from pathlib import Path

import pytest

from pipeline.build import build_lake
from pipeline.lake import Lake, open_lake

ROOT = Path(__file__).parents[1]
CASES = json.loads((ROOT / "tests" / "cases" / "evaluation" / "guide-policies.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("guide") / "lake"
    build_lake([ROOT / "samples" / "organization" / "policies"], folder, services=("iam",))
    return open_lake(folder)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['policy']} {case['action']} {case['resource_type']}")
def test_a_policy_of_the_guide_means_what_was_worked_out(case: dict, lake: Lake) -> None:
    asked = {"principal": f"policy/{case['policy']}", "action": case["action"]}
    where = "principal_arn = $principal and action = $action"
    matrix = lake.query(f"select verdict from access_matrix where {where}", asked).to_pylist()
    assert [row["verdict"] for row in matrix] == [case["matrix"]] * (case["matrix"] != "none")
    rows = lake.query(
        "select resource_pattern, access.condition, formula "
        "from access left join residual_conditions using (condition_id) "
        f"where {where} and resource_type = $kind",
        {**asked, "kind": case["resource_type"]},
    ).to_pylist()
    found = [(row["resource_pattern"], row["condition"], json.loads(row["formula"] or "null")) for row in rows]
    assert found == ([(case["pattern"], case["condition"], case["formula"])] if case["pattern"] else [])
