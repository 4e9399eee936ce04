"""The gate sees what it once passed in silence: holders, trust, other services and documents that are not known yet."""

import json

import pytest
from cli_run import run

from pipeline.build import build_lake
from pipeline.diff import Wanted, changes
from pipeline.diff.reach import reach
from pipeline.diff.resource_policies import _Comparing, _document, _Pair, policy_changes
from pipeline.diff.unknown import words
from pipeline.infrastructure.cloudformation import read_template
from pipeline.infrastructure.facts import (
    UNKNOWN,
    Attached,
    Attributes,
    Doubt,
    Inline,
    ManagedPolicy,
    Member,
    Principal,
    ResourcePolicy,
    Setting,
    Unread,
    Unresolved,
    account_details,
)
from pipeline.infrastructure.terraform import read_plan
from pipeline.infrastructure.terraform.drafts import drafted
from pipeline.lake import open_lake
from pipeline.reference import load

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
LIST = {"Effect": "Allow", "Action": "sagemaker:ListModels", "Resource": "*"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def resource(address, before, after, unknown=None, actions=None):
    kind = address.split(".")[-2]
    acts = actions or (["create"] if before is None else ["delete"] if after is None else ["update"])
    change = {"actions": acts, "before": before, "after": after, "after_unknown": unknown or {}}
    return {"address": address, "mode": "managed", "type": kind, "change": change}


def plan_of(*changes, configuration=None, **members):
    plan = {"format_version": "1.2", "planned_values": {}, "resource_changes": list(changes), **members}
    return {**plan, "configuration": {"root_module": {"resources": configuration}}} if configuration else plan


def role(**values):
    return {"name": "r", "arn": ROLE, "assume_role_policy": document(TRUST), **values}


def kept(**values):
    return resource("aws_iam_role.r", role(**values), role(**values), actions=["no-op"])


def gate(monkeypatch, tmp_path, new, *arguments, old=None):
    files = []
    for name, value in (("old.json", old), ("new.json", new)):
        if value is not None:
            (tmp_path / name).write_text(json.dumps(value))
            files.append(str(tmp_path / name))
    fixed = ("--fail-on", "new-access", "--format", "jsonl")
    monkeypatch.chdir(tmp_path)  # where no lake is
    done = run(monkeypatch, "diff", *files, *fixed, *arguments)
    return done.code, [json.loads(line) for line in done.text.splitlines()], done.err


def told(rows):
    return sorted((row["principal_arn"] or "", row["action"] or "", row["residual"]) for row in rows)


def test_a_policy_whose_holder_is_not_known_yet_fails_with_what_it_grants(monkeypatch, tmp_path):
    policy = f"arn:aws:iam::{ACCOUNT}:policy/p"
    plan = plan_of(
        resource(
            "aws_iam_policy.p", {"arn": policy, "policy": document(LIST)}, {"arn": policy, "policy": document(LIST)}
        ),
        resource("aws_iam_role_policy_attachment.a", None, {"policy_arn": policy}, {"role": True}),
    )
    code, rows, said = gate(monkeypatch, tmp_path, plan)
    stands = f"arn:aws:iam::{ACCOUNT}:role/{UNKNOWN}/aws_iam_role_policy_attachment.a"
    assert code == 1
    assert told(rows) == [(stands, "", "unknown"), (stands, "sagemaker:ListModels", "wider")]
    assert "? aws_iam_role_policy_attachment.a: role is known only after the change" in rows[-1]["through"]
    assert "new.json is read by itself" in said


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Fn::ImportValue": "x"}]}}, "role"),
        ({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"Groups": {"Fn::ImportValue": "x"}}}, "group"),
        ({"Type": "AWS::IAM::UserPolicy", "Properties": {"UserName": {"Fn::ImportValue": "x"}}}, "user"),
    ],
)
def test_a_holder_that_a_template_does_not_tell_is_a_principal_of_its_own(properties, kind):
    properties["Properties"] |= {"PolicyName": "p", "PolicyDocument": json.loads(document(LIST))}
    found = read_template({"Resources": {"P": properties}}, ACCOUNT).after
    (owner,) = [key for key in found if isinstance(key, Principal)]
    assert (owner.kind, f"/{UNKNOWN}/" in found[owner].arn) == (kind, True)
    assert any(isinstance(key, Unread) and key.owner == owner for key in found)
    assert any(isinstance(key, Inline | Attached) and key.owner == owner for key in found)


