"""What no request of AWS has together is an error, what AWS sends with a key that a line gives is there too."""

from pathlib import Path
from typing import Any

import pytest
from asking import KNOWN, NOTEBOOK, allowed_if, answers, ask
from flat_lake import flat_lake
from ingest_inputs import arn, document, export, inline, role, user, write

from pipeline.lake import Lake

Json = Any
ROLE = arn("role/any")
CREATE, MODEL = "sagemaker:CreateModel", "arn:aws:sagemaker:us-east-1:111122223333:model/m"
OBJECT = "arn:aws:s3:::b/x"
PASS = {"action": "iam:PassRole", "resource": arn("role/passed")}


#: The policy of each user.
POLICIES = {
    "ana": document("*"),
    "endpoint": allowed_if("Null", "aws:SourceVpce", "true"),
    "vpc": allowed_if("Null", "aws:SourceVpc", "false"),
    "arn": allowed_if("ArnLike", "aws:SourceVpcArn", "arn:aws:ec2:us-east-1:*:vpc/vpc-1"),
    "later": allowed_if("DateGreaterThan", "aws:CurrentTime", "2030-12-31T00:00:00Z"),
    "mfa": allowed_if("Bool", "aws:MultiFactorAuthPresent", "true"),
    "temporary": allowed_if("Null", "aws:TokenIssueTime", "false"),
    "keys": allowed_if("ForAnyValue:StringEquals", "aws:TagKeys", "Team"),
    "other keys": allowed_if("ForAnyValue:StringNotEquals", "aws:TagKeys", "Project"),
    "tag": allowed_if("Null", "aws:RequestTag/Team", "false"),
    "global tag": allowed_if("StringEquals", "aws:ResourceTag/Team", "x"),
    "service's tag": allowed_if("StringEquals", "sagemaker:ResourceTag/Team", "x"),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("inputs")
    users = [user(name, UserPolicyList=[inline("only", policy)]) for name, policy in POLICIES.items()]
    write(folder, "account.json", export(users, roles=[role("any", RolePolicyList=[inline("all", document("*"))])]))
    return flat_lake(folder, KNOWN)


def make(context: Json, principal: str = arn("user/ana"), **members: Json) -> Json:
    return ask(principal, **{"action": CREATE, "resource": MODEL, "context": context, **members})


ADDRESS = {"aws:SourceIp": "203.0.113.9"}
IMPOSSIBLE = (
    ("another region than the resource's", make({"aws:RequestedRegion": "eu-west-1"}), "is in us-east-1"),
    ("VPC and address", make({"aws:SourceVpc": "vpc-1", **ADDRESS}), "has no aws:SourceIp"),
    ("VPC endpoint and address", make({"aws:SourceVpce": "vpce-1", **ADDRESS}), "has no aws:SourceIp"),
    ("VPC without endpoint", make({"aws:SourceVpc": "vpc-1", "aws:SourceVpce": []}), "any other none"),
    (
        "called by no service",
        make({"aws:CalledVia": ["athena.amazonaws.com"], "aws:ViaAWSService": "false"}),
        "only where aws:ViaAWSService is true",
    ),
    (
        "age of no MFA",
        make({"aws:MultiFactorAuthAge": "10", "aws:MultiFactorAuthPresent": "false"}),
        "only where aws:MultiFactorAuthPresent is true",
    ),
    (
        "age of absent MFA",
        make({"aws:multifactorauthage": "10", "aws:MultiFactorAuthPresent": []}),
        "context aws:MultiFactorAuthAge and aws:MultiFactorAuthPresent",
    ),
    (
        "MFA of long-term keys",
        make({"aws:MultiFactorAuthPresent": "true", "aws:TokenIssueTime": []}),
        "only temporary credentials tell of MFA",
    ),
    ("a role without token", make({"aws:TokenIssueTime": []}, ROLE), "every request of the principal has it"),
    ("no region", make({"aws:RequestedRegion": []}), "every request of the principal has it"),
    ("a tag without its key", make({"aws:RequestTag/Team": "x", "aws:TagKeys": ["Project"]}), "aws:RequestTag/Team is"),
    ("a tag beside no keys", make({"aws:RequestTag/Team": "x", "aws:TagKeys": []}), "(empty)"),
    ("a key without its tag", make({"aws:RequestTag/Team": [], "aws:TagKeys": ["team"]}), "holds team"),
    (
        "two moments",
        make({"aws:CurrentTime": "2026-01-01T00:00:00Z", "aws:EpochTime": "1"}),
        "two moments",
    ),
    (
        "passed to one service, for a resource of another",
        make({"iam:PassedToService": "lambda.amazonaws.com", "iam:AssociatedResourceArn": MODEL}, **PASS),
        "none of lambda.amazonaws.com",
    ),
    (
        "passed to SageMaker, for a resource of another",
        make({"iam:PassedToService": "sagemaker.amazonaws.com", "iam:AssociatedResourceArn": ROLE}, **PASS),
        "none of sagemaker.amazonaws.com",
    ),
    (
        "passed in another region than that of what it is for",
        make({"iam:AssociatedResourceArn": MODEL, "aws:RequestedRegion": "eu-west-1"}, **PASS),
        "is eu-west-1, but iam:AssociatedResourceArn is in us-east-1",
    ),
    (
        "passed for a resource of another partition",
        make({"iam:AssociatedResourceArn": MODEL.replace("arn:aws:", "arn:aws-cn:")}, **PASS),
        "is of the partition aws-cn, but the role is of aws",
    ),
    (
        "passed for a resource of any account",
        make({"iam:AssociatedResourceArn": MODEL.replace("111122223333", "*")}, **PASS),
        "iam:AssociatedResourceArn has a wildcard",
    ),
    ("an address that is none", make({"aws:SourceIp": "999.1.1.1"}), "is no value of the type IPAddress"),
    ("a service that calls", make({"aws:PrincipalIsAWSService": "True"}), "for whom it is false"),
    ("a role that is a service", make({"aws:PrincipalIsAWSService": True}, ROLE), "for whom it is false"),
    (
        "two values of one tag",
        make({"aws:ResourceTag/team": "x", "SageMaker:ResourceTag/Team": "y"}, action="sagemaker:DeleteModel"),
        "aws:ResourceTag/team and sagemaker:ResourceTag/Team are two values of one tag",
    ),
    (
        "credentials of after the call",
        make({"aws:TokenIssueTime": "2031-01-01T00:00:00Z", "aws:EpochTime": 1792800000}, ROLE),
        "is after the time of the call",
    ),
    ("a sign-in that is to come", make({"aws:MultiFactorAuthAge": -5}), "is -5, but seconds since"),
    ("a resource of another type", make({}, resource=NOTEBOOK), "is of no resource type of sagemaker:CreateModel"),
    ("a bucket with a slash", make({}, action="s3:PutBucketPolicy", resource="arn:aws:s3:::b/x"), "no resource type"),
    ("a bucket with a colon", make({}, action="s3:ListBucket", resource="arn:aws:s3::::b"), "is of no resource type"),
    ("a model with a colon", make({}, resource=MODEL + ":1"), "is of no resource type of sagemaker:CreateModel"),
    ("colons before the type", make({}, resource=MODEL.replace("model/", "x:model/")), "is of no resource type"),
    ("no resource", make({}, resource="*"), "names the one that it is about; name one of arn:${Partition}:sagemaker:"),
    ("any account", make({}, resource=MODEL.replace("111122223333", "*")), "has a wildcard"),
    ("any account of another", make({}, action="x:y", resource="arn:aws:x:us-east-1:1*:y"), "has a wildcard"),
    ("no account", make({}, resource=MODEL.replace("111122223333", "")), "has nothing for an account"),
    ("a partition that is none", make({}, resource=MODEL.replace("arn:aws:", "arn:azure:")), "azure for a partition"),
)


@pytest.mark.parametrize(("line", "words"), [c[1:] for c in IMPOSSIBLE], ids=[c[0] for c in IMPOSSIBLE])
def test_a_request_that_aws_cannot_make_is_an_error(lake: Lake, line: Json, words: str) -> None:
    (answer,) = answers([line], lake)
    assert answer["decision"] == "error"
    assert words in answer["detail"]


@pytest.mark.parametrize(("line", "words"), [c[1:] for c in IMPOSSIBLE[1:8]], ids=[c[0] for c in IMPOSSIBLE[1:8]])
def test_with_policies_of_its_own_it_is_told_and_as_a_test_an_error(line: Json, words: str) -> None:
    own = {**line, "identity_policies": [document("*")]}
    (told,), (tested,) = answers([own]), answers([own], is_strict=True)
    assert (told["decision"], tested["decision"]) == ("allowed", "error")
    assert words in told["detail"]
    assert words in tested["detail"]


TAGGED = {"aws:RequestTag/Team": "x"}
DELETE = {"action": "sagemaker:DeleteModel"}
LIST = {"action": "sagemaker:ListModels", "resource": "*"}
FOLLOWING = (
    ("an endpoint with its VPC", {"aws:SourceVpc": "vpc-1"}, {}, "endpoint", "implicitDeny", "taken as vpce-EXAMPLE"),
    ("a VPC with its endpoint", {"aws:SourceVpce": "vpce-1"}, {}, "vpc", "allowed", "is taken as vpc-EXAMPLE"),
    ("MFA with its age", {"aws:MultiFactorAuthAge": "10"}, {}, "mfa", "allowed", "is taken as true"),
    ("a token with MFA", {"aws:MultiFactorAuthPresent": "true"}, {}, "temporary", "allowed", ""),
    ("the keys of tags, as they are written", TAGGED, {}, "keys", "allowed", ""),
    ("the keys of tags, under a negation", TAGGED, {}, "other keys", "allowed", ""),
    ("an empty tag with a key", {"aws:TagKeys": ["Team"]}, {}, "tag", "implicitDeny", "taken as empty"),
    ("a resource's tag as the service's", {"aws:ResourceTag/Team": "x"}, DELETE, "service's tag", "allowed", ""),
    ("a resource's tag as a global one", {"sagemaker:ResourceTag/Team": "x"}, DELETE, "global tag", "allowed", ""),
    ("nothing that the action lacks", {"aws:ResourceTag/Team": "x"}, LIST, "global tag", "implicitDeny", "no such key"),
)


@pytest.mark.parametrize("is_in_line", [False, True], ids=["of the lake", "in the line"])
@pytest.mark.parametrize(
    ("context", "members", "name", "decision", "words"), [c[1:] for c in FOLLOWING], ids=[c[0] for c in FOLLOWING]
)
def test_what_aws_sends_with_a_key_is_there(
    lake: Lake, context: Json, members: Json, name: str, decision: str, words: str, is_in_line: bool
) -> None:
    own = {"identity_policies": [POLICIES[name]]} if is_in_line else {}
    (answer,) = answers([make(context, arn(f"user/{name}"), **members, **own)], None if is_in_line else lake)
    assert answer["decision"] == decision
    assert words in answer["detail"]


@pytest.mark.parametrize("is_in_line", [False, True], ids=["of the lake", "in the line"])
def test_a_context_may_tell_whose_a_bucket_is(lake: Lake, is_in_line: bool) -> None:
    own = {"identity_policies": [document("*")]} if is_in_line else {}
    context = {"aws:ResourceAccount": "444455556666"}
    line = make(context, action="s3:GetObject", resource=OBJECT, **own)
    (answer,) = answers([line], lake, is_strict=True)
    assert (answer["decision"], answer["blocked_by"]) == ("implicitDeny", ["resource"])


def test_a_call_by_a_service_with_the_keys_of_an_endpoint_is_decided_with_a_warning(lake: Lake) -> None:
    context = {"aws:SourceVpc": "vpc-1", "aws:SourceVpce": "vpce-1", "aws:VpcSourceIp": "10.0.0.1"}
    (answer,) = answers([make({**context, "aws:ViaAWSService": "true"})], lake, is_strict=True)
    assert answer["decision"] == "allowed"
    assert "does not keep the keys of a VPC endpoint" in answer["warnings"][0]


@pytest.mark.parametrize("via", [{"aws:ViaAWSService": "true"}, {"aws:CalledVia": ["athena.amazonaws.com"]}])
def test_however_a_call_through_a_service_is_written_its_endpoint_is_answered_alike(lake: Lake, via: Json) -> None:
    (answer,) = answers([make({"aws:SourceVpce": "vpce-1", **via})], lake, is_strict=True)
    assert answer["decision"] == "allowed"
    assert [text for text in answer["warnings"] if "does not keep the keys of a VPC endpoint" in text]


def test_keys_that_an_endpoint_brings_are_told_at_once(lake: Lake) -> None:
    (answer,) = answers([make({"aws:SourceVpce": "vpce-1"})], lake)
    assert answer["detail"].count("any other none") == 1
    assert "aws:SourceVpc is taken as vpc-EXAMPLE, aws:VpcSourceIp is taken as 240.0.0.1" in answer["detail"]


def test_a_key_that_aws_does_not_send_with_the_action_is_absent(lake: Lake) -> None:
    context = {"aws:sourcevpcarn": "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1"}
    asked = [make(context, arn("user/arn")), make(context, arn("user/arn"), action="s3:GetObject", resource=OBJECT)]
    here, there = answers(asked, lake, is_strict=True)
    assert (here["decision"], there["decision"]) == ("implicitDeny", "allowed")
    assert "context aws:SourceVpcArn: AWS sends no such key with sagemaker:CreateModel" in here["warnings"][0]


def test_a_role_that_is_passed_for_a_resource_of_another_account_is_a_warning(lake: Lake) -> None:
    other = {"iam:AssociatedResourceArn": MODEL.replace("111122223333", "444455556666")}
    (answer,) = answers([make(other, **PASS)], lake, is_strict=True)
    assert answer["decision"] == "allowed"
    assert "AWS passes a role to services of its own account only and does not say" in answer["warnings"][0]


def test_credentials_that_are_issued_later_are_those_of_a_later_call(lake: Lake) -> None:
    (answer,) = answers([make({"aws:TokenIssueTime": "2031-01-01T00:00:00Z"}, arn("user/later"))], lake)
    assert answer["decision"] == "allowed"


def test_numbers_and_truths_of_a_context_are_their_texts(lake: Lake) -> None:
    asked = {"aws:MultiFactorAuthPresent": True, "aws:MultiFactorAuthAge": 10, "aws:EpochTime": 1893456000.5}
    listed, null = make({"aws:MultiFactorAuthPresent": [True]}), make({"aws:MultiFactorAuthPresent": None})
    lines = [make(asked, arn("user/mfa")), {**listed, "principal": arn("user/mfa")}, null]
    assert [answer["decision"] for answer in answers(lines, lake)] == ["allowed", "allowed", "error"]


def test_another_region_is_a_warning_where_a_service_reaches_into_others(lake: Lake, tmp_path: Path) -> None:
    model = "arn:aws:bedrock:us-west-2::foundation-model/m"
    line = make({"aws:RequestedRegion": "us-east-1"}, action="bedrock:InvokeModel", resource=model)
    (answer,) = answers([line], lake, is_strict=True)
    assert "is in us-west-2" in answer["warnings"][0]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        (CREATE, MODEL.replace("aws:sagemaker:us-east-1", "aws-us-gov:sagemaker:us-gov-west-1")),
        (CREATE, MODEL.replace("aws:sagemaker:us-east-1", "aws-cn:sagemaker:cn-northwest-1")),
        (CREATE, MODEL.replace("aws:sagemaker:us-east-1", "aws-iso-b:sagemaker:us-isob-east-1")),
        ("sagemaker:DescribeHub", "arn:aws:sagemaker:us-east-1:aws:hub/SageMakerPublicHub"),
        ("s3:GetObject", "arn:aws:s3:::b/what?*"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/x.claude-v2:1"),
    ],
)
def test_resources_that_look_odd_are_resources(lake: Lake, action: str, resource: str) -> None:
    (answer,) = answers([make({}, action=action, resource=resource)], lake)
    assert answer["decision"] in ("allowed", "implicitDeny"), answer["detail"]


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (MODEL.replace("us-east-1", "mars-1"), "has mars-1 for a region, and no region of aws is named so"),
        (MODEL.replace("us-east-1", "cn-north-1"), "has cn-north-1 for a region"),
        (MODEL.replace("us-east-1", "eu-*"), "has eu-* for a region"),
        (MODEL.replace("us-east-1", ""), "names no region"),
        (MODEL + "*", "has a wildcard in its name, which is taken as it stands"),
    ],
)
def test_a_resource_that_hardly_is_one_is_a_warning(lake: Lake, resource: str, words: str) -> None:
    (answer,) = answers([make({}, resource=resource)], lake)
    assert words in answer["detail"]
    assert answer["decision"] == "allowed"


def test_no_resource_is_right_where_none_is_required(lake: Lake) -> None:
    actions = ("sagemaker:ListModels", "s3:ListBucket")
    none, optional = answers([make({}, action=action, resource="*") for action in actions], lake)
    assert (none["decision"], none["detail"]) == ("allowed", "allowed by identity")
    assert "taken as a request of s3:ListBucket that names none of its resources" in optional["detail"]


def test_deleting_tags_names_keys_without_tags(lake: Lake) -> None:
    (answer,) = answers([make({"aws:TagKeys": ["Team"]}, action="sagemaker:DeleteTags")], lake)
    assert answer["decision"] == "allowed"
    assert "taken as empty" not in answer["detail"]
