"""Simulate: lines in, decisions out; what is wrong with a line is said, and the others go on."""

import json
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from asking import KNOWN, allowed_if, answers, ask
from flat_lake import flat_lake
from ingest_inputs import arn, document
from shared import SHARED

from pipeline.lake import open_lake
from pipeline.simulate import simulate_lines

Json = Any
SAMPLES = Path(__file__).resolve().parents[1] / "samples"
NEEDS_SHARED = pytest.mark.skipif(SHARED is None, reason="the shared cases are not on this machine")


def decisions(expected: dict[str, str], found: list[Json]) -> dict[str, str]:
    return {answer["id"]: answer["decision"] for answer in found if expected[answer["id"]] != answer["decision"]}


@NEEDS_SHARED
def test_every_shared_line_is_decided_as_two_other_evaluators_agreed() -> None:
    assert SHARED is not None
    given = [json.loads(line) for line in (SHARED / "cases" / "simulate.jsonl").open(encoding="utf-8")]
    expected = {line["id"]: line["expected"] for line in given}
    assert len(expected) == 600
    assert decisions(expected, answers(given)) == {}


@NEEDS_SHARED
def test_every_shared_request_to_the_organization_is_decided_as_agreed() -> None:
    assert SHARED is not None
    lake = flat_lake(SHARED / "cases" / "organization", KNOWN)
    given = [json.loads(line) for line in (SHARED / "cases" / "organization-requests.jsonl").open(encoding="utf-8")]
    expected = {line["id"]: line["expected"] for line in given}
    assert len(expected) == 300
    assert decisions(expected, answers(given, lake)) == {}


def test_every_request_of_the_sample_is_decided_as_its_readme_says(sample_lake: Path) -> None:
    rows = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))
    requests = [
        {
            **request,
            "id": f"{row['principal']} {row['action']} {number}",
            "principal": row["principal"],
            "action": row["action"],
        }
        for row in rows
        for number, request in enumerate(row.get("requests", ()))
    ]
    assert len(requests) > 200
    named = [{**request, "id": f"{number} {request['id']}"} for number, request in enumerate(requests)]
    assert (
        decisions({request["id"]: request["decision"] for request in named}, answers(named, open_lake(sample_lake)))
        == {}
    )


@pytest.mark.parametrize(
    ("now", "decision"),
    [(datetime(2026, 6, 1, tzinfo=UTC), "allowed"), (datetime(2027, 6, 1, tzinfo=UTC), "implicitDeny")],
)
def test_the_time_of_a_request_that_names_none_is_given(now: datetime, decision: str) -> None:
    line = ask(identity_policies=[allowed_if("DateLessThan", "aws:CurrentTime", "2027-01-01")])
    epoch = ask(identity_policies=[allowed_if("NumericLessThan", "aws:EpochTime", "1798761600")])
    assert [answer["decision"] for answer in answers([line, epoch], now=now)] == [decision, decision]


ALL = [document("*")]
DOUBLE = (
    '{"Statement": {"Condition": {"Bool": {"aws:SecureTransport": "true"}, "Bool": {"aws:ViaAWSService": "true"}}}}'
)


def twice(member: str) -> str:
    """Return a line with a member that is written out, for names that stand twice."""
    return f"{json.dumps(ask())[:-1]}, {member}}}"


