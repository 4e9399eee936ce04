"""``simulate --expect``: a team's own access tests, which pass, and fail when access changes."""

import json
import re
import shutil
from pathlib import Path

import pytest
from cli_run import run

from pipeline.lake import open_lake
from pipeline.simulate import checked_lines

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "samples" / "access-tests.jsonl"
ROLE = "arn:aws:iam::111122223333:role/r"
ALLOWS = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*", "Sid": "Everything"}
DENIES = {"Effect": "Deny", "Action": "sagemaker:DeleteModel", "Resource": "*", "Sid": "Keep"}


def line(expect=None, action="sagemaker:ListModels", policies=(ALLOWS,), **members):
    documents = [{"Version": "2012-10-17", "Statement": [*policies]}]
    asked = {"principal": ROLE, "action": action, "resource": "*", "identity_policies": documents}
    return {**asked, **({} if expect is None else {"expect": expect}), **members}


def text(*lines):
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)


@pytest.fixture
def expecting(monkeypatch, tmp_path):
    monkeypatch.setenv("POLICYLAKE_LAKE", str(tmp_path / "none"))
    return lambda *lines: run(monkeypatch, "simulate", "--expect", stdin=text(*lines))


def test_the_access_tests_of_the_sample_pass(monkeypatch, sample_lake):
    done = run(monkeypatch, "simulate", "--expect", "--requests", str(TESTS), "--lake", str(sample_lake))
    count = len(TESTS.read_text().splitlines())
    assert (done.code, done.err) == (0, f"{count} decisions: {count} as expected\n")
    assert count > 10
    assert all(json.loads(answer)["as_expected"] for answer in done.text.splitlines())


def test_a_widened_policy_fails_the_access_tests_of_the_sample(monkeypatch, tmp_path):
    shutil.copytree(ROOT / "samples" / "organization", tmp_path / "organization")
    export = tmp_path / "organization" / "accounts" / "333344445555.json"
    before = export.read_text()
    pages = json.loads(before)
    (ivo,) = [u for page in pages for u in page.get("UserDetailList", ()) if u["UserName"] == "ivo"]
    wider = {"Version": "2012-10-17", "Statement": [{**ALLOWS, "Action": "sagemaker:Create*"}]}
    ivo.setdefault("UserPolicyList", []).append({"PolicyName": "wider", "PolicyDocument": wider})
    export.write_text(json.dumps(pages))
    lake = str(tmp_path / "lake")
    assert run(monkeypatch, "build", str(tmp_path / "organization"), "--lake", lake).code == 3
    done = run(monkeypatch, "simulate", "--expect", "--requests", str(TESTS), "--lake", lake)
    assert done.code == 1
    lines = done.err.splitlines()
    assert lines[0].endswith(
        "(readers-create-nothing): arn:aws:iam::333344445555:user/ivo sagemaker:CreateModel "
        "arn:aws:sagemaker:us-east-1:333344445555:model/m1"
    )
    assert lines[1:3] == ["  - expected denied", "  + got      allowed"]
    assert "    Allow of identity: wider, statement 0 'Everything'" in lines
    assert lines[-1].endswith(" decisions: 15 as expected, 1 different")
    failed = [json.loads(answer)["id"] for answer in done.text.splitlines() if not json.loads(answer)["as_expected"]]
    assert failed == ["readers-create-nothing"]