def test_a_wider_trust_policy_fails_and_a_narrower_one_passes(monkeypatch, tmp_path):
    other = {**TRUST, "Principal": {"AWS": "arn:aws:iam::444455556666:root"}}
    asked = {**other, "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}
    plan = plan_of(
        resource(
            "aws_iam_role.r",
            role(assume_role_policy=document(TRUST, asked)),
            role(assume_role_policy=document(TRUST, other)),
        )
    )
    code, rows, _ = gate(monkeypatch, tmp_path, plan)
    assert code == 1
    (row,) = rows
    assert (row["principal_arn"], row["action"], row["resource_pattern"], row["residual"]) == (
        "arn:aws:iam::444455556666:root",
        "sts:AssumeRole",
        ROLE,
        "wider",
    )
    assert row["old_condition"] == "only if the external id is x"
    assert row["through"] == [f"+ Allow trust policy of {ROLE}#1", f"- Allow trust policy of {ROLE}#1"]
    change = plan["resource_changes"][0]["change"]
    change["before"], change["after"] = change["after"], change["before"]
    code, rows, _ = gate(monkeypatch, tmp_path, plan)
    assert (code, [row["residual"] for row in rows]) == (0, ["narrower"])


def trusting(*principals, deny=(), **changed):
    allow = [{**TRUST, "Principal": one, **changed} for one in principals]
    return document(*allow, *({**TRUST, "Effect": "Deny", "Principal": one} for one in deny))


X, ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def sparing(*principals):
    """Return a trust policy of everyone that spares some of a Deny."""
    spared = {"AWS": [one["AWS"] for one in principals]}
    return document({**TRUST, "Principal": "*"}, {"Effect": "Deny", "NotPrincipal": spared, "Action": "sts:AssumeRole"})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (trusting(ROOT), trusting({"AWS": ACCOUNT}), []),
        (trusting("*"), trusting({"AWS": "*"}), []),
        (trusting("*"), trusting(X), [("*", "narrower")]),
        (trusting(X), trusting("*"), [("*", "wider")]),
        (trusting(ROOT, deny=[X]), trusting(ROOT), [(X["AWS"], "wider")]),
        (trusting("*", deny=[X]), trusting("*"), [(X["AWS"], "wider")]),
        (trusting(X, deny=["*"]), trusting(X), [(X["AWS"], "wider")]),
        (trusting(ROOT), trusting(ROOT, X), [(X["AWS"], "wider")]),
        (trusting(X), document(), [(X["AWS"], "narrower")]),
        (
            document({**TRUST, "Principal": X}),
            document({"Effect": "Allow", "NotPrincipal": X, "Action": "sts:*"}),
            [(X["AWS"], "narrower")],
        ),
        (sparing(X, ROOT), trusting("*"), [("*", "wider")]),
        (sparing(ROOT), sparing(X, ROOT), [(X["AWS"], "wider")]),
        (sparing(ROOT), sparing(X), [(ROOT["AWS"], "narrower")]),
    ],
)
def test_trust_is_compared_by_whom_it_lets_in(old, new, expected):
    pair = _Pair(ROLE, "trust", _document("o", old, "trust"), _document("n", new, "trust"))
    rows = list(_Comparing(load()).rows(pair))
    assert [(row["principal_arn"], row["residual"]) for row in rows] == sorted(expected)


@pytest.mark.parametrize(
    ("old", "new", "residuals"),
    [
        ({"Resource": "arn:aws:s3:::b/a/*"}, {"Resource": "arn:aws:s3:::b/*"}, {"wider"}),
        ({"Resource": "arn:aws:s3:::b/*"}, {"NotResource": "arn:aws:s3:::b/a/*"}, {"different"}),
        ({"Resource": ["arn:aws:s3:::b/*"]}, {"Resource": "arn:aws:s3:::b/*", "Sid": "Same"}, set()),
        ({"Resource": "arn:aws:s3:::b/*"}, {"Resource": "arn:aws:s3:::b/*", "Action": "s3:Get*"}, {"narrower"}),
    ],
)
def test_policies_of_resources_are_compared_by_resources_and_actions(old, new, residuals):
    base = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"]}
    documents = [_document(name, document({**base, **one}), "resource") for name, one in (("o", old), ("n", new))]
    rows = list(_Comparing(load()).rows(_Pair("arn:aws:s3:::b", "resource", *documents)))
    assert {row["residual"] for row in rows if row["action"] in ("s3:GetObject", "s3:PutObject")} == residuals


def test_services_that_the_lake_does_not_answer_for_are_compared_where_a_change_speaks_of_them(monkeypatch, tmp_path):
    narrow = {"Effect": "Allow", "Action": "s3:GetBucketTagging", "Resource": "arn:aws:s3:::b"}
    plan = plan_of(
        kept(),
        resource(
            "aws_iam_role_policy.p",
            {"role": "r", "name": "p", "policy": document(narrow)},
            {"role": "r", "name": "p", "policy": document({**narrow, "Resource": "*"})},
        ),
    )
    code, rows, said = gate(monkeypatch, tmp_path, plan)
    assert (code, told(rows)) == (1, [(ROLE, "s3:GetBucketTagging", "wider")])
    assert "the change speaks of s3: compared too" in said


KNOWN = frozenset({"iam", "kms", "s3", "ec2", "sagemaker"})
OWNER = Principal(ACCOUNT, "role", "r")


def allow(action, element="Action", resources="*"):
    return document({"Effect": "Allow", element: action, "Resource": resources})


@pytest.mark.parametrize(
    ("before", "after", "services", "unknown"),
    [
        ({}, {Inline(OWNER, "p"): allow("ec2:Run*")}, {"ec2"}, set()),
        ({Inline(OWNER, "p"): allow("ec2:Run*")}, {Inline(OWNER, "p"): allow("ec2:Run*")}, set(), set()),
        ({}, {Inline(OWNER, "p"): allow("nosuch:Do")}, set(), {"nosuch"}),
        ({}, {Inline(OWNER, "p"): allow("*")}, {"iam", "kms", "s3"}, set()),
        ({}, {Inline(OWNER, "p"): allow("sagemaker:*", "NotAction")}, {"iam", "kms", "s3", "sagemaker"}, set()),
        ({}, {Inline(OWNER, "p"): allow("*", resources="arn:aws:ec2:*:*:*")}, {"iam", "kms", "s3", "ec2"}, set()),
        (
            {ManagedPolicy("p"): allow("ec2:*")},
            {ManagedPolicy("p"): allow("ec2:*"), Attached(OWNER, "p"): True},
            {"ec2"},
            set(),
        ),
        (
            {
                OWNER: Attributes(ROLE, boundary="b"),
                Inline(OWNER, "p"): allow("ec2:*"),
                ManagedPolicy("b"): allow("s3:*"),
            },
            {OWNER: Attributes(ROLE), Inline(OWNER, "p"): allow("ec2:*"), ManagedPolicy("b"): allow("s3:*")},
            {"ec2", "s3"},
            set(),
        ),
        (
            {OWNER: Attributes(ROLE, trust="a"), Inline(OWNER, "p"): allow("ec2:*")},
            {OWNER: Attributes(ROLE, trust="b"), Inline(OWNER, "p"): allow("ec2:*")},
            set(),
            set(),
        ),
    ],
)
def test_a_change_speaks_of_the_services_of_what_it_gives_takes_and_limits(before, after, services, unknown):
    assert reach(before, after, KNOWN) == (services, unknown)


