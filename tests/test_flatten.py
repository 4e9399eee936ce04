"""Flatten: each relation's rows say what the documents say, in the order of the dictionary's columns."""

import random

import pytest
from ingest_inputs import ACCOUNT, arn, attached, document, export, group, inline, managed, role, user, write

from pipeline.flatten import flatten
from pipeline.ingest import read_inputs
from pipeline.lake.dictionary import relation

#: ``matched_action_count`` is counted in SQL.
ABSENT = {"actions": 1}


def rows(inputs, name, is_known=lambda key: True):
    names = relation(name).schema.names
    names = names[: len(names) - ABSENT.get(name, 0)]
    return [dict(zip(names, row, strict=True)) for row in flatten(inputs, is_known)[name]]


def of(folder, policy, name, **options):
    """The rows of a relation for one inline policy."""
    listed = export([user(UserPolicyList=[inline("p", policy)])])
    return rows(read_inputs([write(folder, "a.json", listed)]), name, **options)


def only(listed):
    (row,) = listed
    return row


def test_every_flattened_relation_is_there_and_has_the_width_of_the_dictionary(tmp_path):
    read = read_inputs([write(tmp_path, "a.json", export([user(UserPolicyList=[inline("p", document())])]))])
    for name, listed in flatten(read, lambda key: True).items():
        assert relation(name).stage == "flattened"
        width = len(relation(name).columns) - ABSENT.get(name, 0)
        assert {len(row) for row in listed} <= {width}, name


@pytest.mark.parametrize(
    ("pattern", "service", "is_wildcard"),
    [
        ("sagemaker:CreateModel", "sagemaker", False),
        ("SageMaker:Create*", "sagemaker", True),
        ("sagemaker:Get?odel", "sagemaker", True),
        ("*", None, True),
    ],
)
def test_an_action_pattern_is_kept_as_written_with_its_service(pattern, service, is_wildcard, tmp_path):
    row = only(of(tmp_path, document(pattern), "actions"))
    assert (row["action_pattern"], row["service"], row["is_wildcard"]) == (pattern, service, is_wildcard)


def test_a_pattern_written_twice_in_a_statement_is_one_row(tmp_path):
    policy = document(["s3:Get*", "s3:Get*", "s3:get*"], Resource=["*", "*"])
    assert [row["action_pattern"] for row in of(tmp_path, policy, "actions")] == ["s3:Get*", "s3:get*"]
    assert len(of(tmp_path, policy, "resources")) == 1


@pytest.mark.parametrize(
    ("pattern", "fields"),
    [
        ("*", (None, None, None, None, "*")),
        ("arn:aws:sagemaker:eu-west-1:111122223333:model/a", ("aws", "sagemaker", "eu-west-1", ACCOUNT, "model/a")),
        ("arn:aws:s3:::bucket/key:with:colons", ("aws", "s3", None, None, "bucket/key:with:colons")),
        ("arn:aws:sqs", (None, None, None, None, "arn:aws:sqs")),
        ("arn:*:sagemaker:*:*:*", ("*", "sagemaker", "*", "*", "*")),
    ],
)
def test_a_resource_pattern_is_cut_into_the_fields_of_an_arn(pattern, fields, tmp_path):
    row = only(of(tmp_path, document(Resource=pattern), "resources"))
    assert tuple(row[name] for name in ("partition", "service", "region", "account_id", "resource")) == fields


@pytest.mark.parametrize(("version", "counts"), [("2012-10-17", True), ("2008-10-17", False), (None, False)])
def test_a_variable_counts_only_in_the_newer_language(version, counts, tmp_path):
    policy = document(Resource="arn:aws:sagemaker:*:*:model/${aws:username}-*")
    del policy["Version"]
    policy |= {"Version": version} if version else {}
    assert only(of(tmp_path, policy, "resources"))["has_variable"] is counts


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", ("StringEquals", None, "", False)),
        ("stringequalsifexists", ("StringEquals", None, "", True)),
        ("ForAllValues:StringLike", ("StringLike", "ForAllValues", "ForAllValues", False)),
        ("ForAnyValue:StringLikeIfExists", ("StringLike", "ForAnyValue", "ForAnyValue", True)),
        ("Null", ("Null", None, "", False)),
    ],
)
def test_an_operator_is_cut_into_its_parts(operator, expected, tmp_path):
    row = only(of(tmp_path, document(Condition={operator: {"aws:TagKeys": "true"}}), "conditions"))
    assert (row["operator"], row["set_qualifier"], row["set_qualifier_key"], row["if_exists"]) == expected


