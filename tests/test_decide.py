"""Decisions as data: self-contained requests whose answers were worked out from AWS's pages."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from operator_cases import FILE, lines

from pipeline import reference
from pipeline.iam.parse import OPERATORS
from pipeline.simulate import simulate_lines

CASES = Path(__file__).parent / "cases" / "decisions"
FILES = sorted(CASES.glob("*.jsonl"))


def read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def every_case() -> Iterator[dict[str, Any]]:
    return (json.loads(line) for path in FILES for line in read(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_requests_are_decided_as_the_named_pages_say(path: Path) -> None:
    given = [json.loads(line) for line in read(path)]
    found = [json.loads(line) for line in simulate_lines(read(path), None, reference.load())]
    expected = {c["id"]: (c["rule"], c["expected"], c.get("blocked_by", "any")) for c in given}
    answers = {
        c["id"]: (c["rule"], a["decision"], a["blocked_by"] if "blocked_by" in c else "any")
        for c, a in zip(given, found, strict=True)
    }
    assert answers == expected


def test_every_case_names_its_rule_and_has_an_id_of_its_own() -> None:
    cases = list(every_case())
    assert len(cases) > 800
    assert all(len(case["rule"]) > 10 for case in cases)
    assert [name for name, count in Counter(case["id"] for case in cases).items() if count > 1] == []


def test_the_operator_cases_are_those_of_the_table_and_miss_no_operator() -> None:
    assert read(FILE) == list(lines())
    used = {
        operator
        for line in read(FILE)
        for operator in json.loads(line)["identity_policies"][0]["Statement"]["Condition"]
    }
    known = {name for names in OPERATORS.values() for name in names} - {"Null"}
    assert known <= used


def test_a_decision_names_the_statements_that_applied_in_every_layer() -> None:
    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(statements)}

    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    line = {
        "principal": "arn:aws:iam::111122223333:user/ana",
        "action": "sagemaker:DescribeModel",
        "resource": "arn:aws:sagemaker:us-east-1:111122223333:model/m1",
        "identity_policies": [policy({**everything, "Action": "s3:*"}, {**everything, "Sid": "All"})],
        "permissions_boundary": policy(everything),
        "scps": [[policy(everything)], [policy({**everything, "Effect": "Deny", "Sid": "No"}), policy(everything)]],
    }
    answer = json.loads(next(simulate_lines([json.dumps(line)], None, reference.load())))
    assert answer["decision"] == "explicitDeny"
    assert answer["blocked_by"] == ["scp"]
    assert answer["statements"] == [
        {"layer": "scp", "policy": "scps/0/0", "statement": 0, "sid": None, "effect": "Allow"},
        {"layer": "scp", "policy": "scps/1/0", "statement": 0, "sid": "No", "effect": "Deny"},
        {"layer": "scp", "policy": "scps/1/1", "statement": 0, "sid": None, "effect": "Allow"},
        {"layer": "identity", "policy": "identity_policies/0", "statement": 1, "sid": "All", "effect": "Allow"},
        {"layer": "boundary", "policy": "permissions_boundary", "statement": 0, "sid": None, "effect": "Allow"},
    ]