CONDITIONAL = {
    "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
    "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
}


def template(action, other="sagemaker:ListModels", **members):
    chosen = {"Fn::If": ["IsProd", action, other]}
    policy = {"PolicyName": "p", "PolicyDocument": json.loads(allow(chosen))}
    properties = {"RoleName": "r", "AssumeRolePolicyDocument": {"Statement": [TRUST]}, "Policies": [policy]}
    return {**CONDITIONAL, "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}, **members}


def doubts(value, **parameters):
    return set(read_template(value, ACCOUNT, parameters).doubts)


def test_the_branch_of_a_condition_that_a_default_decides_against_is_a_doubt_until_the_parameter_is_given():
    old, new = template("sagemaker:ListModels", "sagemaker:ListApps"), template("sagemaker:*", "sagemaker:ListApps")
    (doubt,) = doubts(new) - doubts(old)
    assert doubt.where == "IsProd"
    assert "--parameter Stage=VALUE" in doubt.why
    assert doubts(new) == doubts(json.loads(json.dumps(new)))
    assert doubts(template("sagemaker:ListApps", "sagemaker:ListApps")) == set()
    for stage, action in (("prod", "sagemaker:*"), ("dev", "sagemaker:ListApps")):
        assert doubts(new, Stage=stage) == set()
        text = read_template(new, ACCOUNT, {"Stage": stage}).after[Inline(OWNER, "p")]
        assert json.loads(text)["Statement"][0]["Action"] == action


def test_a_nested_branch_and_a_region_that_only_the_deployment_knows_are_doubts():
    nested = template({"Fn::If": ["IsHere", "sagemaker:ListTags", "sagemaker:*"]})
    nested["Conditions"]["IsHere"] = {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    changed = json.loads(json.dumps(nested).replace('"sagemaker:*"', '"sagemaker:Delete*"'))
    assert len(doubts(changed) - doubts(nested)) == 1
    assert doubts(nested, Stage="prod", **{"AWS::Region": "eu-west-1"}) == set()


def test_a_template_passes_the_gate_with_the_parameter_that_leaves_the_wide_branch_out(monkeypatch, tmp_path):
    old, new = template("sagemaker:ListModels"), template("sagemaker:List*")
    code, rows, _ = gate(monkeypatch, tmp_path, new, "--account", ACCOUNT, old=old)
    assert (code, told(rows)) == (1, [("", "", "unknown")])
    code, rows, _ = gate(monkeypatch, tmp_path, new, "--account", ACCOUNT, "--parameter", "Stage=dev", old=old)
    assert (code, rows) == (0, [])
    code, _, said = gate(monkeypatch, tmp_path, new, "--parameter", "Stag=dev", old=old)
    assert (code, "--parameter Stag: no template here" in said) == (2, True)


@pytest.mark.parametrize(
    "changed",
    [
        {"F": {"Type": "AWS::Serverless::Function", "Properties": {"Policies": ["AmazonSageMakerFullAccess"]}}},
        {"Fn::ForEach::Roles": ["Name", ["a", "b"], {"R${Name}": {"Type": "AWS::IAM::Role", "Properties": {}}}]},
        {"S": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://x"}}},
        {"Q": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": {}}}},
        {"P": {"Type": "AWS::SSO::PermissionSet", "Properties": {}}},
        {"B": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"PolicyDocument": {"Fn::ImportValue": "x"}}}},
        {"M": {"Type": "Acme::Some::Role::MODULE", "Properties": {}}},
    ],
)
def test_resources_of_a_template_that_are_not_read_are_doubts_until_they_stay_as_they_are(changed):
    (doubt,) = doubts({"Resources": changed})
    assert doubt.where in changed
    other = json.dumps({"Resources": changed}).replace(
        '"Properties": {', '"Properties": {"AccessPolicies": {"Ref": "x"}, '
    )
    assert doubts(json.loads(other.replace(", }", "}"))) != {doubt}


def test_macros_are_doubts_but_those_that_make_no_principals():
    resources = {"T": {"Type": "AWS::SNS::Topic"}}
    for transform, count in (("AWS::LanguageExtensions", 0), (["AWS::Serverless-2016-10-31"], 0), ("Mine", 1)):
        assert len(doubts({"Transform": transform, "Resources": resources})) == count


@pytest.mark.parametrize(
    "change",
    [
        {"type": "aws_iam_role", "change": {"actions": ["create"], "before": None, "after": {}}},
        {"address": "aws_iam_role.r", "type": "aws_iam_role"},
        {"address": "aws_iam_role.r", "type": "aws_iam_role", "change": {"before": None, "after": {}}},
        "aws_iam_role.r",
        resource("awscc_iam_role.r", {}, {"policies": []}),
        resource("aws_ssoadmin_permission_set_inline_policy.p", None, {}),
        resource("aws_iam_role_policies_exclusive.p", None, {}),
        resource("aws_organizations_account.a", {"parent_id": "ou-1"}, {"parent_id": "ou-2"}),
        resource("aws_lambda_permission.p", None, {}),
        resource("aws_cloudformation_stack.s", {"template_body": "a"}, {"template_body": "b"}),
        resource("aws_s3_bucket_policy.b", {"bucket": "b", "policy": "{}"}, {"bucket": "b"}, {"policy": True}),
        resource("module.x.aws_organizations_policy_attachment.a", None, {"policy_id": "p-1"}, {"target_id": True}),
    ],
)
def test_entries_of_a_plan_that_are_not_read_are_doubts(change):
    assert len(read_plan(plan_of(change)).doubts) == 1
    if isinstance(change, dict) and "change" in change and change["change"].get("actions") == ["update"]:
        calm = {**change, "change": {**change["change"], "actions": ["no-op"], "after": change["change"]["before"]}}
        assert not read_plan(plan_of({**calm, "change": {**calm["change"], "after_unknown": {}}})).doubts


@pytest.mark.parametrize("members", [{"complete": False}, {"errored": True}, {"deferred_changes": [{}]}])
def test_a_plan_that_is_not_the_whole_change_is_a_doubt(members):
    assert len(read_plan(plan_of(**members)).doubts) == 1


def test_an_endpoint_whose_policy_stays_is_no_doubt():
    before = {"policy": document(LIST), "tags": {}}
    for after, count in (({**before, "tags": {"a": "b"}}, 0), ({**before, "policy": None}, 1)):
        assert len(read_plan(plan_of(resource("aws_vpc_endpoint.e", before, after))).doubts) == count


def test_what_terraform_forgets_stays():
    plan = plan_of(resource("aws_iam_role.r", role(), None, actions=["forget"]))
    assert OWNER in read_plan(plan).after
    assert OWNER not in read_plan(plan_of(resource("aws_iam_role.r", role(), None))).after


def test_references_are_followed_through_outputs_and_variables_of_modules():
    def refers(*names):
        return {"references": list(names)}

    attachment = "aws_iam_role_policy_attachment.a"
    inner = {"resources": [{"address": attachment, "expressions": {"role": refers("var.role"), "policy_arn": {}}}]}
    roles = {"resources": [{"address": "aws_iam_role.r", "expressions": {}}]}
    roles["outputs"] = {"id": {"expression": refers("aws_iam_role.r.id", "aws_iam_role.r")}}
    root = {
        "module_calls": {
            "roles": {"module": roles},
            "grants": {"module": inner, "expressions": {"role": refers('module.roles["a"].id', "module.roles")}},
        }
    }
    new = {"name_prefix": "r-", "assume_role_policy": document(TRUST)}
    plan = plan_of(
        kept(),
        resource('module.roles["a"].aws_iam_role.r', None, new),
        resource('module.roles["b"].aws_iam_role.r', None, new),
        resource(f"module.grants.{attachment}", None, {"policy_arn": "arn:aws:iam::aws:policy/P"}, {"role": True}),
    )
    for change in plan["resource_changes"][1:3]:
        change["type"] = "aws_iam_role"
    found = read_plan({**plan, "configuration": {"root_module": root}}).after
    (attached,) = [key for key in found if isinstance(key, Attached)]
    assert attached.owner.name == 'r-module.roles["a"].aws_iam_role.r'
    root["module_calls"]["grants"]["expressions"]["role"] = refers("module.roles.id")
    found = read_plan({**plan, "configuration": {"root_module": root}}).after
    (attached,) = [key for key in found if isinstance(key, Attached)]
    assert UNKNOWN in found[attached.owner].arn


@pytest.mark.parametrize("argument", ["inline_policy", "managed_policy_arns"])
def test_lists_of_a_role_that_are_unknown_count_unless_the_configuration_gives_none(argument):
    new = resource("aws_iam_role.r", None, {"name": "r", "assume_role_policy": document(TRUST)}, {argument: True})
    given = [{"address": "aws_iam_role.r", "expressions": {argument: {"references": ["local.x"]}}}]
    silent = [{"address": "aws_iam_role.r", "expressions": {"name": {}}}]
    for configuration, is_unread in ((None, True), (given, True), (silent, False)):
        found = read_plan(plan_of(new, configuration=configuration)).after
        assert any(isinstance(key, Unread) for key in found) is is_unread


@pytest.mark.parametrize(
    ("unknown", "is_unread"),
    [
        ({"tags_all": True}, True),
        ({"tags": True}, True),
        ({"tags": {"team": True}}, True),
        ({"tags_all": {"t": True}}, True),
    ],
)
def test_a_tag_whose_value_is_not_known_yet_marks_its_principal(unknown, is_unread):
    found = read_plan(plan_of(resource("aws_iam_role.r", None, role(tags={"team": None}), unknown))).after
    assert any(isinstance(key, Unread) for key in found) is is_unread


@pytest.mark.parametrize(
    ("expressions", "is_unread"), [({"region": {}}, False), ({"default_tags": [{"tags": {}}]}, True)]
)
def test_tags_that_only_defaults_can_bring_are_unknown_where_the_provider_gives_any(expressions, is_unread):
    plan = plan_of(
        resource("aws_iam_role.r", role(tags={"a": "b"}), role(tags={"a": "b"}), {"tags_all": True}),
        configuration=[{"address": "aws_iam_role.r", "provider_config_key": "aws", "expressions": {"tags": {}}}],
    )
    plan["configuration"]["provider_config"] = {"aws": {"name": "aws", "expressions": expressions}}
    assert granted(plan) == (set(), is_unread)


def test_a_tag_whose_value_only_apply_tells_fails_the_gate(monkeypatch, tmp_path):
    tags = {"tags": {"a": "b"}, "tags_all": {"a": "b"}}
    only = {**WIDE, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "admin"}}}
    own = {"name": "p", "role": "r", "policy": document(only)}
    flags = {"tags": {"team": True}, "tags_all": {"team": True}}
    for unknown, after in ((flags, role(**tags)), ({"tags_all": True}, role(tags={"a": "b"}))):
        plan = plan_of(
            resource("aws_iam_role_policy.p", own, own, actions=["no-op"]),
            resource("aws_iam_role.r", role(**tags), after, unknown),
        )
        code, rows, _ = gate(monkeypatch, tmp_path, plan)
        assert (code, told(rows)) == (1, [(ROLE, "", "unknown")])


