"""Simulate from the lake: what it knows of principal and resource counts, and a line may not contradict it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from asking import KNOWN, NOTEBOOK, allowed_if, answers, ask
from flat_lake import flat_lake
from ingest_inputs import arn, attached, document, export, group, inline, managed, role, user, write

from pipeline.errors import PolicylakeError
from pipeline.lake import Lake
from pipeline.simulate import simulate_lines

Json = Any
OTHER = "444455556666"


TRUST = document("sts:AssumeRole", Principal={"AWS": "111122223333"})
del TRUST["Statement"][0]["Resource"]
TAGGING = json.loads(json.dumps(TRUST).replace('"sts:AssumeRole"', '["sts:AssumeRole", "sts:Tag*"]'))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("inputs")
    guard = managed(arn("policy/guard"), document("sagemaker:Describe*"))
    tests = {
        "org": ("StringEquals", "aws:PrincipalOrgID", "o-exampleorgid"),
        "path": ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-exampleorgid/r-ab12/ou-ab12-11111111/"),
        "tag": ("StringEquals", "aws:PrincipalTag/Team", "vision"),
        "id": ("StringLike", "aws:userid", "AIDAEXAMPLE*"),
        "account": ("StringEquals", "aws:ResourceAccount", "111122223333"),
        "owner": ("StringEquals", "aws:ResourceOrgID", "o-exampleorgid"),
        "project": ("StringEquals", "aws:ResourceTag/Project", "A"),
        "alias": ("StringEquals", "sagemaker:ResourceTag/Project", "A"),
    }
    users = [
        user(
            name,
            UserId=f"AIDAEXAMPLE{number}",
            Tags=[{"Key": "Team", "Value": "vision"}],
            UserPolicyList=[inline("only", allowed_if(*test))],
        )
        for number, (name, test) in enumerate(tests.items())
    ]
    users += [
        user("ana", GroupList=["DevTeam1"]),
        user("kim", GroupList=["DevTeam1"], PermissionsBoundary={"PermissionsBoundaryArn": arn("policy/guard")}),
        user("lost", AttachedManagedPolicies=[attached(arn("policy/gone"))]),
    ]
    roles = [
        role(
            "trainer",
            Arn=arn("role/service-role/trainer"),
            RoleId="AROAEXAMPLE",
            AssumeRolePolicyDocument=TRUST,
            Tags=[{"Key": "team", "Value": "red"}],
            RolePolicyList=[inline("red", allowed_if("StringEquals", "aws:PrincipalTag/team", "red"))],
        ),
        role(
            "tagged",
            AssumeRolePolicyDocument=TAGGING,
            Tags=[{"Key": "team", "Value": "red"}],
            RolePolicyList=[inline("red", allowed_if("StringEquals", "aws:PrincipalTag/team", "red"))],
        ),
        role(
            "AWSServiceRoleForX",
            Arn=arn("role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"),
            RolePolicyList=[inline("all", document("*"))],
        ),
    ]
    groups = [group("DevTeam1", GroupPolicyList=[inline("team", document("*"))])]
    write(folder, "account.json", export(tuple(users), groups, roles, [guard]))
    write(
        folder,
        "boss.json",
        json.loads(
            json.dumps(export((user("boss", UserPolicyList=[inline("all", document("*"))]),))).replace(
                "111122223333", OTHER
            )
        ),
    )
    write(folder, "organization.json", ORGANIZATION)
    tags = [{"Key": "Project", "Value": "A"}, {"Key": "project", "Value": "B"}]
    write(folder, "tags.json", {"ResourceTagMappingList": [{"ResourceARN": NOTEBOOK, "Tags": tags}]})
    write(folder, "resource-policies.json", RESOURCE_POLICIES)
    write(folder, "what-if/reader.json", document("sagemaker:Describe*"))
    return flat_lake(folder, KNOWN)


def control(kind: str, name: str, content: Json, target: str) -> Json:
    summary = {
        "Id": f"p-{name}",
        "Arn": f"arn:aws:organizations::{OTHER}:policy/o-exampleorgid/{kind}/p-{name}",
        "Name": name,
        "Type": kind,
    }
    return {"PolicySummary": summary, "Content": json.dumps(content), "Targets": [{"TargetId": target, "Type": "ROOT"}]}


EVERYONE = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
NO_DELETION = {
    "Version": "2012-10-17",
    "Statement": [*document("*")["Statement"], {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"}],
}
ENCRYPTED = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:*", "sagemaker:*"],
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ROOT_ARN = f"arn:aws:organizations::{OTHER}:root/o-exampleorgid/r-ab12"
ORGANIZATION = {
    "Organization": {"Id": "o-exampleorgid", "MasterAccountId": OTHER},
    "Roots": [{"Id": "r-ab12", "Arn": ROOT_ARN, "Name": "Root"}],
    "OrganizationalUnits": [
        {
            "Id": "ou-ab12-11111111",
            "Arn": f"arn:aws:organizations::{OTHER}:ou/o-exampleorgid/ou-ab12-11111111",
            "Name": "Work",
            "ParentId": "r-ab12",
        }
    ],
    "Accounts": [
        {
            "Id": "111122223333",
            "Arn": f"arn:aws:organizations::{OTHER}:account/o-exampleorgid/111122223333",
            "Name": "dev",
            "ParentId": "ou-ab12-11111111",
        },
        {
            "Id": OTHER,
            "Arn": f"arn:aws:organizations::{OTHER}:account/o-exampleorgid/{OTHER}",
            "Name": "boss",
            "ParentId": "r-ab12",
        },
    ],
    "Policies": [
        *(
            control("SERVICE_CONTROL_POLICY", f"full{n}", document("*"), target)
            for n, target in enumerate(("ou-ab12-11111111", "111122223333", OTHER))
        ),
        control("SERVICE_CONTROL_POLICY", "no-deletion", NO_DELETION, "r-ab12"),
        control("RESOURCE_CONTROL_POLICY", "encrypted", {"Version": "2012-10-17", "Statement": [ENCRYPTED]}, "r-ab12"),
    ],
}
GROUP_ARN = f"arn:aws:sagemaker:us-east-1:{OTHER}:model-package-group/shared"
OWN_GROUP_ARN = arn("model-package-group/own").replace(":iam::", ":sagemaker:us-east-1:")
RESOURCE_POLICIES = [
    {"ResourceArn": OWN_GROUP_ARN, "ResourcePolicy": {"Version": "2012-10-17", "Statement": [EVERYONE]}},
    {"ResourceArn": GROUP_ARN, "ResourcePolicy": {"Version": "2012-10-17", "Statement": [EVERYONE]}},
    {
        "ResourceArn": "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/vpce-0a1b",
        "ResourcePolicy": {"Version": "2012-10-17", "Statement": [{**EVERYONE, "Action": "sagemaker:Describe*"}]},
    },
]
SESSION = "arn:aws:sts::111122223333:assumed-role/trainer/nightly"
SERVICE_LINKED = arn("role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX")
BOSS = arn("user/boss", OTHER)
DELETE = "sagemaker:DeleteNotebookInstance"
VPCE = {"aws:SourceVpce": "vpce-0a1b"}

FROM_THE_LAKE = (
    (
        "a resource policy is that of its resource",
        ask(arn("user/alias"), "sagemaker:DescribeModelPackageGroup", resource=OWN_GROUP_ARN),
        "allowed",
        [],
    ),
    (
        "a resource policy is not that of a resource of its type whose name goes on",
        ask(arn("user/alias"), "sagemaker:DescribeModelPackageGroup", resource=OWN_GROUP_ARN + "/x"),
        "implicitDeny",
        ["identity"],
    ),
    (
        "the policy of a model package group is that of its packages",
        ask(arn("user/alias"), "sagemaker:DescribeModelPackage", resource=OWN_GROUP_ARN.replace("-group", "") + "/1"),
        "allowed",
        [],
    ),
    ("a group's policies are its users'", ask(), "allowed", []),
    ("organization of the principal", ask(arn("user/org")), "allowed", []),
    ("organization path of the principal", ask(arn("user/path")), "allowed", []),
    ("tags of the principal", ask(arn("user/tag")), "allowed", []),
    ("unique id of a user", ask(arn("user/id")), "allowed", []),
    ("account of the resource", ask(arn("user/account")), "allowed", []),
    ("account of a request on *", ask(arn("user/account"), "sagemaker:ListModels", resource="*"), "allowed", []),
    ("organization of the resource", ask(arn("user/owner")), "allowed", []),
    ("tags of the resource", ask(arn("user/project")), "allowed", []),
    ("tags of the resource in the service's spelling", ask(arn("user/alias")), "allowed", []),
    (
        "no tags of resources that are not in the inventory",
        ask(arn("user/project"), resource=NOTEBOOK + "x"),
        "implicitDeny",
        ["identity"],
    ),
    (
        "no tags on actions that cannot carry them",
        ask(arn("user/project"), "sagemaker:ListModels", resource="*"),
        "implicitDeny",
        ["identity"],
    ),
    ("a boundary limits", ask(arn("user/kim"), "sagemaker:StopNotebookInstance"), "implicitDeny", ["boundary"]),
    ("a boundary allows", ask(arn("user/kim")), "allowed", []),
    ("an SCP denies", ask(action=DELETE), "explicitDeny", ["scp"]),
    ("an SCP binds root", ask(arn("root"), DELETE), "explicitDeny", ["scp"]),
    (
        "no SCP for the management account",
        ask(BOSS, DELETE, resource=NOTEBOOK.replace("111122223333", OTHER)),
        "allowed",
        [],
    ),
    ("no SCP for service-linked roles", ask(SERVICE_LINKED, DELETE), "allowed", []),
    ("an RCP does not act on SageMaker", ask(context={"aws:SecureTransport": "false"}), "allowed", []),
    (
        "an RCP acts on S3",
        ask(
            action="s3:GetObject",
            resource="arn:aws:s3:::data/x",
            resource_account="111122223333",
            context={"aws:SecureTransport": "false"},
        ),
        "explicitDeny",
        ["rcp"],
    ),
    (
        "no RCP for resources of the management account",
        ask(BOSS, "s3:GetObject", resource="arn:aws:s3:::data/x", context={"aws:SecureTransport": "false"}),
        "allowed",
        [],
    ),
    ("a role by its ARN", ask(arn("role/service-role/trainer")), "allowed", []),
    ("a role by a session's ARN", ask(SESSION), "allowed", []),
    (
        "a session tag overrides a role's",
        ask(arn("role/tagged"), context={"aws:PrincipalTag/team": "blue"}),
        "implicitDeny",
        ["identity"],
    ),
    (
        "a trust policy lets the account in",
        ask(action="sts:AssumeRole", resource=arn("role/service-role/trainer")),
        "allowed",
        [],
    ),
    (
        "a role without trust in the caller",
        ask(BOSS, "sts:AssumeRole", resource=arn("role/service-role/trainer")),
        "implicitDeny",
        ["resource"],
    ),
    (
        "a trust policy is nothing to PassRole",
        ask(BOSS, "iam:PassRole", resource=arn("role/service-role/trainer")),
        "implicitDeny",
        ["resource"],
    ),
    (
        "a resource policy of another account",
        ask(action="sagemaker:DescribeModelPackageGroup", resource=GROUP_ARN),
        "allowed",
        [],
    ),
    (
        "the policy of a group governs its packages",
        ask(action="sagemaker:DescribeModelPackage", resource=GROUP_ARN.replace("-group/", "/") + "/3"),
        "allowed",
        [],
    ),
    (
        "and no other group's",
        ask(action="sagemaker:DescribeModelPackageGroup", resource=GROUP_ARN + "2"),
        "implicitDeny",
        ["resource"],
    ),
    (
        "an endpoint policy limits what comes through it",
        ask(action="sagemaker:StopNotebookInstance", context=VPCE),
        "implicitDeny",
        ["endpoint"],
    ),
    ("an endpoint policy allows", ask(context=VPCE), "allowed", []),
    (
        "an endpoint without policy allows all",
        ask(action="sagemaker:StopNotebookInstance", context={"aws:SourceVpce": "vpce-9"}),
        "allowed",
        [],
    ),
    ("a loose document", ask("policy/what-if/reader"), "allowed", []),
    (
        "a loose document does not allow more",
        ask("policy/what-if/reader", "sagemaker:StopNotebookInstance"),
        "implicitDeny",
        ["identity"],
    ),
    (
        "what is known may be repeated",
        ask(arn("user/tag"), context={"aws:principaltag/team": "vision", "aws:username": "tag"}),
        "allowed",
        [],
    ),
)


@pytest.mark.parametrize(
    ("line", "decision", "blocked_by"), [c[1:] for c in FROM_THE_LAKE], ids=[c[0] for c in FROM_THE_LAKE]
)
def test_what_the_lake_knows_counts(lake: Lake, line: Json, decision: str, blocked_by: list[str]) -> None:
    (answer,) = answers([line], lake)
    assert (answer["decision"], answer["blocked_by"]) == (decision, blocked_by), answer["detail"]


def test_remarks_say_what_was_taken_for_granted(lake: Lake) -> None:
    details = [
        answer["detail"]
        for answer in answers(
            [
                ask(arn("user/lost")),
                ask(action="sagemaker:CreateTags"),
                ask(action="sagemaker:ListModels"),
                ask(arn("user/project")),
            ],
            lake,
        )
    ]
    assert "lacks" in details[0]
    assert "policy/gone" in details[0]
    unknown = "action sagemaker:CreateTags: the service reference does not know this action; did you mean "
    assert details[1].endswith(f"{unknown}sagemaker:CreateTrial?; taken as an action on any resource")
    assert 'decided on "*"' in details[2]
    assert "differ from project in case only" in details[3]


@pytest.mark.parametrize("ahead", [1, 10])
def test_a_lake_that_cannot_be_opened_is_said_in_each_line_that_needs_it(ahead: int) -> None:
    def broken() -> Lake:
        raise PolicylakeError("/lake: no snapshot here")

    found = answers([ask(), ask(identity_policies=[document("*")]), ask()], broken, ahead=ahead)
    assert [answer["decision"] for answer in found] == ["error", "allowed", "error"]
    assert found[2]["detail"] == "line 3: /lake: no snapshot here"


def test_taking_in_many_lines_at_once_changes_no_answer(lake: Lake) -> None:
    lines = [case[1] for case in FROM_THE_LAKE] + [ask(arn("user/nobody")), "no JSON", ask(identity_policies=[])]
    one_by_one = answers(lines, lake)
    assert answers(lines, lake, ahead=10) == one_by_one
    assert answers(lines, lake, ahead=1000) == one_by_one


def test_each_line_is_answered_before_the_next_is_read(lake: Lake) -> None:
    read = []

    def lines() -> Iterator[str]:
        for number in range(3):
            read.append(number)
            yield json.dumps(ask())

    answering = simulate_lines(lines(), lake, KNOWN)
    next(answering)
    assert read == [0]


def test_a_lake_is_opened_only_when_a_line_needs_it(lake: Lake) -> None:
    opened = []

    def open_it() -> Lake:
        opened.append(1)
        return lake

    own = ask(identity_policies=[document("*")])
    assert [a["decision"] for a in answers([own], open_it)] == ["allowed"]
    assert opened == []
    assert [a["decision"] for a in answers([own, ask(), ask(action=DELETE)], open_it)] == [
        "allowed",
        "allowed",
        "explicitDeny",
    ]
    assert opened == [1]


UNKNOWN = (
    ("a user", ask(arn("user/nobody")), "knows no principal"),
    ("a session", ask("arn:aws:sts::111122223333:assumed-role/nobody/s"), "knows no principal"),
    ("a group", ask(arn("group/DevTeam1")), "is a group"),
    ("a federated user", ask("arn:aws:sts::111122223333:federated-user/x"), "who made this session"),
    ("another name", ask(context={"aws:username": "bo"}), "context aws:username is bo, but by the lake it is ana"),
    ("a name for a role", ask(SESSION, context={"aws:username": "bo"}), "by the lake it is not there"),
    ("a tag that a user has not", ask(context={"aws:PrincipalTag/x": "1"}), "by the lake it is not there"),
    ("another tag of the resource", ask(context={"aws:ResourceTag/Project": "C"}), "by the lake it is A"),
    ("a session's own tag", ask(SESSION, context={"aws:PrincipalTag/team": "blue"}), "lets nobody pass session tags"),
    ("a tag of no role", ask(SESSION, context={"aws:PrincipalTag/x": "1"}), "lets nobody pass session tags"),
    ("a role's tag taken away", ask(arn("role/tagged"), context={"aws:PrincipalTag/team": []}), "by the lake it is "),
    ("a role's fixed tag taken away", ask(SESSION, context={"aws:PrincipalTag/team": []}), "by the lake it is red"),
    ("another type of resource", ask(action="sagemaker:CreateModel", resource="arn:aws:s3:::b"), "of no resource type"),
)


@pytest.mark.parametrize(("line", "words"), [c[1:] for c in UNKNOWN], ids=[c[0] for c in UNKNOWN])
def test_a_line_that_the_lake_contradicts_is_an_error(lake: Lake, line: Json, words: str) -> None:
    (answer,) = answers([line], lake)
    assert answer["decision"] == "error"
    assert words in answer["detail"]


def test_of_several_tags_that_the_principal_has_not_the_first_in_the_line_is_told(lake: Lake) -> None:
    names = [f"none-{number}" for number in range(12)]
    (answer,) = answers([ask(context={f"aws:PrincipalTag/{name}": "a" for name in names})], lake)
    assert answer["detail"].startswith("line 1: context aws:PrincipalTag/none-0 is a, but by the lake it is not there")


@pytest.mark.parametrize("given", ["aws:ResourceTag/Project", "sagemaker:ResourceTag/Project"])
@pytest.mark.parametrize("name", ["project", "alias"])
def test_a_resource_tag_in_a_line_counts_under_both_spellings(lake: Lake, given: str, name: str) -> None:
    resource = "arn:aws:sagemaker:us-east-1:111122223333:model/of-no-inventory"
    line = ask(arn(f"user/{name}"), "sagemaker:DescribeModel", resource=resource, context={given: "A"})
    (answer,) = answers([line], lake)
    assert answer["decision"] == "allowed"


KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(("resource", "is_told"), [(KEY, True), (KEY.replace("key/", "alias/"), False)])
def test_a_key_whose_policy_the_lake_lacks_is_told(resource: str, is_told: bool, lake: Lake) -> None:
    (answer,) = answers([ask(action="kms:CreateAlias", resource=resource)], lake)
    assert ("lacks the policy of" in answer["detail"]) == is_told
