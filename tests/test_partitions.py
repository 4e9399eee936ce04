"""Nothing crosses partitions: neither a role nor what it is passed for; and each partition has IAM in one region."""

import json

import pytest
from asking import answers
from ingest_inputs import arn, document, export, inline, user, write

from pipeline.build import build_lake
from pipeline.lake import open_lake

ACCOUNTS = {"aws": "111122223333", "aws-cn": "444455556666", "aws-eusc": "777788889999"}
FOR = "iam:AssociatedResourceArn"
ELSEWHERE, HERE = "arn:aws-cn:sagemaker:*:*:*", "arn:aws:sagemaker:*:*:notebook-instance/*"


def passing(**conditions):
    return document("iam:PassRole", Condition={name: {FOR: value} for name, value in conditions.items()})


def called_in(action, *regions, **more):
    return document(action, Condition={"StringEquals": {"aws:RequestedRegion": regions}, **more})


POLICIES = {
    "elsewhere": passing(ArnLike=ELSEWHERE),
    "as-text": passing(StringLike="arn:aws-cn:*"),
    "if-any": passing(ArnLikeIfExists=ELSEWHERE),
    "never-elsewhere": passing(ArnNotLike=ELSEWHERE),
    "only-for-nothing": passing(ArnNotLike="arn:aws:*:*:*:*"),
    "for-something-else": passing(ArnNotLike="arn:aws:*:*:*:*", Null="false"),
    "either": passing(ArnLike=[HERE, ELSEWHERE]),
    "another-account": passing(ArnLike="arn:aws:sagemaker:us-east-1:999999999999:notebook-instance/*"),
    "from-home": called_in("iam:PassRole", "us-east-1", "cn-north-1", ArnLike={FOR: "arn:*:sagemaker:eu-west-1:*:*"}),
    "listing": called_in("iam:ListRoles", "us-east-1"),
    "listing-in-beijing": called_in("iam:ListRoles", "cn-north-1"),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("partitions")
    for partition, account in ACCOUNTS.items():
        users = (
            user(name, Arn=arn(f"user/{name}", account).replace("arn:aws:", f"arn:{partition}:"),
                 UserPolicyList=[inline("p", policy)])
            for name, policy in POLICIES.items()
        )  # fmt: skip
        write(folder, f"inputs/{account}.json", export(tuple(users)))
    build_lake([folder / "inputs"], folder / "lake", services=["iam"])
    return open_lake(folder / "lake")


def rows_of(lake, partition):
    where = f"where account_id = '{ACCOUNTS[partition]}' order by principal_arn"
    columns = "principal_arn, verdict, condition, witness, is_proven"
    rows = lake.query(f"select {columns} from access {where}").to_pylist()
    return {row["principal_arn"].rpartition("/")[2]: row for row in rows}


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        ("aws", {
            "if-any": "conditional", "never-elsewhere": "allowed", "only-for-nothing": "conditional",
            "either": "conditional", "another-account": "conditional", "from-home": "conditional", "listing": "allowed",
        }),
        ("aws-cn", {
            "elsewhere": "conditional", "as-text": "conditional", "if-any": "conditional",
            "never-elsewhere": "conditional", "only-for-nothing": "allowed", "for-something-else": "conditional",
            "either": "conditional", "from-home": "conditional", "listing-in-beijing": "allowed",
        }),
        ("aws-eusc", {
            "if-any": "conditional", "never-elsewhere": "allowed", "only-for-nothing": "allowed",
            "for-something-else": "conditional", "from-home": "conditional",
            "listing": "conditional", "listing-in-beijing": "conditional",
        }),
    ],
)  # fmt: skip
def test_a_role_is_passed_within_its_partition_and_iam_is_called_where_it_is(lake, partition, expected):
    rows = rows_of(lake, partition)
    assert {name: row["verdict"] for name, row in rows.items()} == expected
    assert all(row["is_proven"] for row in rows.values())


@pytest.mark.parametrize("partition", ACCOUNTS)
def test_the_concrete_evaluator_allows_every_witness(lake, partition):
    lines = [json.loads(row["witness"]) for row in rows_of(lake, partition).values()]
    given = [line["context"].get(FOR, f"arn:{partition}:") for line in lines]
    assert {answer["decision"] for answer in answers(lines, lake)} == {"allowed"}
    assert all(text.startswith(f"arn:{partition}:") for text in given)


def test_patterns_of_another_partition_leave_the_condition(lake):
    condition = rows_of(lake, "aws")["either"]["condition"]
    assert condition == f"only if the resource that the role is passed for is like {HERE}"


def test_by_default_iam_is_called_in_the_region_of_the_partition(lake):
    lines = [
        {"principal": f"arn:{partition}:iam::{account}:user/{name}", "action": "iam:ListRoles", "resource": "*"}
        for partition, account in ACCOUNTS.items()
        for name in ("listing", "listing-in-beijing")
    ]
    found = [answer["decision"] for answer in answers(lines, lake)]
    assert found == ["allowed", "implicitDeny", "implicitDeny", "allowed", "allowed", "implicitDeny"]