@pytest.mark.parametrize(
    ("expect", "action", "policies", "is_met"),
    [
        ("allowed", "sagemaker:ListModels", [ALLOWS], True),
        ("denied", "sagemaker:ListModels", [ALLOWS], False),
        ("implicitDeny", "s3:ListAllMyBuckets", [ALLOWS], True),
        ("explicitDeny", "s3:ListAllMyBuckets", [ALLOWS], False),
        ("denied", "s3:ListAllMyBuckets", [ALLOWS], True),
        ("denied", "sagemaker:DeleteModel", [ALLOWS, DENIES], True),
        ("implicitDeny", "sagemaker:DeleteModel", [ALLOWS, DENIES], False),
        ({"decision": "denied", "blocked_by": ["identity"]}, "sagemaker:DeleteModel", [DENIES], True),
        ({"decision": "denied", "blocked_by": ["scp"]}, "sagemaker:DeleteModel", [DENIES], False),
        ({"blocked_by": []}, "sagemaker:ListModels", [ALLOWS], True),
        ({"blocked_by": []}, "sagemaker:DeleteModel", [DENIES], False),
        ({"sids": ["Keep"]}, "sagemaker:DeleteModel", [ALLOWS, DENIES], True),
        ({"sids": ["Keep", "Other"]}, "sagemaker:DeleteModel", [ALLOWS, DENIES], False),
    ],
)
def test_a_decision_is_held_to_every_member_of_the_expectation(expect, action, policies, is_met, expecting):
    resource = "arn:aws:sagemaker:us-east-1:111122223333:model/m" if action == "sagemaker:DeleteModel" else "*"
    done = expecting(line(expect, action, policies, resource=resource))
    assert (done.code, json.loads(done.text)["as_expected"]) == (0 if is_met else 1, is_met), done.err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (line(), "line 2: expect is missing; write one of allowed, explicitDeny, implicitDeny, denied, or an object"),
        (line(expected="allowed"), "expect is missing; expected is no member of a line; write one of"),
        (line("Allowed"), 'expect is "Allowed"; write one of allowed,'),
        (line(7), "expect is a number; write one of"),
        (line({}), "expect is empty; write one of"),
        (line({"decison": "allowed"}), 'expect has no member "decison"; write one of'),
        (line({"decision": ["allowed"]}), "expect/decision is a list; write one of"),
        (line({"blocked_by": "scp"}), "expect/blocked_by is no list of texts; write one"),
        (line({"blocked_by": ["SCP"]}), 'expect/blocked_by holds "SCP"; the layers are identity, boundary,'),
        (line({"sids": [1]}), "expect/sids is no list of texts; write one"),
        ("{", "no JSON"),
        (line("denied", principal="nobody"), "line 2: principal is"),
    ],
)
def test_a_line_without_a_usable_expectation_is_an_error_line_that_says_what_to_do(given, message, expecting):
    done = expecting(line("allowed"), given)
    answers = [json.loads(answer) for answer in done.text.splitlines()]
    assert [(answer["decision"], answer["as_expected"]) for answer in answers] == [("allowed", True), ("error", False)]
    assert message in answers[1]["detail"]
    assert f"  error: {answers[1]['detail']}" in done.err.splitlines()
    assert (done.code, done.err.splitlines()[-1]) == (1, "2 decisions: 1 as expected, 1 in error")