def test_members_that_are_not_known_yet_get_what_the_group_has():
    members = resource("aws_iam_group_membership.m", None, {"group": "g", "users": [None]}, {"users": [True]})
    groups = resource("aws_iam_user_group_membership.m", None, {"user": "u", "groups": [None]}, {"groups": [True]})
    found = read_plan(plan_of(kept(), members, groups)).after
    (member,) = [key for key in found if isinstance(key, Member)]
    assert (member.user.name, member.group) == ("aws_iam_group_membership.m", "g")
    unread = {key.owner for key in found if isinstance(key, Unread)}
    assert {member.user, Principal(ACCOUNT, "user", "u")} <= unread


def test_policies_of_resources_in_plans_and_templates_are_read():
    text = document({**LIST, "Principal": "*", "Resource": "*"})
    name = {"model_package_group_name": "g", "resource_policy": text}
    plan = plan_of(
        kept(), resource("aws_sagemaker_model_package_group_policy.g", None, {**name, "region": "eu-west-1"})
    )
    arn = "arn:aws:sagemaker:{}:{}:model-package-group/g"
    assert read_plan(plan).after[ResourcePolicy(arn.format("eu-west-1", ACCOUNT))] == text
    group = {"ModelPackageGroupName": "g", "ModelPackageGroupPolicy": json.loads(text)}
    found = read_template(
        {"Resources": {"G": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": group}}}, ACCOUNT
    )
    assert ResourcePolicy(arn.format("us-east-1", ACCOUNT)) in found.after


def test_a_resource_policy_of_a_plan_that_lets_another_account_in_fails(monkeypatch, tmp_path):
    named = {"model_package_group_name": "g"}
    resource_arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/g"
    own = {**LIST, "Action": "sagemaker:DescribeModelPackageGroup", "Resource": resource_arn}
    sides = [
        {**named, "resource_policy": document({**own, "Principal": {"AWS": f"arn:aws:iam::{one}:root"}})}
        for one in (ACCOUNT, "444455556666")
    ]
    code, rows, _ = gate(
        monkeypatch, tmp_path, plan_of(kept(), resource("aws_sagemaker_model_package_group_policy.g", *sides))
    )
    assert code == 1
    assert ("arn:aws:iam::444455556666:root", "sagemaker:DescribeModelPackageGroup", "wider") in told(rows)


def test_an_unknown_that_refers_to_something_else_is_another_unknown():
    def missing(value):
        properties = {"RoleName": "r", "AssumeRolePolicyDocument": {"Statement": [TRUST]}, "ManagedPolicyArns": [value]}
        facts = read_template({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}}, ACCOUNT).after
        (found,) = account_details(facts, ACCOUNT)["RoleDetailList"]
        return found["AttachedManagedPolicies"][0]["PolicyArn"]

    assert missing({"Fn::ImportValue": "a"}) == missing({"Fn::ImportValue": "a"}) != missing({"Fn::ImportValue": "b"})
    assert words(missing({"Fn::ImportValue": "a"})) == "R.ManagedPolicyArns is known only after the change"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("arn:aws:iam::aws:policy/P", "the document of arn:aws:iam::aws:policy/P is not known; give a lake"),
        (
            f"arn:aws:iam::{ACCOUNT}:policy/P",
            f"the document of arn:aws:iam::{ACCOUNT}:policy/P is not there, or could not",
        ),
        ("inline policy p of r", "inline policy p of r is not there, or could not be read"),
        (
            f"arn:aws:iam::{ACCOUNT}:policy/{UNKNOWN}/lacking/arn:aws:iam::aws:policy/P",
            "the document of arn:aws:iam::aws:",
        ),
        (
            f"arn:aws:iam::{ACCOUNT}:policy/{UNKNOWN}/inline/p#0123456789ab",
            "inline policy p is known only after the change",
        ),
    ],
)
def test_only_what_the_change_brings_is_said_to_be_known_after_it(missing, said):
    assert words(missing).startswith(said)


