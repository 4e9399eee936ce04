"""What changed between two snapshots, and the gate: held against the concrete evaluator on both sides."""

import json

import pytest
from cli_run import run
from random_organization import ROOT, control, document, organization_file, write_files

from pipeline.build import build_lake
from pipeline.diff import COLUMNS, Wanted, changes, fails, notes
from pipeline.diff.compare import Row, differences
from pipeline.diff.reasons import _name
from pipeline.errors import PolicylakeError
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.witness import Witnesses
from pipeline.lake import open_lake
from pipeline.reference import load

X = "arn:aws:sagemaker:*:*:model/x*"
ENDPOINTS = ["arn:aws:sagemaker:*:*:endpoint/*", "arn:aws:sagemaker:*:*:endpoint-config/*"]
ACCOUNT = "111122223333"
ALLOW = {"Effect": "Allow", "Action": "sagemaker:DescribeModel", "Resource": "*"}


def tagged(*values, **changed):
    return {**ALLOW, "Condition": {"StringEquals": {"aws:ResourceTag/team": list(values)}}, **changed}


def deny(resource, **changed):
    return {"Effect": "Deny", "Action": "sagemaker:DescribeModel", "Resource": resource, **changed}


#: Name: statements before, statements after, and what is told: change and residual of each row.
CASES = {
    "scope-widened": ([{**ALLOW, "Resource": X}], [ALLOW], [("changed", "wider")]),
    "scope-narrowed": ([ALLOW], [{**ALLOW, "Resource": X}], [("changed", "narrower")]),
    "value-added": ([tagged("a")], [tagged("a", "b")], [("changed", "wider")]),
    "value-removed": ([tagged("a", "b")], [tagged("a")], [("changed", "narrower")]),
    "value-replaced": ([tagged("a")], [tagged("b")], [("changed", "different")]),
    "condition-removed": ([tagged("a")], [ALLOW], [("changed", "wider")]),
    "scope-added": (
        [{**ALLOW, "Resource": X}],
        [{**ALLOW, "Resource": [X, "arn:aws:sagemaker:*:*:model/y*"]}],
        [("gained", "wider")],
    ),
    "statement-removed": (
        [ALLOW],
        [{**ALLOW, "Action": "sagemaker:ListModels"}],
        [("gained", "wider"), ("lost", "narrower")],
    ),
    "deny-added": ([ALLOW], [ALLOW, deny(X)], [("changed", "narrower")]),
    "deny-of-all-added": ([ALLOW], [ALLOW, deny("*")], [("lost", "narrower")]),
    "deny-of-all-removed": ([ALLOW, deny("*")], [ALLOW], [("gained", "wider")]),
    "allowed-beside-a-deny": ([deny(X)], [ALLOW, deny(X)], [("gained", "wider")]),
    "no-more-allowed-beside-a-deny": ([ALLOW, deny(X)], [deny(X)], [("lost", "narrower")]),
    "deny-conditioned": (
        [ALLOW, deny(X)],
        [ALLOW, deny(X, Condition={"Bool": {"aws:SecureTransport": "false"}})],
        [("changed", "wider")],
    ),
    "other-type-granted": (
        [{**ALLOW, "Action": "sagemaker:CreateEndpoint", "Resource": "arn:aws:sagemaker:*:*:endpoint/*"}],
        [{**ALLOW, "Action": "sagemaker:CreateEndpoint", "Resource": ENDPOINTS}],
        [("gained", "wider"), ("gained", "wider")],
    ),
    "covered-scope-added": ([ALLOW], [ALLOW, {**ALLOW, "Resource": X}], []),
    "two-scopes-become-one": (
        [{**ALLOW, "Resource": ["arn:aws:sagemaker:*:*:model/x*", "arn:aws:sagemaker:*:*:model/*"]}],
        [{**ALLOW, "Resource": "arn:aws:sagemaker:*:*:model/*"}],
        [],
    ),
    "same-in-other-words": ([tagged("b", "a", Sid="One")], [tagged("a"), tagged("b")], []),
    "wildcard-for-the-same": ([tagged("a")], [tagged("a", Action="sagemaker:DescribeMode?")], []),
}


def _policies(folder, side):
    folder.mkdir()
    for name, sides in CASES.items():
        (folder / f"{name}.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": sides[side]}))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    top = tmp_path_factory.mktemp("diff")
    both = {**ALLOW, "Action": ["sagemaker:DescribeModel", "kms:ListKeys"]}
    for side, (folder, name) in enumerate((("old", "gone"), ("new", "fresh"))):
        document = {"Version": "2012-10-17", "Statement": [both]}
        (_policies(top / folder, side) / f"{name}.json").write_text(json.dumps(document))
    return top


@pytest.fixture(scope="module")
def lakes(folders):
    for side in ("old", "new"):
        build_lake([folders / side], folders / f"{side}-lake", keeps=False)
    return folders / "old-lake", folders / "new-lake"


