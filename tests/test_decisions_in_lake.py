"""The answers that were worked out by hand, asked of a lake: ``access`` and ``simulate`` must give them too."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from agreement import Answers
from decisions_in_lake import Moved, asked, moved, write_lake_inputs
from test_decide import every_case

from pipeline import reference
from pipeline.build import build_lake
from pipeline.lake import open_lake
from pipeline.simulate import simulate_lines

SERVICES = ("sts", "kms", "s3")
#: What a lake puts together otherwise than a line has it: the rest is decided by the same means in both.
PUT_TOGETHER = {"permissions_boundary", "scps", "rcps", "resource_policy"}
#: Cases on which a lake says otherwise, and why.
OTHERWISE = {
    "controls-003": "a level without any SCP limits nothing: the export lacks it (choice 19)",
    "elements-078": "rows show what policies grant, not what nobody can deny",
    "worked-114": "a row's * means what the partition holds, which a glob does not tell",
    "variables-005": "no resource has such a name",
}
#: Rows of open scopes mean the account's own buckets, which a bucket's ARN does not tell (choice 26).
OF_FOREIGN_BUCKETS = ("controls-036", "two-accounts-020")


@pytest.fixture(scope="module")
def differences(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Build lakes of all cases and return by case what they say otherwise than was worked out.

    Cases with policies of resources are in a lake of their own: each that names everyone is decided for all principals.
    """
    evaluated = ("sagemaker", *SERVICES)
    listed = [case for case in every_case() if case["action"].split(":")[0].lower() in evaluated]
    cases = list(moved(listed))
    assert len(cases) > 770
    found: dict[str, str] = {}
    for is_shared in (False, True):
        folder = tmp_path_factory.mktemp("decisions")
        (folder / "inputs").mkdir()
        some = [case for case in cases if ("resource_policy" in case.case) == is_shared]
        write_lake_inputs(folder / "inputs", some)
        build_lake([folder / "inputs"], folder / "lake", services=SERVICES)
        found |= _differences(some, folder / "lake")
    return found


def _differences(cases: list[Moved], folder: Path) -> Iterator[tuple[str, str]]:
    lake, known = open_lake(folder), reference.load()
    answers = Answers(lake, known)
    for case in cases:
        words = answers.contradiction(asked(case, known), case.expected)
        if words and case.case["id"] not in OF_FOREIGN_BUCKETS:
            yield case.case["id"], f"access: {words}"
    cases = [case for case in cases if PUT_TOGETHER & set(case.case)]
    lines = simulate_lines([json.dumps(case.line) for case in cases], lake, known, ahead=500)
    for case, text in zip(cases, lines, strict=True):
        answer = json.loads(text)
        if answer["decision"] != case.expected:
            yield case.case["id"], f"simulate: {answer['decision']}, {answer['detail']}"


def test_a_lake_gives_the_answers_that_were_worked_out(differences: dict[str, str]) -> None:
    assert {name: words for name, words in differences.items() if name not in OTHERWISE} == {}


def test_each_exception_is_one(differences: dict[str, str]) -> None:
    assert set(OTHERWISE) <= set(differences)