def test_a_policy_of_which_nothing_is_known_does_not_pass_as_it_comes_or_goes(monkeypatch, tmp_path):
    attached = {"role": "r", "policy_arn": "arn:aws:iam::aws:policy/AWSDenyAll"}
    plan = plan_of(kept(), resource("aws_iam_role_policy_attachment.a", attached, None))
    code, rows, _ = gate(monkeypatch, tmp_path, plan)
    assert (code, told(rows)) == (1, [(ROLE, "", "unknown")])
    assert "it may have been a Deny" in rows[0]["through"][0]
    plan["resource_changes"][1]["change"] = {"actions": ["create"], "before": None, "after": attached}
    code, rows, said = gate(monkeypatch, tmp_path, plan)
    assert (code, told(rows)) == (1, [(ROLE, "", "unknown")])
    assert "AWSDenyAll is not known; give a lake" in rows[0]["through"][0]
    assert "export the account again" not in said


def test_a_role_of_which_only_the_name_is_known_fails_with_what_to_give(monkeypatch, tmp_path):
    deny = {"role": "elsewhere", "name": "d", "policy": document({**LIST, "Effect": "Deny"})}
    code, rows, _ = gate(monkeypatch, tmp_path, plan_of(kept(), resource("aws_iam_role_policy.d", deny, None)))
    assert code == 1
    assert rows[0]["through"] == [
        f"? arn:aws:iam::{ACCOUNT}:role/elsewhere: what else it has is not known; give a lake that has its account"
    ]