WRONG = (
    ("no JSON", "{", "column 2: no JSON"),
    ("no object", "[1]", "the line is a list; give a JSON object"),
    ("nested too deeply", "[" * 100_000, "nested too deeply"),
    ("a number too long", '{"id": ' + "9" * 5000 + "}", "no JSON"),
    ("no principal", {"action": "s3:GetObject", "resource": "*"}, "principal is missing"),
    ("principal of a wrong type", ask(principal=["x"]), "principal is a list"),
    ("principal that is no ARN", ask(principal="ana"), 'principal is "ana"; write the ARN'),
    ("a group", ask(principal=arn("group/DevTeam1"), identity_policies=ALL), "is a group, which makes no requests"),
    (
        "an ARN that makes no requests",
        ask(principal=arn("instance-profile/x"), identity_policies=ALL),
        "write the ARN of a user",
    ),
    ("action with a wildcard", ask(action="sagemaker:*"), "without wildcards"),
    ("resource that is no ARN", ask(resource="vision-01"), 'resource is "vision-01"; write one ARN'),
    ("resource account", ask(resource_account="1"), "twelve digits"),
    ("id of a wrong type", ask(id=[1]), "id is a list"),
    ("context of a wrong type", ask(context=[]), "context is a list"),
    (
        "a context value that is no number",
        twice('"context": {"aws:EpochTime": NaN}'),
        "NaN is no JSON number",
    ),
    ("context value null", ask(context={"aws:SourceIp": None}), "context aws:SourceIp is or holds null"),
    ("context list with null", ask(context={"aws:TagKeys": ["a", None]}), "context aws:TagKeys is or holds null"),
    ("context object", ask(context={"aws:TagKeys": {"a": "b"}}), "context aws:TagKeys is or holds an object"),
    ("key twice", ask(context={"aws:SourceIp": "1.2.3.4", "AWS:sourceip": "1.2.3.4"}), "given twice"),
    ("misspelt member", ask(identity_policy=ALL), "did you mean identity_policies?"),
    ("no lake", ask(), "there is no lake"),
    ("policies of a wrong type", ask(identity_policies={}), "identity_policies is an object; write a list"),
    ("levels of a wrong type", ask(scps={}), "scps is an object; write a list of levels"),
    ("a level of a wrong type", ask(scps=[{}]), "scps/0 is an object; write a list"),
    (
        "a malformed policy",
        ask(identity_policies=[document("*", Effect="allow")]),
        'identity_policies/0/Statement/0/Effect: Effect is "allow"; write',
    ),
    ("a malformed boundary", ask(permissions_boundary="x"), "permissions_boundary is a text but no JSON"),
    (
        "a member twice",
        '{"principal": "*", "principal": "anonymous"}',
        "1: principal stands twice in one object; keep one",
    ),
    (
        "a context key twice",
        twice('"context": {"aws:SourceIp": "1.2.3.4", "aws:SourceIp": "5.6.7.8"}'),
        "context/aws:SourceIp stands twice",
    ),
    (
        "an operator twice",
        twice(f'"identity_policies": [{DOUBLE}]'),
        "identity_policies/0/Statement/Condition/Bool stands twice",
    ),
    (
        "an effect twice",
        twice('"scps": [[{"Statement": [{"Effect": "Deny", "Effect": "Allow"}]}]]'),
        "scps/0/0/Statement/0/Effect stands twice",
    ),
    (
        "a name twice in a policy that is a text",
        twice(f'"permissions_boundary": {json.dumps(DOUBLE)}'),
        "permissions_boundary/Statement/Condition/Bool stands twice",
    ),
    ("a malformed SCP", ask(scps=[[{}]]), "scps/0/0: the policy has no Statement"),
)


@pytest.mark.parametrize(("line", "words"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_a_bad_line_says_what_is_wrong_and_the_others_go_on(line: Json, words: str) -> None:
    good = ask(identity_policies=ALL)
    wrong, right = answers([line, good])
    assert wrong["decision"] == "error"
    assert wrong["detail"].startswith("line 1: ")
    assert words in wrong["detail"]
    assert right["decision"] == "allowed"


def test_a_condition_value_that_nobody_can_read_makes_an_answer_doubtful() -> None:
    denied = document("*", Effect="Deny", Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/33"}})
    line = ask(identity_policies=[document("*")], scps=[[document("*"), denied]])
    (answer,) = answers([line], is_strict=True)
    assert answer["decision"] == "explicitDeny"
    assert answer["warnings"] == [
        'scps/0/1: "10.0.0.0/33" under NotIpAddress is no address or network, so no request has this value:'
        " the answer may be wrong"
    ]


@pytest.mark.parametrize("number", ["1.10", "1e3", "0.1000", "-0", "123456789012345678901234567890.5", "10"])
def test_numbers_of_a_line_are_the_texts_that_stand_there(number: str) -> None:
    deny = document("*", Effect="Deny", Condition={"StringEquals": {"aws:PrincipalTag/release": "NUMBER"}})
    line = ask(identity_policies=[document("*"), deny], context={"aws:PrincipalTag/release": number})
    as_number = json.dumps(line).replace('"NUMBER"', number)
    within = json.dumps({**line, "identity_policies": [document("*"), json.dumps(deny).replace('"NUMBER"', number)]})
    in_context = json.dumps(line).replace(f'"{number}"', number).replace("NUMBER", number)
    found = answers([as_number, within, in_context])
    assert [answer["decision"] for answer in found] == ["explicitDeny"] * 3


def test_ids_come_back_and_a_second_use_is_an_error() -> None:
    lines = [ask(id=name, identity_policies=ALL) for name in ("a", 7, "a")]
    found = answers(lines)
    assert [(answer["id"], answer["decision"]) for answer in found] == [
        ("a", "allowed"),
        (7, "allowed"),
        ("a", "error"),
    ]
    assert "id 'a' is that of line 1 too" in found[2]["detail"]


def test_blank_lines_are_passed_over_and_output_is_plain_ascii() -> None:
    line = json.dumps(ask(id="\u202e\x1b\ud800", identity_policies=ALL))
    (text,) = simulate_lines(["", " \n", line], None, KNOWN)
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["decision"] == "allowed"


def test_a_name_given_twice_is_found_at_once_in_an_object_of_many() -> None:
    names = ", ".join(f'"aws:PrincipalTag/{number}": "a"' for number in range(60_000))
    started = process_time()
    (answer,) = answers([f'{{"context": {{{names}, "aws:PrincipalTag/59999": "b"}}}}'])
    assert answer["detail"] == "line 1: context/aws:PrincipalTag/59999 stands twice in one object; keep one of them"
    assert process_time() - started < 5
