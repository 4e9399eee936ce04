"""Pull requests: Terraform plans and CloudFormation templates as the new side of a diff, and as inputs."""

import copy
import json
import random
from pathlib import Path

import pytest
from cli_run import run

from pipeline.build import build_lake
from pipeline.infrastructure.cloudformation import read_template
from pipeline.infrastructure.facts import (
    Attached,
    Doubt,
    Inline,
    Member,
    Principal,
    Unread,
    Unresolved,
    account_details,
    denials,
)
from pipeline.infrastructure.terraform import DRAFT, read_plan
from pipeline.ingest.infrastructure import read_infrastructure
from pipeline.ingest.yaml_text import YamlError, json_of
from pipeline.lake import open_lake

CASES = Path(__file__).parent / "cases" / "infrastructure"
ACCOUNT = "111122223333"
PLAN = json.loads((CASES / "plan.json").read_text())
TEMPLATE = (CASES / "template.yaml").read_text()
TRAINER = Principal(ACCOUNT, "role", "trainer")


def changed(*addresses, **changes):
    """Return the plan with these resource changes alone; ``changes`` replace before and after of the policy."""
    plan = copy.deepcopy(PLAN)
    plan["resource_changes"] = [one for one in plan["resource_changes"] if one["address"] in addresses]
    for one in plan["resource_changes"]:
        if one["address"] == "aws_iam_policy.train":
            one["change"].update({side: one["change"][held] for side, held in changes.items()} if changes else {})
    return plan


KEPT = ("aws_iam_role.trainer", "aws_iam_policy.train", "aws_iam_role_policy_attachment.train")
WIDENED = changed(*KEPT)
NARROWED = changed(*KEPT)
NARROWED_POLICY = NARROWED["resource_changes"][1]["change"]
NARROWED_POLICY["before"], NARROWED_POLICY["after"] = NARROWED_POLICY["after"], NARROWED_POLICY["before"]


def gate(monkeypatch, tmp_path, plan, *arguments, lake=None):
    file = tmp_path / "plan.json"
    file.write_text(plan if isinstance(plan, str) else json.dumps(plan))
    place = ("--lake", str(lake)) if lake else ()
    monkeypatch.chdir(tmp_path)  # where no lake is
    done = run(monkeypatch, "diff", *place, str(file), "--fail-on", "new-access", "--format", "jsonl", *arguments)
    return done.code, [json.loads(line) for line in done.text.splitlines()], done.err


def test_a_plan_that_widens_a_condition_fails_the_gate_and_one_that_narrows_it_passes(monkeypatch, tmp_path):
    code, rows, _ = gate(monkeypatch, tmp_path, WIDENED)
    assert code == 1
    assert {(row["principal_arn"], row["action"], row["residual"]) for row in rows} == {
        (f"arn:aws:iam::{ACCOUNT}:role/ml/trainer", f"sagemaker:{name}Model", "wider")
        for name in ("Delete", "Describe")
    }
    assert all("/tmp" not in text for row in rows for text in row["through"])
    code, rows, _ = gate(monkeypatch, tmp_path, NARROWED)
    assert code == 0
    assert {row["residual"] for row in rows} == {"narrower"}


def test_what_is_unknown_until_apply_is_found_where_the_configuration_refers_to_it():
    found = read_plan(PLAN).after
    deployer = Principal(ACCOUNT, "role", "deployer")
    assert Attached(deployer, f"arn:aws:iam::{ACCOUNT}:policy/ml/deploy") in found
    viewer = Principal(ACCOUNT, "role", "viewer-aws_iam_role.viewer")
    assert Inline(viewer, "view") in found
    assert not any(isinstance(key, Unread) for key in found)