def test_trust_policies_of_two_exports_are_compared_and_narrowed_like_other_rows(monkeypatch, tmp_path):
    other = {**TRUST, "Principal": {"AWS": "444455556666"}}
    for side, statements in (("old", [TRUST]), ("new", [TRUST, other])):
        owner = Principal(ACCOUNT, "role", "r")
        details = account_details({owner: Attributes(ROLE, trust=document(*statements))}, ACCOUNT)
        (tmp_path / side).mkdir()
        (tmp_path / side / "account.json").write_text(json.dumps(details))
        build_lake([tmp_path / side], tmp_path / f"{side}-lake", keeps=False)
    lakes = [open_lake(tmp_path / f"{side}-lake") for side in ("old", "new")]
    for wanted, count in (
        (Wanted(), 1),
        (Wanted(principal="r"), 1),
        (Wanted(principal=ROLE, action="AssumeRole", account=ACCOUNT), 1),
        (Wanted(action="sts:Tag*"), 0),
        (Wanted(account="999988887777"), 0),
    ):
        found = policy_changes(*lakes, load(), *wanted)
        assert [row["principal_arn"] for row in found] == ["arn:aws:iam::444455556666:root"] * count
    assert changes(*lakes, load()).num_rows == 1


def federated(operator, value, **further):
    web = {
        **TRUST,
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
    }
    condition = {operator: {"token.actions.githubusercontent.com:sub": value}, **further}
    return document({**web, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition})


AUDIENCE = {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}


@pytest.mark.parametrize(
    ("old", "new", "residuals"),
    [
        (federated("StringLike", "repo:o/a:ref:*"), federated("StringLike", "repo:o/*"), ["wider"]),
        (federated("StringLike", "repo:o/*"), federated("StringLike", "repo:o/a:ref:*"), ["narrower"]),
        (federated("StringLike", "repo:o/*"), federated("StringLike", "repo:o/*", **AUDIENCE), ["narrower"]),
        (federated("StringLike", "repo:o/a"), federated("StringLike", "repo:o/b"), ["different"]),
        (federated("StringLike", "repo:o/a"), federated("ForAnyValue:StringLike", ["repo:o/a"]), []),
    ],
)
def test_conditions_of_identity_providers_are_compared_by_what_they_allow(old, new, residuals):
    pair = _Pair(ROLE, "trust", _document("o", old, "trust"), _document("n", new, "trust"))
    assert [row["residual"] for row in _Comparing(load()).rows(pair)] == residuals


WIDE = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
P = f"arn:aws:iam::{ACCOUNT}:policy/p"


def granted(plan, owner=None):
    """Return what a role has after a plan: texts of inline policies and ARNs, and whether it is incomplete."""
    owner = owner or Principal(ACCOUNT, "role", "r")
    found = read_plan(plan).after
    held = {value for key, value in found.items() if isinstance(key, Inline) and key.owner == owner}
    held |= {key.arn for key in found if isinstance(key, Attached) and key.owner == owner}
    return held, any(isinstance(key, Unread) and key.owner == owner for key in found)


def moved(after, *, inline, actions=("delete",)):
    """Return changes of a role whose policy p a resource of its own brings, at least before."""
    if inline:
        own = {"name": "p", "role": "r", "policy": document(LIST)}
        lists = [{"inline_policy": [{"name": "p", "policy": document(one)}]} for one in (LIST, after)]
        kind = "aws_iam_role_policy.p"
    else:
        own, kind = {"role": "r", "policy_arn": P}, "aws_iam_role_policy_attachment.p"
        lists = [{"managed_policy_arns": [P]}, {"managed_policy_arns": after}]
    brought = resource(kind, own, None if "delete" in actions else own, actions=list(actions))
    return brought, resource("aws_iam_role.r", role(**lists[0]), role(**lists[1]))


def configured(*arguments):
    return [{"address": "aws_iam_role.r", "expressions": {name: {} for name in ("name", *arguments)}}]


def test_a_policy_that_moves_into_its_role_counts_as_the_role_has_it(monkeypatch, tmp_path):
    code, rows, _ = gate(monkeypatch, tmp_path, plan_of(*moved(WIDE, inline=True)))
    assert code == 1
    assert {row["residual"] for row in rows} == {"wider"}
    attached = moved([P], inline=False)
    assert granted(plan_of(*attached, configuration=configured("managed_policy_arns"))) == ({P}, False)
    assert granted(plan_of(*attached, configuration=configured())) == (set(), False)
    assert granted(plan_of(*attached)) == ({P}, True)
    assert granted(plan_of(*moved([P, P + "2"], inline=False))) == ({P, P + "2"}, False)


def test_a_role_repeats_what_stays_brought_but_what_it_says_otherwise_counts_too():
    stays = {"inline": True, "actions": ("no-op",)}
    assert granted(plan_of(*moved(LIST, **stays))) == ({document(LIST)}, False)
    assert granted(plan_of(*moved(WIDE, **stays))) == ({document(LIST), document(WIDE)}, False)


def test_policies_of_roles_of_the_same_name_in_other_accounts_are_told_apart():
    other = "444455556666"
    lists = [{"inline_policy": [{"name": "p", "policy": document(one)}]} for one in (LIST, WIDE)]
    arn = f"arn:aws:iam::{other}:role/r"
    own = {"name": "p", "role": "r", "policy": document(LIST)}
    plan = plan_of(
        resource("aws_iam_role_policy.p", own, own, actions=["no-op"]),
        kept(),
        resource("aws_iam_role.other", {**role(**lists[0]), "arn": arn}, {**role(**lists[1]), "arn": arn}),
    )
    owner = Principal(other, "role", "r")
    assert read_plan(plan).before[Inline(owner, "p")] == document(LIST)
    assert granted(plan, owner) == ({document(WIDE)}, False)


PLAIN_ROLE = {"RoleName": "r", "AssumeRolePolicyDocument": {"Statement": [TRUST]}}
INCLUDED = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/x.yaml"}}}
LOOPED = {"Fn::ForEach::P": ["X", ["Policies"], {"${X}": []}]}


