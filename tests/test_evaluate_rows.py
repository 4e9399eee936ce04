"""Rows and verdicts of small policies, worked out by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from ingest_inputs import arn, export, inline, managed, role, write

from pipeline.build import build_lake
from pipeline.evaluate.named import run
from pipeline.lake import Lake, open_lake
from pipeline.lake.queries import command_query, named_query

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases" / "evaluation" / "rows.json").read_text())


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with one role for each case."""
    folder = tmp_path_factory.mktemp("rows")
    roles, policies = [], []
    for number, case in enumerate(CASES):
        members = {"RolePolicyList": [inline("p", document(case["statements"], case.get("version", "2012-10-17")))]}
        members["Tags"] = [{"Key": key, "Value": value} for key, value in case.get("tags", {}).items()]
        if "boundary" in case:
            policy_arn = arn(f"policy/boundary-{number}")
            policies.append(managed(policy_arn, document(case["boundary"])))
            members["PermissionsBoundary"] = {"PermissionsBoundaryArn": policy_arn}
        roles.append(role(f"case-{number}", **members))
    write(
        folder,
        "export.json",
        {"RoleDetailList": roles, "Policies": policies, "UserDetailList": [], "GroupDetailList": []},
    )
    build_lake([folder], folder / "lake")
    return open_lake(folder / "lake")


def document(statements: list[dict[str, Any]], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": statements}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_the_rows_of(number: int, lake: Lake) -> None:
    case = CASES[number]
    asked = {"principal": arn(f"role/case-{number}"), "action": case["action"]}
    columns = "resource_pattern, verdict, except_resources, condition"
    where = "where principal_arn = $principal and action = $action"
    rows = lake.query(f"select {columns} from access {where} order by resource_pattern", asked).to_pylist()
    matrix = lake.query(f"select verdict from access_matrix {where}", asked).to_pylist()
    assert rows == case["rows"]
    assert (matrix[0]["verdict"] if matrix else "none") == case["matrix"]


CREDENTIAL_KEYS = (
    "cognito-identity.amazonaws.com:sub", "cognito-identity.amazonaws.com:aud", "cognito-identity.amazonaws.com:amr",
    "cognito-identity-auth:AccountId", "accounts.google.com:aud", "www.amazon.com:user_id", "graph.facebook.com:id",
    "token.actions.githubusercontent.com:sub", "gitlab.com:sub", "oidc.example.org/id/1:aud", "saml:aud", "saml:sub",
    "ssm:SourceInstanceArn", "ec2:SourceInstanceArn", "lambda:SourceFunctionArn",
    "glue:RoleAssumedBy", "glue:CredentialIssuingService", "identitystore:UserId", "identitycenter:ApplicationArn",
    "codebuild:buildArn", "codebuild:projectArn", "sagemaker:DomainId", "sagemaker:UserProfileName",
)  # fmt: skip


def test_keys_that_come_with_credentials_can_be_in_any_request(tmp_path: Path) -> None:
    names = {key: f"role-{number}" for number, key in enumerate((*CREDENTIAL_KEYS, "iam:PassedToService"))}
    roles = []
    for key, name in names.items():
        condition = {"StringLike": {key: "*v*"}}
        allow = {"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*", "Condition": condition}
        roles.append(role(name, RolePolicyList=[inline("p", document([allow]))]))
    write(tmp_path, "export.json", export(roles=roles))
    build_lake([tmp_path], tmp_path / "lake")
    rows = open_lake(tmp_path / "lake").query("select principal_arn, verdict from access_matrix").to_pylist()
    assert {row["principal_arn"]: row["verdict"] for row in rows} == {
        arn(f"role/{names[key]}"): "conditional" for key in CREDENTIAL_KEYS
    }


def test_kms_operations_without_a_key_wait_for_no_key_policy(tmp_path: Path) -> None:
    allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    write(tmp_path, "export.json", export(roles=[role("keeper", RolePolicyList=[inline("p", document([allow]))])]))
    build_lake([tmp_path], tmp_path / "lake", services=["kms"])
    rows = open_lake(tmp_path / "lake").query("select action, verdict from access_matrix").to_pylist()
    found = {row["action"]: row["verdict"] for row in rows}
    assert {found.get(f"kms:{name}") for name in ("CreateKey", "ListKeys", "ListAliases")} == {"allowed"}
    assert "kms:Decrypt" not in found


@pytest.mark.parametrize(
    ("trusted", "verdicts"),
    [
        ({"Action": ["sts:AssumeRole", "sts:Tag*"]}, ["conditional"]),
        ({"NotAction": "sts:AssumeRoleWithSAML"}, ["conditional"]),
        ({"NotAction": ["sts:AssumeRoleWithSAML", "sts:tagsession"]}, []),
        ({"Action": "sts:AssumeRole"}, []),
    ],
)
def test_tags_of_a_role_are_unknown_where_its_trust_policy_lets_tags_pass(
    trusted: dict[str, Any], verdicts: list[str], tmp_path: Path
) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, **trusted}
    condition = {"StringEquals": {"aws:PrincipalTag/team": "b"}}
    allow = {"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*", "Condition": condition}
    members = {"RolePolicyList": [inline("p", document([allow]))], "AssumeRolePolicyDocument": document([trust])}
    one = role("worker", Tags=[{"Key": "team", "Value": "a"}], **members)
    write(tmp_path, "export.json", export(roles=[one]))
    build_lake([tmp_path], tmp_path / "lake")
    rows = open_lake(tmp_path / "lake").query("select verdict from access_matrix").to_pylist()
    assert [row["verdict"] for row in rows] == verdicts