def test_a_policy_that_is_known_only_after_apply_never_passes_without_a_word(monkeypatch, tmp_path):
    plan = changed("aws_iam_role.trainer", "aws_iam_role_policy.bucket")
    code, rows, said = gate(monkeypatch, tmp_path, plan)
    assert code == 1
    assert [(row["principal_arn"], row["residual"], row["through"]) for row in rows] == [
        (
            f"arn:aws:iam::{ACCOUNT}:role/ml/trainer",
            "unknown",
            ["? inline policy bucket is known only after the change"],
        )
    ]
    assert "--accept-unknown" in said
    assert gate(monkeypatch, tmp_path, plan, "--accept-unknown")[0] == 0


def test_a_document_that_depends_on_what_is_unknown_counts_as_far_as_it_is_known():
    plan = changed("aws_iam_role.trainer", "aws_iam_role_policy.bucket")
    plan["configuration"]["root_module"]["resources"][5]["expressions"]["policy"]["references"] = [
        "data.aws_iam_policy_document.bucket.json",
        "data.aws_iam_policy_document.bucket",
    ]
    allow = {"actions": ["sagemaker:AddTags"], "effect": "Allow", "resources": [None], "condition": []}
    like = {"test": "StringLike", "variable": "aws:PrincipalTag/team", "values": ["&{aws:username}"]}
    known = {"actions": ["sagemaker:ListModels"], "effect": "Allow", "resources": ["*"], "condition": [like]}
    deny = {"actions": ["sagemaker:DeleteTags"], "effect": "Deny", "resources": [None]}
    plan["resource_changes"].append(
        {
            "address": "data.aws_iam_policy_document.bucket",
            "mode": "data",
            "type": "aws_iam_policy_document",
            "change": {
                "actions": ["read"],
                "before": None,
                "after": {"statement": [allow, known, deny]},
                "after_unknown": {"statement": [{"resources": [True]}, {}, {"resources": [True]}]},
            },
        }
    )
    found = read_plan(plan).after
    assert json.loads(found[Inline(TRAINER, f"bucket{DRAFT}")])["Statement"] == [
        {"Effect": "Allow", "Action": ["sagemaker:AddTags"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["sagemaker:ListModels"],
            "Resource": ["*"],
            "Condition": {"StringLike": {"aws:PrincipalTag/team": ["${aws:username}"]}},
        },
    ]
    assert isinstance(found[Inline(TRAINER, "bucket")], Unresolved)


def test_a_detachment_is_seen_though_the_role_repeats_what_was_attached():
    plan = changed(*KEPT)
    plan["resource_changes"][2]["change"].update({"actions": ["delete"], "after": None})
    read = read_plan(plan)
    attached = Attached(TRAINER, f"arn:aws:iam::{ACCOUNT}:policy/train")
    assert attached in read.before
    assert attached not in read.after


def test_members_lists_and_several_owners_are_read():
    def created(kind, label, **values):
        change = {"actions": ["create"], "before": None, "after": values, "after_unknown": {}}
        return {"address": f"aws_iam_{kind}.{label}", "mode": "managed", "type": f"aws_iam_{kind}", "change": change}

    plan = {
        "format_version": "1.2",
        "planned_values": {},
        "resource_changes": [
            created("user", "ann", name="ann", arn=f"arn:aws:iam::{ACCOUNT}:user/ann"),
            created("group_membership", "one", group="builders", users=["ann"]),
            created("user_group_membership", "two", user="ann", groups=["viewers"]),
            created(
                "policy_attachment",
                "all",
                users=["ann"],
                roles=["r"],
                groups=["g"],
                policy_arn="arn:aws:iam::aws:policy/P",
            ),
        ],
    }
    found = read_plan(plan).after
    ann = Principal(ACCOUNT, "user", "ann")
    assert {key.group for key in found if isinstance(key, Member) and key.user == ann} == {"builders", "viewers"}
    owners = {key.owner.name for key in found if isinstance(key, Attached)}
    assert owners == {"ann", "r", "g"}
    named = account_details(found, ACCOUNT)["RoleDetailList"]
    assert any("the-rest" in policy["PolicyArn"] for policy in named[0]["AttachedManagedPolicies"])


@pytest.mark.parametrize("value", ["[]", "3", "{}", '[{"change": 4}]', '[{"change": {"before": [], "after": "x"}}]'])
def test_plans_of_the_wrong_shape_are_read_without_a_traceback(value):
    plan = {"format_version": "1.2", "planned_values": [], "resource_changes": json.loads(value)}
    assert all(isinstance(key, Doubt) for key in read_plan(plan).after)
    assert (value == "[]") == (not read_plan(plan).doubts)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake of the plan's account that knows more: a Deny that the plan does not have, and an organization."""
    folder = tmp_path_factory.mktemp("over")
    details = account_details(read_plan(WIDENED).before, ACCOUNT)
    deny = {"Effect": "Deny", "Action": "sagemaker:DeleteModel", "Resource": "*"}
    details["RoleDetailList"][0]["RolePolicyList"] = [
        {"PolicyName": "keep", "PolicyDocument": {"Version": "2012-10-17", "Statement": [deny]}}
    ]
    (folder / f"{ACCOUNT}.json").write_text(json.dumps(details))
    root = {"Id": "r-ab12", "Arn": "arn:aws:organizations::999988887777:root/o-exampleorg/r-ab12", "Name": "Root"}
    account = {
        "Id": ACCOUNT,
        "Arn": f"arn:aws:organizations::999988887777:account/o-exampleorg/{ACCOUNT}",
        "Name": "ml",
        "ParentId": "r-ab12",
    }
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    full = {
        "PolicySummary": {
            "Id": "p-FullAWSAccess",
            "Arn": "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
            "Name": "FullAWSAccess",
            "Type": "SERVICE_CONTROL_POLICY",
        },
        "Content": json.dumps(everything),
        "Targets": [{"TargetId": one["Id"], "Arn": one["Arn"]} for one in (root, account)],
    }
    organization = {
        "Organization": {
            "Id": "o-exampleorg",
            "Arn": "arn:aws:organizations::999988887777:organization/o-exampleorg",
            "MasterAccountId": "999988887777",
        },
        "Roots": [root],
        "OrganizationalUnits": [],
        "Accounts": [account],
        "Policies": [full],
    }
    (folder / "organization.json").write_text(json.dumps(organization))
    build_lake([folder], folder / "lake", keeps=False)
    return folder / "lake"


def test_over_a_lake_what_the_account_denies_besides_counts(monkeypatch, tmp_path, lake):
    code, rows, said = gate(monkeypatch, tmp_path, WIDENED, lake=lake)
    assert code == 1
    assert {row["action"] for row in rows} == {"sagemaker:DescribeModel"}
    assert "is put over snapshot" in said


def test_a_principal_that_the_plan_removes_takes_along_what_only_the_lake_knows_of_it(monkeypatch, tmp_path, lake):
    plan = changed("aws_iam_role.trainer")
    plan["resource_changes"][0]["change"].update({"actions": ["delete"], "after": None})
    code, rows, _ = gate(monkeypatch, tmp_path, plan, lake=lake)
    assert code == 0
    assert [(row["action"], row["change"], row["found_in"]) for row in rows] == [
        ("sagemaker:DescribeModel", "lost", "old only")
    ]


def test_a_plan_of_an_scp_is_compared_for_the_accounts_under_it(monkeypatch, tmp_path, lake):
    deny = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "sagemaker:Describe*", "Resource": "*"}],
    }
    policy = {"name": "no-look", "type": "SERVICE_CONTROL_POLICY", "content": json.dumps(deny)}
    plan = changed()
    plan["resource_changes"] = [
        {
            "address": address,
            "mode": "managed",
            "type": kind,
            "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": unknown},
        }
        for address, kind, after, unknown in (
            ("aws_organizations_policy.no", "aws_organizations_policy", policy, {"id": True, "arn": True}),
            (
                "aws_organizations_policy_attachment.no",
                "aws_organizations_policy_attachment",
                {"target_id": "r-ab12"},
                {"policy_id": True},
            ),
        )
    ]
    plan["configuration"]["root_module"]["resources"].append(
        {
            "address": "aws_organizations_policy_attachment.no",
            "expressions": {
                "policy_id": {"references": ["aws_organizations_policy.no.id", "aws_organizations_policy.no"]}
            },
        }
    )
    code, rows, _ = gate(monkeypatch, tmp_path, plan, lake=lake)
    assert code == 0
    assert [(row["action"], row["change"]) for row in rows] == [("sagemaker:DescribeModel", "lost")]
    assert any(text.startswith("+ Deny") for text in rows[0]["through"])