def of_role(properties, beside=None, **others):
    made = {"Type": "AWS::IAM::Role", "Properties": {**PLAIN_ROLE, **properties}, **(beside or {})}
    return {"Resources": {"R": made, **others}}


@pytest.mark.parametrize("macro", [INCLUDED, LOOPED])
def test_macros_and_loops_are_doubts_wherever_they_stand(macro, monkeypatch, tmp_path):
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": [LIST]}, **macro}
    bucket = {"Type": "AWS::S3::Bucket", **macro}
    places = (
        of_role({}, None, **macro), of_role(macro), of_role({}, macro), of_role({"Policies": [policy]}),
        {**of_role({}), **macro}, {**of_role({}), "Mappings": macro}, of_role({}, None, B=bucket),
    )  # fmt: skip
    for value in places:
        (doubt,) = doubts(value)
        assert "are not run" in doubt.why
    assert not doubts(of_role({}))
    code, rows, _ = gate(monkeypatch, tmp_path, places[1], old=of_role({}))
    assert (code, told(rows)) == (1, [("", "", "unknown")])


def test_functions_that_are_not_computed_are_unknown():
    for value in ({"Fn::Length": ["a"]}, {"Effect": "Allow", **INCLUDED}):
        policy = {"PolicyName": "p", "PolicyDocument": {"Statement": [{**LIST, "Resource": value}]}}
        found = read_template(of_role({"Policies": [policy]}), ACCOUNT).after
        assert isinstance(found[Inline(OWNER, "p")], Unresolved)


DYNAMIC = "{{resolve:ssm:/x}}"


@pytest.mark.parametrize(
    "value", [DYNAMIC, {"Fn::Sub": f"a{DYNAMIC}"}, {"Fn::Join": ["", ["a", DYNAMIC]]}, {"Ref": "P"}]
)
def test_dynamic_references_are_known_only_after_deployment(value):
    def read(properties, **others):
        template = of_role(properties, None, **others)
        return read_template({**template, "Parameters": {"P": {"Type": "String", "Default": DYNAMIC}}}, ACCOUNT).after

    for element in ("Action", "Resource"):
        policy = {"PolicyName": "p", "PolicyDocument": {"Statement": [{**LIST, element: value}]}}
        assert isinstance(read({"Policies": [policy]})[Inline(OWNER, "p")], Unresolved)
    trust = {"Statement": [{**TRUST, "Principal": {"AWS": value}}]}
    for properties in ({"AssumeRolePolicyDocument": trust}, {"ManagedPolicyArns": [value]}):
        found = read(properties)
        assert any(isinstance(key, Unread) and key.owner == OWNER for key in found)
        assert "resolve" not in repr(found)
    managed = {"Roles": [value], "PolicyDocument": {"Statement": [LIST]}}
    (holder,) = [
        key.owner
        for key in read({}, M={"Type": "AWS::IAM::ManagedPolicy", "Properties": managed})
        if isinstance(key, Attached)
    ]
    assert holder.name == "M.Roles"


def test_a_document_that_is_not_known_is_another_where_its_known_part_changes():
    def unresolved(default):
        policy = {"PolicyName": "p", "PolicyDocument": {"Statement": [{**LIST, "Action": {"Ref": "P"}}, DYNAMIC]}}
        template = {**of_role({"Policies": [policy]}), "Parameters": {"P": {"Type": "String", "Default": default}}}
        return read_template(template, ACCOUNT).after[Inline(OWNER, "p")]

    assert unresolved("sagemaker:List*") == unresolved("sagemaker:List*") != unresolved("sagemaker:*")


OPEN = document({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
OWN = OPEN.replace('"*"', f'"{ACCOUNT}"', 1)


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        ("aws_s3_bucket", "policy"),
        ("aws_glacier_vault", "access_policy"),
        ("aws_opensearch_domain", "access_policies"),
        ("aws_codeartifact_domain_permissions_policy", "policy_document"),
        ("aws_s3tables_table_policy", "resource_policy"),
        ("aws_cloudwatch_event_bus_policy", "policy"),
        ("aws_new_thing", "anything"),
    ],
)
def test_policies_of_resources_that_no_reader_reads_are_doubts_where_they_change(kind, argument):
    def count(before, after, unknown=None, **members):
        return len(read_plan(plan_of(resource(f"{kind}.x", before, after, unknown), **members)).doubts)

    one, other = {argument: OWN, "tags": {}}, {argument: OPEN, "tags": {}}
    assert count(one, other) == count(None, other) == count(one, {"tags": {}}) == 1
    assert count({"x": [one]}, {"x": [{argument: json.loads(OPEN)}]}) == 1
    assert count(one, {**one, "tags": {"a": "b"}}) == 0
    is_named = argument != "anything"
    assert count(None, {}, {argument: True}) == is_named
    for given, expected in (({argument: {}}, is_named), ({"name": {}}, False)):
        assert (
            count(None, {}, {argument: True}, configuration=[{"address": f"{kind}.x", "expressions": given}])
            == expected
        )


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        ("aws_sqs_queue", "redrive_policy"),
        ("aws_kms_key", "policy"),
        ("aws_iam_role", "assume_role_policy"),
        ("google_x", "policy"),
    ],
)
def test_what_gives_no_access_or_is_read_is_no_doubt(kind, argument):
    before = {
        "name": "x",
        "arn": ROLE,
        argument: OWN if kind.startswith("aws_") and argument != "redrive_policy" else "{}",
    }
    after = {**before, argument: before[argument].replace(ACCOUNT, "*")}
    flags = {argument: True} if argument == "redrive_policy" or kind == "google_x" else {}
    assert not read_plan(plan_of(resource(f"{kind}.x", before, after, flags))).doubts