def test_condition_values_are_texts_and_keys_are_looked_up(tmp_path):
    condition = {"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"s3:max-keys": [10, "20"]}}
    listed = of(tmp_path, document(Condition=condition), "conditions", is_known=lambda key: key.startswith("aws:"))
    assert {row["condition_key"]: (row["condition_values"], row["is_known_key"]) for row in listed} == {
        "aws:SecureTransport": (["true"], True),
        "s3:max-keys": (["10", "20"], False),
    }


def test_a_statement_counts_its_operator_and_key_pairs(tmp_path):
    equals = {"aws:SourceVpc": ["a", "b"], "aws:PrincipalTag/x": "y"}
    condition = {"StringEquals": equals, "Null": {"aws:TagKeys": True}}
    row = only(of(tmp_path, document(Sid="One", Condition=condition), "statements"))
    assert (row["sid"], row["effect"], row["condition_count"], row["statement_index"]) == ("One", "Allow", 3, 0)
    assert row["statement_id"] == f"{row['policy_id']}#0"


def test_an_operator_spelt_in_two_ways_keeps_the_grain_and_both_values(tmp_path):
    condition = {"StringEquals": {"aws:SourceVpc": "a"}, "stringequals": {"aws:SourceVpc": "b"}}
    listed = of(tmp_path, document(Condition=condition), "conditions")
    grain = [tuple(str(row[name]) for name in relation("conditions").grain) for row in listed]
    assert len(set(grain)) == len(grain)
    assert sorted(value for row in listed for value in row["condition_values"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", {("*", "*")}),
        ({"AWS": "*"}, {("AWS", "*")}),
        ({"AWS": ["111122223333", "111122223333"]}, {("AWS", "111122223333")}),
        ({"Service": "sagemaker.amazonaws.com"}, {("Service", "sagemaker.amazonaws.com")}),
        ({"Federated": "idp.example", "AWS": "*"}, {("Federated", "idp.example"), ("AWS", "*")}),
    ],
)
def test_the_principals_of_a_trust_policy_are_rows(principal, expected, tmp_path):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    trust = {"Version": "2012-10-17", "Statement": statement}
    inputs = read_inputs([write(tmp_path, "a.json", export(roles=[role(AssumeRolePolicyDocument=trust)]))])
    found = [(row["principal_kind"], row["principal_value"]) for row in rows(inputs, "statement_principals")]
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("path", "is_service_linked"),
    [("/", False), ("/aws-service-role/x.amazonaws.com/", True), ("/aws-service-role-not/", False)],
)
def test_a_service_linked_role_is_known_by_its_arn(path, is_service_linked, tmp_path):
    found = role() | {"Arn": arn(f"role{path}execution")}
    inputs = read_inputs([write(tmp_path, "a.json", export(roles=[found]))])
    assert only(rows(inputs, "principals"))["is_service_linked"] is is_service_linked


def test_equal_documents_are_one_policy_with_two_attachments(tmp_path):
    reordered = {"Statement": [{"Resource": "*", "Action": "sagemaker:ListModels", "Effect": "Allow"}]}
    policies = [inline("p", document()), inline("q", reordered | {"Version": "2012-10-17"})]
    inputs = read_inputs([write(tmp_path, "a.json", export([user(UserPolicyList=policies)]))])
    assert len(rows(inputs, "policies")) == 1
    assert [row["policy_name"] for row in rows(inputs, "attachments")] == ["p", "q"]


def test_policies_of_one_name_and_text_in_two_places_keep_the_grain(tmp_path):
    arns = ["arn:aws:iam::aws:policy/Reader", arn("policy/team/Reader")]
    attachments = [attached(policy_arn) for policy_arn in arns]
    policies = [managed(policy_arn, document()) for policy_arn in arns]
    listed = export([user(AttachedManagedPolicies=attachments)], policies=policies)
    found = rows(read_inputs([write(tmp_path, "a.json", listed)]), "attachments")
    grain = [tuple(row[name] for name in relation("attachments").grain) for row in found]
    assert len(set(grain)) == len(grain) == 2
    assert [row["policy_arn"] for row in found] == arns[::-1]


def test_a_resource_of_the_inventory_is_cut_into_its_fields(tmp_path):
    resource = "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance/a"
    listed = {"ResourceTagMappingList": [{"ResourceARN": resource, "Tags": [{"Key": "Project", "Value": "A"}]}]}
    row = only(rows(read_inputs([write(tmp_path, "a.json", listed)]), "inventory"))
    assert list(row.values()) == [
        resource, "111122223333", "us-east-1", "sagemaker", "notebook-instance", [("Project", "A")],
    ]  # fmt: skip


def test_rows_do_not_depend_on_the_order_of_the_input(tmp_path):
    users = [user(f"u{n}", GroupList=["g"], UserPolicyList=[inline("p", document(f"s3:Get{n}"))]) for n in range(9)]
    first = read_inputs([write(tmp_path / "1", "a.json", export(users, [group("g")]))])
    shuffled = random.Random(4).sample(users, len(users))
    second = read_inputs([write(tmp_path / "2", "a.json", export(shuffled, [group("g")]))])
    for name, listed in flatten(first, lambda key: True).items():
        other = flatten(second, lambda key: True)[name]
        assert [row[:2] for row in listed] == [row[:2] for row in other], name


HOSTILE = "<script>alert(1)</script>'; drop table access; -- \u202e ${aws:username}"


def test_names_are_kept_to_the_letter(tmp_path):
    tags = [{"Key": HOSTILE, "Value": HOSTILE}]
    listed = export([user(Tags=tags, UserPolicyList=[inline(HOSTILE, document(Sid=HOSTILE))])])
    inputs = read_inputs([write(tmp_path, "a.json", listed)])
    assert only(rows(inputs, "principals"))["tags"] == [(HOSTILE, HOSTILE)]
    assert only(rows(inputs, "attachments"))["policy_name"] == HOSTILE
    assert only(rows(inputs, "statements"))["sid"] == HOSTILE