@pytest.fixture(scope="module")
def rows(lakes):
    return changes(open_lake(lakes[0]), open_lake(lakes[1]), load())


@pytest.mark.parametrize("name", CASES)
def test_a_change_of_policies_is_told_by_what_it_allows(rows, name):
    told = [(row["change"], row["residual"]) for row in rows.to_pylist() if row["principal_arn"] == f"policy/{name}"]
    assert sorted(told) == CASES[name][2]


def test_every_difference_has_a_request_that_one_side_alone_allows(rows, lakes, monkeypatch):
    for column, allowing, refusing in (("witness", 1, 0), ("lost_witness", 0, 1)):
        listed = rows.to_pylist()
        residuals = {"wider", "different"} if column == "witness" else {"narrower", "different"}
        assert all((row[column] is not None) == (row["residual"] in residuals) for row in listed)
        # A line judges one resource, and says nothing of another type that the call needs.
        listed = [row for row in listed if row["principal_arn"] != "policy/other-type-granted"]
        kept = [row[column] for row in listed if row[column] and row["found_in"] == "both"]
        for lake, wanted in ((allowing, True), (refusing, False)):
            lines = "\n".join(kept) + "\n"
            out = run(monkeypatch, "simulate", "--lake", str(lakes[lake]), "--requests", "-", stdin=lines)
            decisions = [json.loads(line)["decision"] == "allowed" for line in out.text.splitlines()]
            assert decisions == [wanted] * len(kept)


def test_statements_that_make_the_difference_are_told_by_what_they_say(rows):
    through = {row["principal_arn"]: row["through"] for row in rows.to_pylist()}
    wanted = {
        "deny-added": [["+", "Deny"]],
        "deny-of-all-added": [["+", "Deny"]],
        "deny-of-all-removed": [["-", "Deny"]],
        "value-added": [["+", "Allow"], ["-", "Allow"]],
        "allowed-beside-a-deny": [["+", "Allow"]],
        "no-more-allowed-beside-a-deny": [["-", "Allow"]],
    }
    assert {name: [text.split(" ", 2)[:2] for text in through[f"policy/{name}"]] for name in wanted} == wanted


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_grant_that_an_scp_takes_away_by_allowing_it_no_more_is_not_called_gone_or_new(is_lost, tmp_path):
    arn = f"arn:aws:iam::{ACCOUNT}:role/analyst"
    role = {"RoleName": "analyst", "Arn": arn, "Path": "/", "AssumeRolePolicyDocument": document([])}
    role["RolePolicyList"] = [{"PolicyName": "own", "PolicyDocument": document([ALLOW])}]
    account = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": []}
    lakes = []
    for action in ("sagemaker:*", "s3:*") if is_lost else ("s3:*", "sagemaker:*"):
        scp = control(1, "SERVICE", document([{"Effect": "Allow", "Action": action, "Resource": "*"}]), [ROOT, ACCOUNT])
        organization = organization_file({}, {ACCOUNT: ROOT}, [scp])
        folder = tmp_path / f"side{len(lakes)}"
        write_files(folder, [("account", account), ("organization", organization)])
        build_lake([folder], tmp_path / f"lake{len(lakes)}", keeps=False)
        lakes.append(open_lake(tmp_path / f"lake{len(lakes)}"))
    (row,) = changes(*lakes, load()).to_pylist()
    assert {row["verdict"], row["old_verdict"]} == {"allowed", "blocked"}
    assert [text.split("#")[0] for text in row["through"]] == ["= Allow own"]


def test_a_policy_that_accounts_have_alike_is_named_once():
    arns = [f"arn:aws:iam::{ACCOUNT[:-1]}{number}:policy/team/base" for number in range(3)]
    row = {"effect": "Allow", "statement_id": "abc#0", "statement_index": 0, "sid": "Base", "sources": ["a.json"]}
    assert _name({**row, "names": arns}) == f"Allow {arns[0]}#0 Base in 3 accounts (a.json)"
    assert _name({**row, "names": arns[:1]}) == f"Allow {arns[0]}#0 Base (a.json)"
    assert _name({**row, "names": [*arns, "own"]}) == f"Allow {arns[0]}, own#0 Base (a.json)"


def test_principals_of_one_side_are_told(rows):
    told = {(row["principal_arn"], row["found_in"], row["change"]) for row in rows.to_pylist()}
    assert {("policy/fresh", "new only", "gained"), ("policy/gone", "old only", "lost")} <= told


def test_the_columns_are_those_described(rows):
    assert rows.column_names == list(COLUMNS)


