"""The sample organization's expectations, worked out by hand: the matrix, who can, and single requests."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.lake import open_lake
from pipeline.reference import PACKAGED, load
from pipeline.simulate import simulate_lines

EXPECTED = json.loads((Path(__file__).resolve().parents[1] / "samples" / "expected.json").read_text())
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(sample_lake):
    return open_lake(sample_lake)


@pytest.fixture(scope="module")
def matrix(lake):
    rows = lake.query("select principal_arn, action, verdict from access_matrix").to_pylist()
    return {(row["principal_arn"], row["action"]): row["verdict"] for row in rows}


@pytest.fixture(scope="module")
def granted(lake):
    rows = lake.query("select distinct principal_arn, action, verdict from access").to_pylist()
    return {(row["principal_arn"], row["action"]) for row in rows}


@pytest.fixture(scope="module")
def decisions(lake):
    """The decision of every request of the expectations, by its number."""
    requests = [(entry, request) for entry in EXPECTED for request in entry.get("requests", ())]
    lines = [
        json.dumps(
            {"id": number, "principal": entry["principal"], "action": entry["action"]}
            | {"resource": request["resource"], "context": request.get("context", {})}
        )
        for number, (entry, request) in enumerate(requests)
    ]
    answers = [json.loads(line) for line in simulate_lines(lines, lake, load(PACKAGED), now=NOW)]
    return requests, answers


def test_the_expectations_name_each_pair_once_and_principals_of_the_sample(lake):
    pairs = [(entry["principal"], entry["action"]) for entry in EXPECTED]
    assert len(set(pairs)) == len(pairs) > 150
    known = set(lake.query("select principal_arn from principals")["principal_arn"].to_pylist())
    assert {principal for principal, _ in pairs} <= known


def test_the_matrix_has_the_verdicts_that_were_worked_out(matrix):
    wrong = []
    for entry in EXPECTED:
        found = matrix.get((entry["principal"], entry["action"]), "none")
        if found != entry.get("matrix", found):
            wrong.append((entry["principal"], entry["action"], f"{found}, not {entry['matrix']}", entry["note"]))
    assert wrong == []


def test_access_has_rows_where_something_is_possible_and_only_there(granted):
    wrong = [
        (entry["principal"], entry["action"], entry["matrix"])
        for entry in EXPECTED
        if entry.get("matrix") in ("allowed", "conditional") and (entry["principal"], entry["action"]) not in granted
    ]
    assert wrong == []


def test_requests_are_decided_as_worked_out(decisions):
    requests, answers = decisions
    assert len(answers) == len(requests) > 200
    wrong = [
        (entry["principal"], entry["action"], request, answer["decision"], answer["detail"])
        for (entry, request), answer in zip(requests, answers, strict=True)
        if answer["decision"] != request["decision"]
    ]
    assert wrong == []


def test_a_request_that_is_allowed_has_a_row_of_access(decisions, granted, lake):
    """Not of the matrix: one line judges one resource, and another required one may be refused."""
    requests, answers = decisions
    evaluated = set(lake.query("select action from evaluated_actions")["action"].to_pylist())
    allowed = {
        (entry["principal"], entry["action"])
        for (entry, _), answer in zip(requests, answers, strict=True)
        if answer["decision"] == "allowed" and entry["action"] in evaluated
    }
    assert len(allowed) > 50
    assert allowed <= granted


def test_the_one_malformed_file_is_the_only_error(lake):
    rows = lake.query("select source, line, \"column\" as place from rejects where severity = 'error'").to_pylist()
    assert [(Path(row["source"]).name, row["line"], row["place"]) for row in rows] == [("07-source-vpc.json", 9, 29)]