@pytest.mark.parametrize(
    "kind", ["aws_s3control_access_grant", "aws_lakeformation_permissions", "aws_identitystore_group_membership"]
)
def test_access_that_has_no_document_is_doubted_by_its_type(kind):
    assert len(read_plan(plan_of(resource(f"{kind}.x", None, {}))).doubts) == 1


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::S3::AccessPoint", {"Policy": json.loads(OPEN)}),
        ("AWS::ApiGateway::RestApi", {"Policy": json.loads(OPEN)}),
        ("AWS::Events::EventBus", {"Policy": OPEN}),
        ("AWS::CodeArtifact::Domain", {"PermissionsPolicyDocument": {"Fn::ImportValue": "x"}}),
        ("AWS::ECR::RegistryPolicy", {"PolicyText": json.loads(OPEN)}),
        ("AWS::Events::EventBusPolicy", {"Principal": "*", "Action": "events:PutEvents"}),
        ("AWS::Serverless::Api", {"Auth": {"ResourcePolicy": {"CustomStatements": json.loads(OPEN)["Statement"]}}}),
        ("AWS::Serverless::Api", {"Auth": {"ResourcePolicy": {"AwsAccountWhitelist": ["444455556666"]}}}),
        ("AWS::S3::AccessGrant", {"Permission": "READ"}),
        ("AWS::Serverless::GraphQLApi", {}),
        ("AWS::New::Thing", {"Anything": [{"Statement": {"Ref": "P"}}]}),
    ],
)
def test_policies_of_resources_of_a_template_that_no_reader_reads_are_doubts(kind, properties):
    def found(**others):
        template = {
            "Parameters": {"P": {"Type": "String"}},
            "Resources": {"X": {"Type": kind, "Properties": properties}},
        }
        return doubts({**template, **others})

    (doubt,) = found()
    assert doubt.where == "X"
    assert found(Outputs={}) == {doubt}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::SQS::Queue", {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["D", "Arn"]}}}),
        ("AWS::WAFv2::WebACL", {"Rules": [{"Statement": {"IPSetReferenceStatement": {"Arn": {"Ref": "P"}}}}]}),
        ("AWS::Lambda::Function", {"Role": {"Fn::GetAtt": ["R", "Arn"]}, "Code": {"ZipFile": "Principal"}}),
    ],
)
def test_resources_of_a_template_that_give_no_access_are_no_doubts(kind, properties):
    assert not doubts(of_role({}, None, X={"Type": kind, "Properties": properties}))


def test_a_policy_of_a_type_that_is_not_read_fails_the_gate(monkeypatch, tmp_path):
    plan = plan_of(kept(), resource("aws_sqs_queue.q", {"policy": OWN}, {"policy": OPEN}))
    code, rows, _ = gate(monkeypatch, tmp_path, plan)
    assert (code, told(rows)) == (1, [("", "", "unknown")])


@pytest.mark.parametrize(
    ("arguments", "actions"),
    [
        ({"source_policy_documents": [document({**LIST, "Sid": "S", "Action": "sagemaker:A"}), None]}, ["b", "c", "A"]),
        ({"source_json": document({**LIST, "Action": "sagemaker:A"})}, ["b", "c", "A"]),
        ({"source_policy_documents": [document({**LIST, "Sid": "Own", "Action": "sagemaker:A"})]}, ["b", "c"]),
        ({"override_policy_documents": [document({**LIST, "Sid": "Own", "Action": "sagemaker:A"})]}, ["A", "c"]),
        ({"override_json": document({**LIST, "Sid": "Own", "Effect": "Deny", "Action": "sagemaker:A"})}, ["c"]),
        ({"override_policy_documents": ["no JSON", None]}, ["b", "c"]),
    ],
)
def test_what_is_known_of_a_deferred_document_has_its_sources_and_overrides_by_sid(arguments, actions):
    own = [
        {"sid": "Own", "actions": ["sagemaker:b"]},
        {"effect": "Deny", "actions": ["x"]},
        {"actions": ["sagemaker:c"]},
    ]
    text = drafted({"after": {"statement": own, **arguments}, "after_unknown": {"json": True}})
    found = [one["Action"] for one in json.loads(text)["Statement"]]
    assert sorted(one if isinstance(one, str) else one[0] for one in found) == sorted(f"sagemaker:{a}" for a in actions)


@pytest.mark.parametrize(
    "unknown",
    [
        {"permissions_boundary": True},
        {"assume_role_policy": True},
        {"inline_policy": True},
        {"inline_policy": [{"policy": True}]},
        {"managed_policy_arns": True},
        {"tags": {"team": True}},
    ],
)
def test_each_part_of_a_role_that_a_plan_does_not_know_makes_it_incomplete(unknown):
    ((argument, _),) = unknown.items()
    values = {name: value for name, value in role().items() if name != argument}
    is_document = isinstance(unknown[argument], list)
    values |= {argument: [{"name": "p"}]} if is_document else {}
    given = [{"address": "aws_iam_role.r", "expressions": {argument: {}}}]
    found = read_plan(plan_of(resource("aws_iam_role.r", role(), values, unknown), configuration=given))
    assert not any(isinstance(key, Unread | Doubt) for key in found.before)
    told = [key.what for key in found.after if isinstance(key, Unread)]
    assert told == ([] if is_document else [f"aws_iam_role.r: {argument}"])
    assert any(isinstance(value, Unresolved) for value in found.after.values()) == is_document


def test_an_unknown_role_of_a_resource_is_another_one():
    def settings(unknown):
        change = resource("aws_sagemaker_notebook_instance.n", {"role_arn": ROLE}, {}, unknown)
        return {key.what: value for key, value in read_plan(plan_of(change)).after.items() if isinstance(key, Setting)}

    assert settings({}) == {}
    (roles,) = settings({"role_arn": True}).values()
    assert "known only after apply" in str(roles)