def test_gates_fail_on_what_is_allowed_anew_and_on_what_is_lost(rows):
    only = {name: rows.filter([arn == f"policy/{name}" for arn in rows["principal_arn"].to_pylist()]) for name in CASES}
    counts = {
        name: tuple(fails(only[name], gate) for gate in ("new-access", "lost-access", "changed-access"))
        for name in ("value-added", "value-removed", "value-replaced", "same-in-other-words")
    }
    assert counts == {
        "value-added": (1, 0, 1),
        "value-removed": (0, 1, 1),
        "value-replaced": (1, 1, 1),
        "same-in-other-words": (0, 0, 0),
    }


def test_filters_narrow_the_comparison_and_unknown_names_are_errors(lakes):
    sides = [open_lake(lake) for lake in lakes]
    one = changes(*sides, load(), Wanted(principal="value-added", action="Describe*"))
    assert one["principal_arn"].to_pylist() == ["policy/value-added"]
    for wanted, said in (
        (Wanted(principal="nobody"), "--principal nobody"),
        (Wanted(action="no:such"), "--action no:such"),
    ):
        with pytest.raises(PolicylakeError, match=said):
            changes(*(open_lake(lake) for lake in lakes), load(), wanted)


def test_a_side_with_more_services_leaves_out_what_the_other_does_not_answer_for(folders, lakes):
    build_lake([folders / "old"], folders / "wide-lake", services=["kms"], keeps=False)
    sides = open_lake(lakes[0]), open_lake(folders / "wide-lake")
    assert changes(*sides, load()).num_rows == 0
    assert any("only the new side answers for kms" in note for note in notes(*sides))


def test_the_command_compares_snapshots_of_a_lake_and_folders(folders, monkeypatch):
    lake = folders / "both-lake"
    first = build_lake([folders / "old"], lake, keeps=False).snapshot_id
    build_lake([folders / "new"], lake, keeps=False)
    by_id = run(monkeypatch, "diff", "--lake", str(lake), first[:8], "current", "--format", "jsonl")
    by_folder = run(monkeypatch, "diff", str(folders / "old"), str(lake), "--format", "jsonl")
    assert by_id.code == 0
    assert by_id.text
    for one, other in zip(by_id.text.splitlines(), by_folder.text.splitlines(), strict=True):
        assert json.loads(one) == json.loads(other)
    gate = ("--principal", "policy/value-removed", "--fail-on")
    assert run(monkeypatch, "diff", str(folders / "old"), str(lake), *gate, "new-access").code == 0
    assert run(monkeypatch, "diff", str(folders / "old"), str(lake), *gate, "lost-access").code == 1


def test_sides_that_are_nothing_are_told_in_a_line(lakes, monkeypatch):
    for side, said in (("ffff", "no snapshot of this id"), ("no/such", "no such file or folder")):
        failed = run(monkeypatch, "diff", "--lake", str(lakes[0]), side, "current")
        assert failed.code == 2
        assert said in failed.err


def test_rows_that_together_allow_what_one_allows_are_no_change():
    reference = load()
    knowledge = Knowledge(reference, {})
    witnesses = Witnesses(Solver(knowledge.domain), knowledge, ())
    formats = {"model": "arn:${Partition}:sagemaker:${Region}:${Account}:model/${ModelName}"}
    parts = [Row("model", "*", (X,), True), Row("model", X, (), True)]
    whole = [Row("model", "*", (), True)]
    assert differences(parts, whole, formats, ACCOUNT, witnesses) == []
    assert differences(whole, parts, formats, ACCOUNT, witnesses) == []
    (one,) = differences(parts[:1], whole, formats, ACCOUNT, witnesses)
    assert (one.change, one.residual) == ("changed", "wider")
    assert one.gained.witness.resource.split("/")[1].startswith("x")


@pytest.mark.parametrize("text", ["", "[1,2", "{}", '{"format_version": "1.2", "planned_values": {}, "errored": true}'])
def test_a_new_side_that_cannot_be_read_never_passes_a_gate(text, monkeypatch, sample_lake, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(text)
    done = run(monkeypatch, "diff", "--lake", str(sample_lake), str(plan), "--fail-on", "new-access")
    assert done.code == 2
    assert "plan.json: nothing here can be compared" in done.err


def test_inputs_of_a_side_that_are_left_out_are_told_by_the_exit_code(monkeypatch, tmp_path):
    for side in ("old", "new"):
        (tmp_path / side).mkdir()
        policy = {"Version": "2012-10-17", "Statement": []}
        policy["Statement"].append({"Effect": "Allow", "Action": "sagemaker:ListModels", "Resource": "*"})
        (tmp_path / side / "policy.json").write_text(json.dumps(policy))
    (tmp_path / "new" / "cut.json").write_text("[1,2")
    done = run(monkeypatch, "diff", str(tmp_path / "old"), str(tmp_path / "new"), "--fail-on", "new-access")
    assert (done.code, "1 part of the inputs could not be read" in done.err) == (3, True)