def test_plans_and_templates_are_inputs_of_build(tmp_path):
    build_lake([CASES / "template.yaml", CASES / "plan.json"], tmp_path / "lake", services=["s3"], keeps=False)
    rows = open_lake(tmp_path / "lake").query("select principal_arn, action, resource_pattern, condition from access")
    told = {tuple(row.values()) for row in rows.to_pylist()}
    trainer = "arn:aws:iam::000000000000:role/ml/trainer-vision"
    assert {row for row in told if row[0] == trainer} == {
        (trainer, "s3:GetObject", "arn:aws:s3:::ml-dev-data/*", None),
        (trainer, "sagemaker:AddTags", "arn:aws:sagemaker:*:*:model/vision-*", None),
        (
            trainer,
            "sagemaker:DescribeModel",
            "arn:aws:sagemaker:*:000000000000:model/*",
            "only on resources tagged team = vision",
        ),
    }
    assert any(row[0] == f"arn:aws:iam::{ACCOUNT}:role/deployer" for row in told)


def test_numbers_of_plans_and_templates_are_the_texts_that_stand_there(tmp_path):
    deny = '{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"k": 1.10}}}'
    text = f'{{"Statement": {deny}}}'
    assert denials(text) != denials(text.replace("1.10", "1.1"))
    made = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": json.loads(text)}}
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Resources": {"P": made}}).replace("1.1", "1.10"))
    read = read_infrastructure(template, ACCOUNT)
    assert '{"k": "1.10"}' in json.dumps(account_details(read.infrastructure.after, ACCOUNT)).replace("\\", "")


