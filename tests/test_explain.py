"""``explain``: which clause decides, and what would change it, held against the concrete evaluator."""

import json
from pathlib import Path

import pytest
from cli_run import run
from ingest_inputs import ACCOUNT, arn, attached, export, group, inline, managed, role, user, write

from pipeline.cli import explain_rows
from pipeline.lake import open_lake
from pipeline.reference import load
from pipeline.simulate import decided_request

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
KNOWN = load()
#: Explained, one of so many: each takes a fifth of a second.
REQUESTS, PAIRS = 6, 60
MODEL = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/m"
ANA = arn("user/ana")


def statement(effect="Allow", action="sagemaker:*", resource="*", sid=None, **conditions):
    """A statement; of the further names those of elements are elements, the others operators of its condition."""
    written = {"Effect": effect, "Action": action, "Resource": resource, **({"Sid": sid} if sid else {})}
    written |= {name: conditions.pop(name) for name in ("Principal", "NotPrincipal") if name in conditions}
    return {**written, **({"Condition": conditions} if conditions else {})}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture(scope="module")
def opened(sample_lake):
    return open_lake(sample_lake)


@pytest.fixture
def of(monkeypatch, tmp_path):
    """Build an export, and explain to get the rows of each part."""

    def explained(content, *arguments, **files):
        write(tmp_path / "in", f"{ACCOUNT}.json", content)
        for name, value in files.items():
            write(tmp_path / "in", f"{name}.json", value)
        lake = str(tmp_path / "lake")
        assert run(monkeypatch, "build", str(tmp_path / "in"), "--lake", lake).code == 0
        return rows(run(monkeypatch, "explain", *arguments, "--lake", lake, "--format", "json"))

    return explained


def rows(done):
    assert done.code == 0, done.err
    parts = {"verdict": [], "scope": [], "statement": [], "clause": [], "change": []}
    for row in json.loads(done.text):
        parts[row["part"]].append(row)
    return parts


def clauses(parts):
    return {row["clause"]: (row["holds"], row["reason"]) for row in parts["clause"]}


def requests():
    listed = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))
    found = [(row, request) for row in listed for request in row.get("requests", ())]
    return [one for one in found if one[1].get("context") and not one[0]["action"].startswith("sts:")][::REQUESTS]


def test_the_statements_that_apply_to_a_request_are_those_of_the_concrete_evaluator(opened):
    asked = requests()
    assert len(asked) > 30
    endpoints = set()
    for row, request in asked:
        keys = {key: [value] if isinstance(value, str) else value for key, value in request["context"].items()}
        question = explain_rows.Arguments(row["principal"], row["action"], request["resource"], keys)
        parts = explain_rows.parts(opened, KNOWN, question)
        line = {"principal": row["principal"], "action": row["action"], **request}
        decided = decided_request(json.dumps(line), opened, KNOWN).decision
        assert parts.verdicts.to_pylist()[0]["decision"] == decided.decision == request["decision"]
        stated = [row for row in parts.statements.to_pylist() if row["statement_id"]]
        names = [(r["layer"], r["policy_name"] or r["target_arn"], r["statement_index"], r["applies"]) for r in stated]
        applied = {hit[:3] for hit in decided.statements}
        endpoints.update(name[1] for name in names if name[0] == "endpoint" and name[:3] in applied)
        assert {name[:3] for name in names if name[3] == "always"} == applied, line
        assert "depends" not in {name[3] for name in names}, line
        assert parts.changes.num_rows, line
    assert endpoints == {"arn:aws:ec2:us-east-1:333344445555:vpc-endpoint/vpce-111bbccc"}


def test_statements_that_grant_or_limit_can_apply_and_every_answer_has_a_change(opened):
    pairs = opened.query(
        f"select principal_arn, action from access_matrix using sample {PAIRS} (reservoir, 7)"
    ).to_pylist()
    assert len(pairs) == PAIRS
    for pair in pairs:
        parts = explain_rows.parts(opened, KNOWN, explain_rows.Arguments(*pair.values(), None, {}))
        stated = parts.statements.to_pylist()
        assert {row["applies"] for row in stated if row["counts_as"]} <= {"always", "depends"}, pair
        assert parts.changes.num_rows, pair