MODEL = "arn:aws:sagemaker:us-east-1:111122223333:model/m"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"action": "sagemaker:ListModel"},
         "action sagemaker:ListModel: the service reference does not know this action; did you mean sagemaker:ListM"),
        ({"action": "sage:Make"}, "does not know this action; a name that AWS has added lately comes with: policylake"),
        ({"context": {"aws:SourceVpcE": "vpce-1", "aws:SourceVcp": "vpc-1"}},
         "context aws:SourceVcp: the service reference does not know this condition key; did you mean aws:SourceVpc?"),
        ({"context": {"aws:RequestTags/x": "y"}}, "did you mean aws:RequestTag/x?"),
        ({"context": {"aws:RequestTag/": "y"}}, "context aws:RequestTag/: the service reference does not know"),
    ],
)  # fmt: skip
def test_a_line_of_a_name_that_nobody_knows_tests_nothing_and_is_an_error(members, message, expecting, monkeypatch):
    given = line("allowed", **members)
    done = expecting(given)
    answer = json.loads(done.text)
    assert (done.code, answer["decision"], answer["as_expected"]) == (1, "error", False)
    assert message in answer["detail"]
    plain = json.loads(run(monkeypatch, "simulate", stdin=text(given)).text)
    assert (plain["decision"] != "error", message in plain["detail"]) == (True, True), plain


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"aws:SourceIp": "office"},
         "context aws:SourceIp: 'office' is no value of the type IPAddress; write one address, no network"),
        ({"aws:SourceIp": "999.1.1.1"}, "'999.1.1.1' is no value of the type IPAddress"),
        ({"aws:SourceIp": "192.0.2.0/24"}, "write one address, no network"),
        ({"aws:MultiFactorAuthPresent": "yes"}, "'yes' is no value of the type Bool; write true or false"),
        ({"aws:MultiFactorAuthAge": "ten"}, "'ten' is no value of the type Numeric; write a number"),
        ({"aws:CurrentTime": "soon"}, "'soon' is no value of the type Date; write a date such as"),
        ({"aws:SourceVpcArn": "vpc-1"}, "'vpc-1' is no value of the type ARN; write a whole ARN"),
        ({"sagemaker:VolumeKmsKey": "arn:aws:kms"}, "'arn:aws:kms' is no value of the type ARN"),
        ({"aws:SourceVpc": ["vpc-1", "vpc-2"]}, "context aws:SourceVpc: the key has one value, not 2"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("own", [{}, {"identity_policies": []}], ids=["lake", "own policies"])
def test_a_value_that_its_key_cannot_have_is_an_error_however_it_is_asked(
    context, message, own, expecting, monkeypatch
):
    given = line("allowed", context=context, **own)
    tested = json.loads(expecting(given).text)
    plain = json.loads(run(monkeypatch, "simulate", stdin=text(given)).text)
    assert (tested["decision"], plain["decision"]) == ("error", "error")
    assert message in tested["detail"]
    assert message in plain["detail"]


@pytest.mark.parametrize(
    ("members", "warning"),
    [
        ({"context": {"aws:ResourceTag/team": "x"}},
         "context aws:ResourceTag/team: AWS sends no such key with sagemaker:ListModels; leave it out"),
        ({"context": {"sagemaker:InstanceTypes": ["ml.t3.medium"]}}, "AWS sends no such key with sagemaker:ListModels"),
        ({"context": {"s3:prefix": "x"}}, "context s3:prefix: AWS sends no such key with sagemaker:ListModels"),
        ({"action": "sagemaker:CreateNotebookInstance", "resource": MODEL.replace("model/", "notebook-instance/"),
          "context": {"sagemaker:VolumeKmsKey": "bucket"}},
         "context sagemaker:VolumeKmsKey: 'bucket' is no value of the type ARN"),
        ({"context": {"myown:Key": "x"}},
         "context myown:Key: the service reference does not know this condition key, but a policy names it"),
        ({"action": "sagemaker:MakeTea"},
         "action sagemaker:MakeTea: the service reference does not know this action, but a policy names it"),
        ({"action": "sagemaker:CreateModel", "resource": MODEL.replace("model", "endpoint")},
         "is of no resource type of sagemaker:CreateModel: no such request is made"),
    ],
)  # fmt: skip
def test_what_aws_would_not_send_is_a_warning_beside_the_answer(members, warning, expecting):
    named = {**ALLOWS, "Action": "sagemaker:MakeTea", "Condition": {"StringEquals": {"myown:Key": "x"}}}
    done = expecting(line("allowed", policies=[ALLOWS, named], **{"action": "sagemaker:ListModels", **members}))
    answer = json.loads(done.text)
    assert (done.code, answer["as_expected"], len(answer["warnings"])) == (0, True, 1), answer
    assert warning in answer["warnings"][0]
    assert done.err.splitlines()[1:] == [f"  warning: {answer['warnings'][0]}", "1 decision: 1 as expected"]


@pytest.mark.parametrize(
    "context",
    [
        {"aws:RequestTag/any thing/at all": "x", "aws:TagKeys": ["any thing/at all", "b"]},
        {"AWS:SOURCEIP": "2001:db8::1"},
        {"token.actions.githubusercontent.com:sub": "repo:x", "idp.example.com/adfs:sub": "x", "saml:sub": "x"},
        {"aws:CurrentTime": "2026-11-25T00:00:00Z", "aws:MultiFactorAuthPresent": "TRUE", "aws:PrincipalTag/x": ""},
        {"aws:MultiFactorAuthAge": "10", "sagemaker:VpcSubnets": ["subnet-1", "subnet-2"], "aws:CalledVia": []},
    ],
)
def test_what_can_be_sent_has_no_remark(context, expecting):
    done = expecting(line("allowed", "sagemaker:CreateModel", resource=MODEL, context=context))
    assert (done.code, json.loads(done.text)["warnings"], done.err) == (0, [], "1 decision: 1 as expected\n")


def test_no_witness_of_the_sample_has_a_remark_but_on_actions_that_nobody_but_policies_know(monkeypatch, sample_lake):
    sql = "select min(witness) as witness from access group by action, json_extract_string(witness, '$.context')"
    rows = open_lake(sample_lake).query(sql)["witness"].to_pylist()
    assert len(rows) > 1000
    given = text(*({**json.loads(row), "expect": "allowed"} for row in rows))
    done = run(monkeypatch, "simulate", "--expect", "--lake", str(sample_lake), stdin=given)
    assert (done.code, done.err.splitlines()[-1]) == (0, f"{len(rows):,} decisions: {len(rows):,} as expected")
    warnings = [warning for answer in done.text.splitlines() for warning in json.loads(answer)["warnings"]]
    assert all(re.fullmatch("action .* does not know this action, but a policy names it", w) for w in warnings)


def test_without_the_option_expectations_are_ignored(monkeypatch, tmp_path):
    given = text(line("denied"), line("nonsense"))
    done = run(monkeypatch, "simulate", "--lake", str(tmp_path / "none"), stdin=given)
    assert (done.code, done.err) == (0, "")
    assert ["as_expected" in json.loads(answer) for answer in done.text.splitlines()] == [False, False]


def test_lines_are_numbered_as_they_stand_in_the_file(expecting):
    done = expecting("", line("allowed", id=3), "   ", line("denied", id="b"))
    assert [part.split(":")[0] for part in done.err.splitlines() if part.startswith("line")] == ["line 4 (b)"]


def test_lines_read_ahead_keep_their_own_answers():
    def in_blocks(lines):
        held = [one for one in lines if one.strip()]
        yield from (json.dumps({**json.loads(one)["answer"], "statements": [], "blocked_by": []}) for one in held)

    given = [{"expect": "allowed", "answer": {"id": n, "decision": "allowed" if n % 2 else "denied"}} for n in range(6)]
    found = [checked.verdict for checked in checked_lines(map(json.dumps, given), in_blocks)]
    assert found == ["differs", "holds"] * 3


def test_no_line_at_all_is_an_error_because_nothing_was_tested(expecting):
    done = expecting("", " ")
    assert (done.code, done.err) == (
        2,
        "policylake: --requests -: no line, so nothing was tested; give one JSON object a line\n",
    )


@pytest.mark.parametrize("given", ["missing.jsonl", "lake"])
def test_requests_or_a_lake_that_cannot_be_read_exit_with_2(given, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    requests = "missing.jsonl" if given == "missing.jsonl" else str(TESTS)
    done = run(monkeypatch, "simulate", "--expect", "--requests", requests, "--lake", "lake")
    assert (done.code, f"{given}: " in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("encoding", "code"), [("utf-8", 0), ("utf-8-sig", 0), ("utf-16", 0), ("latin-1", 2), ("utf-16-le", 2)]
)
def test_requests_in_an_encoding_that_is_not_known_exit_with_2(encoding, code, monkeypatch, tmp_path):
    deny = {**ALLOWS, "Effect": "Deny", "Condition": {"StringEquals": {"aws:PrincipalTag/drink": "caf\u00e9"}}}
    members = {"context": {"aws:PrincipalTag/drink": "caf\u00e9"}}
    given = line("explicitDeny", policies=[ALLOWS, deny], **members)
    file = tmp_path / "requests.jsonl"
    file.write_bytes(json.dumps(given, ensure_ascii=False).encode(encoding))
    done = run(monkeypatch, "simulate", "--expect", "--requests", str(file))
    assert (done.code, "neither UTF-8 nor UTF-16" in done.err or "no JSON" in done.err) == (code, code == 2), done.err


def test_names_in_a_difference_cannot_write_to_the_terminal(expecting):
    done = expecting(line("denied", id="\x1b[31m"))
    assert "\x1b" not in done.err
    assert "line 1 (\\x1b[31m): " in done.err


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("aws:PrincipalArn", ROLE + "-of-others", f"but it is {ROLE} for {ROLE}"),
        ("aws:username", "bob", "but it is not there for"),
        ("aws:PrincipalAccount", "999999999999", "but it is"),
    ],
)
def test_a_line_with_policies_of_its_own_does_not_contradict_its_principal(key, value, reason, expecting):
    done = expecting(line("allowed", context={key: value}))
    assert done.code == 1
    answer = json.loads(done.text)
    assert answer["decision"] == "error"
    assert f"context {key} is {value}, {reason}" in answer["detail"]