def test_a_template_is_compared_with_its_former_text(monkeypatch, tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(TEMPLATE)
    new.write_text(TEMPLATE.replace("aws:ResourceTag/team: !Ref Team", "aws:ResourceTag/team: [!Ref Team, speech]"))
    arguments = ("--fail-on", "new-access", "--format", "jsonl", "--account", ACCOUNT)
    done = run(monkeypatch, "diff", str(old), str(new), *arguments)
    assert done.code == 1
    (row,) = map(json.loads, done.text.splitlines())
    assert (row["action"], row["residual"]) == ("sagemaker:DescribeModel", "wider")
    assert run(monkeypatch, "diff", str(new), str(old), *arguments).code == 0
    monkeypatch.chdir(tmp_path)
    alone = run(monkeypatch, "diff", str(new))
    assert alone.code == 2
    assert "give OLD" in alone.err


def test_a_lake_that_is_named_and_not_there_is_an_error(monkeypatch, tmp_path):
    code, rows, err = gate(monkeypatch, tmp_path, WIDENED, lake=tmp_path / "none")
    assert (code, rows) == (2, [])
    assert "none: no snapshot here" in err


def test_functions_of_templates_come_to_what_they_say_or_are_told():
    def role(name):
        template = {
            "Parameters": {
                "Yes": {"Type": "String", "Default": True},
                "Many": {"Type": "CommaDelimitedList", "Default": "a, b"},
            },
            "Conditions": {
                "C": {"Fn::And": [{"Fn::Equals": [{"Ref": "Yes"}, "true"]}, {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}]},
                "D": {"Fn::Or": [{"Condition": "D"}, {"Condition": "C"}]},
            },
            "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name}}},
        }
        return next(key.name for key in read_template(template, ACCOUNT).after if isinstance(key, Principal))

    assert role({"Fn::Select": [1, {"Ref": "Many"}]}) == "b"
    assert role({"Fn::Select": ["0", {"Fn::Split": ["-", "x-y"]}]}) == "x"
    assert role({"Fn::If": ["D", "yes", "no"]}) == "yes"
    assert role({"Fn::Sub": ["${A}-${AWS::AccountId}-${!B}", {"A": "a"}]}) == f"a-{ACCOUNT}-${{B}}"
    assert role({"Fn::ImportValue": "x"}) == "R"
    assert role({"Fn::Join": 3}) == "R"
    assert role({"Ref": "R"}) == "R"


def test_yaml_is_read_with_short_forms_and_its_mistakes_have_a_place():
    text = b"A: !GetAtt R.Arn\nB: !Sub 'x'\nC: [!Ref Y, 2012-10-17, on, 012, true]\nD: !If [C, 1, ~]\n"
    assert json.loads(json_of(text)) == {
        "A": {"Fn::GetAtt": ["R", "Arn"]},
        "B": {"Fn::Sub": "x"},
        "C": [{"Ref": "Y"}, "2012-10-17", "on", "012", True],
        "D": {"Fn::If": ["C", 1, None]},
    }
    for text, line in ((b"A: [1\nB: 2\n", 2), (b"A: 1\nA: 2\n", 2), (b"? [a]\n: 1\n", 1)):
        with pytest.raises(YamlError) as failure:
            json_of(text)
        assert failure.value.line == line
    with pytest.raises(YamlError):
        json_of(
            b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40))
        )


