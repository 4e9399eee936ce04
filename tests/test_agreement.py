"""The lake's answers hold against the concrete evaluator, request by request."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import witnesses
from agreement import Answers, Requests
from random_callers import CallerRequests, FactWriter, write_callers
from random_crossings import SERVICES, CrossingRequests, write_crossings
from random_organization import write_organization
from shared import SHARED

from pipeline import reference
from pipeline.build import build_lake
from pipeline.lake import open_lake
from pipeline.simulate import simulate_lines

SAMPLE = Path(__file__).parents[1] / "samples" / "organization"
REQUESTS = 1500
#: Endpoint policies are no part of the verdicts (docs/evaluation-rules.md): no request goes through one that has any.
WITH_POLICY = "vpce-111bbccc"


def contradictions(
    folder: Path, lake_folder: Path, seed: int, make: type[Requests] = Requests, services: Sequence[str] = ()
) -> list[str]:
    build_lake([folder], lake_folder, services=services)
    lake, known = open_lake(lake_folder), reference.load()
    requests, answers = make(lake, known, seed), Answers(lake, known)
    asked = [request for request in (requests.next() for _ in range(REQUESTS)) if WITH_POLICY not in str(request.line)]
    decided = [
        json.loads(text)
        for text in simulate_lines([json.dumps(request.line) for request in asked], lake, known, ahead=500)
    ]
    assert {"allowed", "implicitDeny", "explicitDeny"} <= {decision["decision"] for decision in decided}
    found = [
        (answers.contradiction(request, d["decision"]), request, d) for request, d in zip(asked, decided, strict=True)
    ]
    told = [f"{words}: {json.dumps(request.line)} {d['detail']}" for words, request, d in found if words]
    return told + witnesses.failures(lake, known)


def test_no_answer_about_the_sample_contradicts_the_concrete_evaluator(tmp_path: Path) -> None:
    assert contradictions(SAMPLE, tmp_path, seed=1) == []


@pytest.mark.skipif(SHARED is None, reason="the shared cases are not beside this checkout")
def test_no_answer_about_the_shared_organization_contradicts_the_concrete_evaluator(tmp_path: Path) -> None:
    assert SHARED
    assert contradictions(SHARED / "cases" / "organization", tmp_path, seed=2) == []


def test_no_answer_about_a_generated_organization_contradicts_the_concrete_evaluator(tmp_path: Path) -> None:
    from bench.generate import generate

    generate(tmp_path / "inputs", accounts=4, principals=40, seed=5)
    assert contradictions(tmp_path / "inputs", tmp_path / "lake", seed=3) == []


@pytest.mark.parametrize("seed", [17, 21, 24, 33])
def test_no_answer_about_hostile_policies_contradicts_the_concrete_evaluator(tmp_path: Path, seed: int) -> None:
    write_organization(tmp_path / "inputs", seed)
    assert contradictions(tmp_path / "inputs", tmp_path / "lake", seed) == []


@pytest.mark.parametrize("seed", [4, 6, 7])
def test_no_answer_between_accounts_contradicts_the_concrete_evaluator(tmp_path: Path, seed: int) -> None:
    write_crossings(tmp_path / "inputs", seed)
    assert contradictions(tmp_path / "inputs", tmp_path / "lake", seed, CrossingRequests, SERVICES) == []


@pytest.mark.parametrize("seed", [5, 8])
def test_no_answer_about_who_calls_contradicts_the_concrete_evaluator(tmp_path: Path, seed: int) -> None:
    write_callers(tmp_path / "inputs", seed)
    assert contradictions(tmp_path / "inputs", tmp_path / "lake", seed, CallerRequests) == []


def test_no_answer_about_facts_and_variables_contradicts_the_concrete_evaluator(tmp_path: Path) -> None:
    write_callers(tmp_path / "inputs", 3, FactWriter)
    assert contradictions(tmp_path / "inputs", tmp_path / "lake", 3, CallerRequests) == []