def test_an_unknown_action_is_one_in_every_case_of_letters_under_its_most_common_form(tmp_path: Path) -> None:
    spellings = ("SageMaker:nosuch", "sagemaker:NoSuch", "SAGEMAKER:NoSuch")
    allows = [{"Effect": "Allow", "Action": name, "Resource": "*"} for name in spellings]
    roles = [role(f"r{n}", RolePolicyList=[inline("p", document([allow]))]) for n, allow in enumerate(allows)]
    write(tmp_path, "export.json", export(roles=roles))
    build_lake([tmp_path], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    rows = lake.query("select principal_arn, action from access_matrix order by all").to_pylist()
    assert rows == [{"principal_arn": arn(f"role/r{n}"), "action": "sagemaker:NoSuch"} for n in range(3)]
    asked = {"action": "sagemaker:NOSUCH", "resource": None}
    found = lake.query(command_query("who_can"), asked).to_pylist()
    assert {row["principal_arn"] for row in found} == {arn(f"role/r{n}") for n in range(3)}


def test_only_types_with_a_policy_of_their_own_wait_for_it_and_kms_seldom_works_across_accounts(tmp_path: Path) -> None:
    """A test for the engine: TypeForm.needs_consent and ActionForm.works_across_accounts."""
    allow = {"Effect": "Allow", "Action": ["kms:*", "sts:*"], "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
    members = {"RolePolicyList": [inline("p", document([allow]))], "AssumeRolePolicyDocument": document([trust])}
    write(tmp_path, "export.json", export(roles=[role("keeper", **members)]))
    foreign = "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    named = {"Effect": "Allow", "Principal": {"AWS": arn("role/keeper")}, "Action": "kms:*", "Resource": "*"}
    write(tmp_path, "key.json", {"ResourceArn": foreign, "ResourcePolicy": document([named])})
    build_lake([tmp_path], tmp_path / "lake", services=["kms", "sts"])
    lake = open_lake(tmp_path / "lake")
    rows = lake.query("select action, resource_type, verdict from access").to_pylist()
    found = {(row["action"], row["resource_type"]): row["verdict"] for row in rows}
    assert found["kms:CreateAlias", "alias"] == "allowed"
    assert ("kms:CreateAlias", "key") not in found
    assert found["sts:TagSession", "*"] == "allowed"
    assert ("sts:TagSession", "role") not in found
    assert found["sts:AssumeRole", "role"] == "allowed"
    assert found["kms:Decrypt", "key"] == "allowed"
    assert ("kms:ScheduleKeyDeletion", "key") not in found


def test_keys_of_vpc_endpoints_that_sagemaker_does_not_know_are_listed(lake: Lake) -> None:
    rows = run(lake, named_query("unavailable_condition_keys"), {"key": "aws:*vpc*"}).to_pylist()
    known = {"aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths", "aws:SourceVpcArn"}
    assert {row["condition_key"] for row in rows} == known
    assert {(row["actions_with_key"], tuple(row["actions"])) for row in rows} == {(0, ("sagemaker:DeleteModel",))}


DENY = {"Effect": "Deny", "Action": "sagemaker:StopNotebookInstance", "Resource": "*"}
WITH_MFA = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
WITHOUT_MFA = {"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
OF_TEAM = {"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}
OTHERS = {"Condition": {"StringNotEquals": {"aws:ResourceTag/team": "a"}}}
OF_VPC = {"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}


@pytest.mark.parametrize(
    ("conditions", "named"),
    [
        ([OF_TEAM, {}], [1]),
        ([{}, {}, OF_VPC], [0, 1]),
        ([OF_TEAM, OTHERS], [0, 1]),
        ([OF_TEAM, OTHERS, OF_VPC], [0, 1, 2]),
        ([OF_TEAM, WITHOUT_MFA, OTHERS], [0, 2]),
    ],
    ids=["one suffices", "each suffices", "together", "one of them not alone", "one is about no request of the grant"],
)
@pytest.mark.parametrize("layer", ["identity", "boundary"])
def test_what_denies_is_the_deny_that_takes_all_else_those_that_take_some(conditions, named, layer, tmp_path):
    """The grant is one with MFA alone, so a Deny without MFA has nothing to do with it."""
    allow = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    denies = [DENY | {"Sid": f"deny{number}"} | condition for number, condition in enumerate(conditions)]
    own = [allow | WITH_MFA, *(denies if layer == "identity" else [])]
    members: dict[str, Any] = {"RolePolicyList": [inline("p", document(own))]}
    policies = []
    if layer == "boundary":
        policies = [managed(arn("policy/b"), document([allow, *denies]))]
        members["PermissionsBoundary"] = {"PermissionsBoundaryArn": arn("policy/b")}
    write(tmp_path, "export.json", export(roles=[role("one", **members)], policies=policies))
    build_lake([tmp_path / "export.json"], tmp_path / "lake")
    built = open_lake(tmp_path / "lake")
    action = DENY["Action"]
    (row,) = built.query(f"select verdict, decided_by from access_matrix where action = '{action}'").to_pylist()
    sids = {
        one["statement_id"]: one["sid"] for one in built.query("select statement_id, sid from statements").to_pylist()
    }
    assert row["verdict"] == ("denied" if layer == "identity" else "blocked")
    assert row["decided_by"][0] == layer
    assert [sids[one] for one in row["decided_by"][1:]] == [f"deny{number}" for number in named]