def test_a_template_that_is_no_yaml_is_an_error_with_its_line(monkeypatch, tmp_path):
    (tmp_path / "broken.yaml").write_text("Resources:\n  A: [\n")
    failed = run(monkeypatch, "diff", str(tmp_path / "broken.yaml"))
    assert failed.code == 2
    assert "broken.yaml:3:1: error" in failed.err


def test_a_resource_whose_condition_is_false_is_not_made():
    found = read_template(json.loads(json_of(TEMPLATE.encode())), ACCOUNT).after
    assert {key.name for key in found if isinstance(key, Principal)} == {"trainer-vision", "Keeper"}


#: What may stand where something else is expected.
ODD = (
    None,
    True,
    3,
    "x",
    "",
    [],
    {},
    [None],
    [{}],
    [["a"]],
    {"a": 1},
    {"Ref": {}},
    {"Fn::Join": [",", [None]]},
    {"Fn::Sub": [1]},
)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_stands_in_a_plan_or_template_is_read_without_a_traceback(seed):
    chance = random.Random(seed)
    for base, read in ((PLAN, read_plan), (json.loads(json_of(TEMPLATE.encode())), read_template)):
        places = [place for place in _places(base) if place]
        for _ in range(150):
            value = copy.deepcopy(base)
            *above, last = chance.choice(places)
            held = value
            for step in above:
                held = held[step]
            held[last] = copy.deepcopy(chance.choice(ODD))
            found = read(value)
            for account in found.accounts:
                json.dumps([account_details(facts, account) for facts in (found.before, found.after)])


def _places(value, above=()):
    yield above
    held = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in held:
        yield from _places(inner, (*above, step))


@pytest.mark.parametrize("policies", [{"Fn::ImportValue": "x"}, {"Fn::If": ["Unknown", [{"PolicyName": "p"}], []]}])
def test_policies_of_a_template_that_are_not_known_never_pass_a_gate(policies, monkeypatch, tmp_path):
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {"Statement": []}}}
    changed = {**role, "Properties": {**role["Properties"], "Policies": policies}}
    unknown = {"Fn::Equals": [{"Fn::ImportValue": "stage"}, "prod"]}
    for name, resource in (("old.json", role), ("new.json", changed)):
        template = {"Conditions": {"Unknown": unknown}, "Resources": {"R": resource}}
        (tmp_path / name).write_text(json.dumps(template))
    done = run(monkeypatch, "diff", str(tmp_path / "old.json"), str(tmp_path / "new.json"), "--fail-on", "new-access")
    assert (done.code, "R.Policies" in done.err) == (1, True)