def test_a_clause_says_whether_it_holds_and_what_is_known_of_its_key(of):
    content = export(
        [
            user(
                Tags=[{"Key": "team", "Value": "blue"}],
                UserPolicyList=[
                    inline(
                        "p",
                        policy(
                            statement(StringEquals={"aws:PrincipalTag/team": "red"}),
                            statement(StringLike={"aws:PrincipalTag/Team": "b*"}),
                            statement(StringEquals={"aws:PrincipalTag/other": "x"}),
                            statement(StringNotEquals={"aws:PrincipalTag/other": "x"}),
                            statement(StringEquals={"aws:SourceVpc": ["vpc-1", "vpc-2"]}),
                            statement(Bool={"aws:SecureTransport": ["true", "false"]}),
                            statement(NumericEquals={"aws:SourceVpc": "1"}),
                            statement(StringEquals={"sagemaker:InstanceTypes": "ml.t3.medium"}),
                            statement(resource=f"arn:aws:sagemaker:*:{ACCOUNT}:model/${{aws:PrincipalTag/team}}-*"),
                            statement(resource="arn:aws:sagemaker:*:*:endpoint/*"),
                            statement(StringEquals={"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}),
                        ),
                    )
                ],
            )
        ]
    )
    found = clauses(of(content, "ana", "sagemaker:DescribeModel"))
    assert found == {
        "Action sagemaker:*": ("always", "matches sagemaker:DescribeModel"),
        "Resource *": ("always", "all resources of the type model in reach"),
        "StringEquals aws:PrincipalTag/team = red": ("never", "the principal's is blue"),
        "StringLike aws:PrincipalTag/Team = b*": ("always", "the principal's is blue"),
        "StringEquals aws:PrincipalTag/other = x": ("never", "the principal has none"),
        "StringNotEquals aws:PrincipalTag/other = x": ("always", "the principal has none"),
        "StringEquals aws:SourceVpc = vpc-1, vpc-2": ("depends", None),
        "Bool aws:SecureTransport = true, false": ("always", "every value meets it"),
        "NumericEquals aws:SourceVpc = 1": (
            "never",
            "NumericEquals never matches aws:SourceVpc, whose values are of the type String",
        ),
        "StringEquals sagemaker:InstanceTypes = ml.t3.medium": (
            "never",
            "requests for this action cannot carry the key",
        ),
        f"Resource arn:aws:sagemaker:*:{ACCOUNT}:model/${{aws:PrincipalTag/team}}-*": (
            "depends",
            "some resources of the type model",
        ),
        "Resource arn:aws:sagemaker:*:*:endpoint/*": ("never", "no resources of the type model in reach"),
        "StringEquals aws:ResourceTag/team = ${aws:PrincipalTag/team}": ("depends", "with variables filled in: blue"),
    }


TEAM = {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}
SAME_TEAM = policy(statement(StringEquals=TEAM))
TAGGED = {"Tags": [{"Key": "team", "Value": "blue"}], "UserPolicyList": [inline("p", SAME_TEAM)]}


@pytest.mark.parametrize(
    ("tags", "holds", "reason", "verdict"),
    [
        ([("team", "blue")], "always", "the resource's is blue", "allowed"),
        ([("team", "red")], "never", "the resource's is red", "refused"),
        ([("other", "x")], "never", "the resource has none", "refused"),
        (None, "depends", None, "conditional"),
    ],
)
def test_with_a_resource_its_tags_are_known(tags, holds, reason, verdict, of):
    listed = [{"ResourceARN": MODEL, "Tags": [{"Key": key, "Value": value} for key, value in tags or ()]}]
    files = {} if tags is None else {"tags": {"ResourceTagMappingList": listed}}
    parts = of(export([user(**TAGGED)]), "ana", "sagemaker:DescribeModel", "--resource", MODEL, **files)
    found = clauses(parts)["StringEquals aws:ResourceTag/team = ${aws:PrincipalTag/team}"]
    assert (found[0], (found[1] or "").startswith(reason or "")) == (holds, True), found
    assert parts["verdict"][0]["resource_verdict"] == verdict


def test_with_a_context_the_decision_is_that_of_the_request_and_other_keys_are_absent(of):
    content = export([user(UserPolicyList=[inline("p", policy(statement(StringEquals={"aws:SourceVpc": "vpc-1"})))])])
    asked = ("ana", "sagemaker:DescribeModel", "--resource", MODEL, "--context")
    for context, decision, holds, reason in (
        ("aws:SourceVpc=vpc-1", "allowed", "always", "the request's is vpc-1"),
        ("aws:SourceVpc=vpc-2", "implicitDeny", "never", "the request's is vpc-2"),
        ("aws:SourceIp=192.0.2.1", "implicitDeny", "never", "the request has none"),
    ):
        parts = of(content, *asked, context)
        assert parts["verdict"][0]["decision"] == decision
        assert clauses(parts)["StringEquals aws:SourceVpc = vpc-1"] == (holds, reason)
        text = " / ".join(change["change"] for change in parts["change"])
        missed = f"statement 0 of p would allow it but for StringEquals aws:SourceVpc = vpc-1 ({reason})"
        assert (missed in text) == (decision != "allowed"), text


def test_an_allow_whose_conditions_exclude_each_other_is_told(of):
    apart = statement(StringEquals={"aws:SourceVpc": "vpc-1"}, IpAddress={"aws:SourceIp": "192.0.2.0/24"})
    parts = of(export([user(UserPolicyList=[inline("p", policy(apart))])]), "ana", "sagemaker:DescribeModel")
    assert "statement 0 of p would allow it, but no request meets all its conditions at once" in changes(parts)


def changes(parts):
    return [row["change"] for row in parts["change"]]


def test_a_condition_is_told_with_a_request_that_meets_it_and_one_that_does_not(of):
    content = export([user(UserPolicyList=[inline("p", policy(statement(StringEquals={"aws:SourceVpc": "vpc-1"})))])])
    (row,) = of(content, "ana", "sagemaker:DescribeModel")["change"]
    assert row["change"] == "meet the condition: only through an endpoint of VPC vpc-1"
    assert row["example"].startswith("aws:SourceVpc is vpc-1; aws:SourceVpce is vpce-")
    assert row["counter_example"].startswith("aws:SourceVpc is ")
    assert row["counter_example"] != row["example"]


def test_the_examples_for_one_resource_are_requests_that_are_decided_so(monkeypatch, sample_lake):
    sql = """
    select distinct on (condition_id, access.resource_type) principal_arn, action, resource_arn
    from access inner join inventory using (account_id, resource_type)
    where verdict = 'conditional' and action like 'sagemaker:%' order by condition_id, resource_type, resource_arn
    """
    told = 0
    for pair in open_lake(sample_lake).query(sql).to_pylist()[::4]:
        principal, action, resource = pair.values()
        asked = ("explain", principal, action, "--resource", resource, "--lake", str(sample_lake), "--format", "json")
        for row in rows(run(monkeypatch, *asked))["change"]:
            if not row["example"]:
                continue
            held = context_of(row["example"])
            changed = {**held, **context_of(row["counter_example"])}
            for context, is_allowed in ((held, True), (changed, False)):
                line = {"principal": principal, "action": action, "resource": resource, "context": context}
                decided = decided_request(json.dumps(line), open_lake(sample_lake), KNOWN).decision
                assert (decided.decision == "allowed") == is_allowed, (row, line)
            told += 1
    assert told >= 5


def context_of(example):
    """What an example says of a request's keys; those that are absent are left out."""
    pairs = [part.split(" is ", 1) for part in example.split("; ")] if example != "none of its keys" else []
    return {key: [] if value == "absent" else value.split(", ") for key, value in pairs}


def test_what_would_change_a_refusal_is_the_deny_the_level_or_the_grant_that_is_missing(of):
    boundary = arn("policy/edge")
    content = export(
        [
            user("denied", UserPolicyList=[inline("p", policy(statement(), statement("Deny", sid="Never")))]),
            user(
                "bounded",
                UserPolicyList=[inline("p", policy(statement()))],
                PermissionsBoundary={"PermissionsBoundaryArn": boundary},
            ),
            user("poor"),
            user("near", UserPolicyList=[inline("p", policy(statement(resource="arn:aws:sagemaker:*:*:endpoint/*")))]),
            user("able", UserPolicyList=[inline("p", policy(statement(sid="All")))]),
        ],
        policies=[managed(boundary, policy(statement(action="s3:*")))],
    )
    asked = "sagemaker:DescribeModel"
    assert changes(of(content, "denied", asked)) == [
        "no Deny of statement 1 'Never' of p, or a condition on it that spares these requests"
    ]
    assert changes(of(content, "bounded", asked)) == [f"an Allow of {asked} on model in the boundary edge"]
    grant = f"an Allow of {asked} on model in an identity policy of {{}} or of one of its groups"
    assert changes(of(content, "poor", asked)) == [grant.format(arn("user/poor"))]
    assert changes(of(content, "near", asked)) == [
        grant.format(arn("user/near")),
        "statement 0 of p would allow it but for Resource arn:aws:sagemaker:*:*:endpoint/* "
        "(no resources of the type model in reach)",
    ]
    assert changes(of(content, "able", asked)) == [
        "it rests on statement 0 'All' of p; a Deny would refuse it all the same"
    ]


def test_an_action_that_the_reference_does_not_know_is_taken_as_one_on_any_resource(of):
    statements = policy(statement(), statement(resource=MODEL), statement(StringEquals={"aws:TagKeys": "x"}))
    parts = of(
        export(
            [
                user(
                    UserPolicyList=[
                        inline("p", statements),
                        inline("q", policy(statement("Allow", "sagemaker:MakeTea"))),
                    ]
                )
            ]
        ),
        "ana",
        "sagemaker:MakeTea",
    )
    assert [row["applies"] for row in parts["statement"] if row["statement_id"]] == [
        "always", "depends", "depends", "always"
    ]  # fmt: skip


PASS, REFUSED = "calls through it pass", "calls through it are refused"
OPEN = f"{PASS} or not, as the request is"
ENDPOINT = f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc-endpoint/vpce-1"


@pytest.mark.parametrize(
    ("statements", "passed", "holds"),
    [
        ([statement(Principal="*")], PASS, ["always"]),
        ([statement(Principal={"AWS": ACCOUNT})], PASS, ["always"]),
        ([statement(Principal={"AWS": ANA})], PASS, ["always"]),
        ([statement(Principal={"AWS": arn("user/other")})], REFUSED, ["never"]),
        ([statement(Principal={"Service": "sagemaker.amazonaws.com"})], REFUSED, ["never"]),
        ([statement(action="s3:*", Principal="*")], f"no statement matches the action: {REFUSED}", []),
        ([statement(resource="arn:aws:sagemaker:*:*:endpoint/*", Principal="*")], REFUSED, ["never"]),
        ([statement(resource=MODEL, Principal="*")], OPEN, ["depends"]),
        ([statement(Principal="*", StringEquals={"aws:SourceVpce": "vpce-1"})], PASS, ["always"]),
        ([statement(Principal="*", StringEquals={"aws:SourceVpce": "vpce-2"})], REFUSED, ["never"]),
        ([statement(Principal="*", IpAddress={"aws:SourceIp": "192.0.2.0/24"})], REFUSED, ["never"]),
        ([statement(Principal="*"), statement("Deny", Principal={"AWS": ANA})],
         REFUSED, ["always", "always"]),
        ([statement(Principal="*"), statement("Deny", Principal="*", StringEquals={"aws:SourceVpc": "vpc-1"})],
         OPEN, ["always", "depends"]),
        ([statement(Principal="*"), statement("Deny", NotPrincipal={"AWS": [ANA, ACCOUNT]})],
         PASS, ["always", "never"]),
        ([statement(Principal="*"), statement("Deny", NotPrincipal={"AWS": ANA})],
         REFUSED, ["always", "always"]),
    ],
)  # fmt: skip
def test_the_policy_of_a_vpc_endpoint_is_shown_with_what_it_does_with_calls_through_it(statements, passed, holds, of):
    on_endpoint = [{"ResourceArn": ENDPOINT, "ResourcePolicy": json.dumps(policy(*statements))}]
    content = export([user(UserPolicyList=[inline("p", policy(statement()))])])
    files = {"resource-policies": on_endpoint}
    parts = of(content, "ana", "sagemaker:DescribeModel", **files)
    assert parts["verdict"][0]["verdict"] == "allowed"
    shown = [row for row in parts["statement"] if row["layer"] == "endpoint"]
    assert [row["target_arn"] for row in shown] == [ENDPOINT] * max(len(holds), 1)
    assert shown[0]["remark"] == passed
    assert [row["applies"] for row in shown if row["statement_id"]] == holds
    assert all(row["file"].endswith("resource-policies.json") for row in shown if row["statement_id"])
    assert "endpoint" not in {row["layer"] for row in parts["change"]}
    # The concrete evaluator is of the same opinion about a call through the endpoint.
    asked = ("--resource", MODEL, "--context", "aws:SourceVpce=vpce-1", "--context", "aws:SourceVpc=vpc-9")
    parts = of(content, "ana", "sagemaker:DescribeModel", *asked, **files)
    decided = {row["applies"] for row in parts["statement"] if row["layer"] == "endpoint" and row["statement_id"]}
    assert "depends" not in decided
    if passed != OPEN:
        assert (parts["verdict"][0]["decision"] == "allowed") == (passed == PASS)
    if parts["verdict"][0]["decision"] != "allowed":
        assert parts["verdict"][0]["blocked_by"] == ["endpoint"]
        assert {row["layer"] for row in parts["change"]} == {"endpoint"}


def test_a_request_that_comes_through_no_endpoint_shows_none(monkeypatch, sample_lake):
    resource = "arn:aws:sagemaker:us-east-1:333344445555:notebook-instance/nlp-01"
    asked = ("explain", "kai", "sagemaker:CreatePresignedNotebookInstanceUrl", "--resource", resource)
    context = ("--context", "aws:SourceIp=192.0.2.7", "--format", "json", "--lake", str(sample_lake))
    rows_of_it = [row for row in rows(run(monkeypatch, *asked, *context))["statement"] if row["layer"] == "endpoint"]
    assert [row["remark"] for row in rows_of_it] == [
        "no policy of a VPC endpoint that the call can come through is in the inputs"
    ]


def test_an_scp_level_that_does_not_allow_is_named(monkeypatch, sample_lake):
    arguments = ("explain", "tinker", "sagemaker:CreateEndpoint", "--format", "json", "--lake", str(sample_lake))
    (row,) = rows(run(monkeypatch, *arguments))["change"]
    assert (row["layer"], row["level"], row["target_name"]) == ("scp", 1, "Sandbox")
    assert row["change"] == (
        "an Allow of sagemaker:CreateEndpoint on endpoint, endpoint-config in an SCP at level 1, Sandbox: "
        "every level must allow it"
    )


def test_the_rcps_are_those_of_the_resource(monkeypatch, tmp_path):
    lake = str(tmp_path / "lake")
    built = run(monkeypatch, "build", str(SAMPLES / "organization"), "--services", "sts", "--lake", lake)
    assert built.code == 3
    resource = "arn:aws:iam::777788889999:role/security-audit"
    asked = ("security-auditor", "sts:AssumeRole", "--resource", resource, "--context", "aws:RequestedRegion=us-east-1")
    parts = rows(run(monkeypatch, "explain", *asked, "--format", "json", "--lake", lake))
    assert parts["verdict"][0]["blocked_by"] == ["rcp"]
    assert [row["policy_name"] for row in parts["change"]] == ["suspended-roles"]
    trust = [row for row in parts["statement"] if row["layer"] == "resource"]
    assert [(row["file"].endswith("777788889999.json"), row["line"]) for row in trust] == [(True, 30)]
    assert clauses(parts)["Principal arn:aws:iam::222233334444:role/security-auditor"] == (
        "always",
        "names the principal",
    )
    wrong, dede = "arn:aws:iam::333344445555:role/security-audit", "arn:aws:iam::333344445555:user/dede"
    asked = (dede, "sts:AssumeRole", "--resource", wrong, "--format", "json", "--lake", lake)
    parts = rows(run(monkeypatch, "explain", *asked))
    assert parts["verdict"][0]["resource_verdict"] == "refused"
    assert changes(parts) == [
        f"an Allow of sts:AssumeRole on {wrong} for {dede} or its account in the policy of the resource"
    ]


def test_a_group_and_a_role_are_explained_too(of):
    shared = arn("policy/shared")
    content = export(
        [user(GroupList=["DevTeam1"])],
        [group(AttachedManagedPolicies=[attached(shared)])],
        [role(AttachedManagedPolicies=[attached(shared)])],
        [managed(shared, policy(statement()))],
    )
    for name in ("ana", "execution"):
        (row,) = (row for row in of(content, name, "sagemaker:ListModels")["statement"] if row["statement_id"])
        assert (row["applies"], row["line"] > 0, row["document_pointer"]) == (
            "always",
            True,
            "/Policies/0/PolicyVersionList/0/Document",
        )


def test_a_person_reads_where_a_statement_stands_and_what_decides(monkeypatch, sample_lake):
    done = run(monkeypatch, "explain", "ana", "sagemaker:DescribeNotebookInstance", "--lake", str(sample_lake))
    lines = done.text.splitlines()
    assert lines[3:7] == [
        "What would change it",
        "  meet the condition: only on resources not tagged Project = B (untagged ones included) (for *)",
        "    so it is with none of its keys",
        "    but not with aws:ResourceTag/Project is B",
    ]
    assert "      - StringEquals sagemaker:ResourceTag/Project = B: depends on the request" in lines
    place = "/accounts/333344445555.json:1885:17 (/1/Policies/0/PolicyVersionList/0/Document/Statement/1)"
    assert any(line.endswith(place) for line in lines)


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet", "xlsx", "md", "txt"])
def test_every_format_has_all_parts(form, monkeypatch, sample_lake, tmp_path):
    out = tmp_path / f"explained.{form}"
    asked = ("opal", "sagemaker:CreateEndpoint", "--lake", str(sample_lake), "--out", str(out))
    assert run(monkeypatch, "explain", *asked).code == 0
    assert out.stat().st_size > 1000
    if form == "csv":
        assert {line.split(",")[1] for line in out.read_text().splitlines()[1:]} == {
            "verdict", "statement", "clause", "change"
        }  # fmt: skip


def test_names_of_policies_cannot_write_to_the_terminal(monkeypatch, tmp_path):
    odd = policy(statement("Deny", sid="\x1b[2J", StringEquals={"aws:PrincipalTag/\x1b[31m": "\x1b]0;x"}))
    write(tmp_path / "in", f"{ACCOUNT}.json", export([user(UserPolicyList=[inline("\x1b[1m", odd)])]))
    lake = str(tmp_path / "lake")
    run(monkeypatch, "build", str(tmp_path / "in"), "--lake", lake)
    done = run(monkeypatch, "explain", "ana", "sagemaker:ListModels", "--lake", lake)
    assert done.code == 0
    assert "\x1b" not in done.text
    assert "\\x1b[31m" in done.text
