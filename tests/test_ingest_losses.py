"""Nothing is lost in silence: names and tags that stand twice, lists that end in the middle, versions not known."""

import json

import pytest
from ingest_inputs import (
    ACCOUNT,
    arn,
    attached,
    document,
    export,
    group,
    inline,
    only_reject,
    principal,
    read,
    role,
    user,
    write,
)

from pipeline.ingest import read_inputs

MODEL = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/m"
JOB = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/j"
PACKAGES = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/g"


def twice(value, name, first):
    """Return JSON text in which ``name`` stands twice in the object that holds the member ``mark``."""
    text = json.dumps(value)
    assert text.count('"mark": 0') == 1
    return text.replace('"mark": 0', f"{json.dumps(name)}: {json.dumps(first)}")


DENY = [inline("deny", document("*", Effect="Deny"))]
LISTS = export([user()])
TWICE = [
    ("a user", export([user(UserPolicyList=[], mark=0)]), "UserPolicyList", "/UserDetailList/0/UserPolicyList"),
    ("a tag", export([user(Tags=[{"Key": "k", "Value": "v", "mark": 0}])]), "Value", "/UserDetailList/0/Tags/0/Value"),
    ("a page", {**LISTS, "mark": 0}, "UserDetailList", "/UserDetailList"),
    (
        "an inline policy",
        export([user(UserPolicyList=[{**inline("p", {}), "mark": 0}])]),
        "PolicyDocument",
        "/UserDetailList/0/UserPolicyList/0/PolicyDocument",
    ),
    ("a resource", {"ResourceTagMappingList": [{"ResourceARN": MODEL, "mark": 0}]}, "ResourceARN", None),
    ("a training job", {"TrainingJobSummaries": [{"TrainingJobArn": JOB, "mark": 0}]}, "TrainingJobArn", None),
    ("a version", {"PolicyVersion": {"Document": document(), "mark": 0}}, "Document", "/PolicyVersion/Document"),
    ("an answer", {"PolicyVersion": {"Document": document()}, "mark": 0}, "PolicyVersion", "/PolicyVersion"),
    (
        "a resource policy",
        {"ResourceArn": PACKAGES, "ResourcePolicy": document(), "mark": 0},
        "ResourcePolicy",
        "/ResourcePolicy",
    ),
]


@pytest.mark.parametrize(("what", "value", "name", "pointer"), TWICE, ids=[case[0] for case in TWICE])
def test_a_name_that_stands_twice_is_rejected_at_its_place(what, value, name, pointer, tmp_path):
    reject = only_reject(read(tmp_path, f"{ACCOUNT}.json", twice(value, name, DENY)))
    assert (reject.severity, reject.code) == ("error", "duplicate-name")
    assert reject.pointer.endswith(pointer or f"/0/{name}")
    assert f"{name} stands twice" in reject.message
    assert (reject.line, reject.column) != (1, 1)


def test_items_beside_one_with_a_name_twice_are_read(tmp_path):
    value = export([user(UserPolicyList=[], mark=0), user("ben")], (group(),))
    inputs = read(tmp_path, "a.json", twice(value, "UserPolicyList", DENY))
    assert [p.principal_name for p in inputs.principals] == ["DevTeam1", "ben"]


def test_lists_beside_one_that_stands_twice_are_read(tmp_path):
    inputs = read(tmp_path, "a.json", twice({**export([user()], (group(),)), "mark": 0}, "UserDetailList", []))
    assert [p.principal_name for p in inputs.principals] == ["DevTeam1"]


@pytest.mark.parametrize("depth", [3, 150, 5000])
def test_a_list_that_stands_twice_is_told_however_deep_another_member_is_nested(depth, tmp_path):
    deep = "[" * depth + "]" * depth
    text = f'{{"GroupDetailList": [], "UserDetailList": [], "x": {deep}, "UserDetailList": []}}'
    reject = only_reject(read(tmp_path, f"{ACCOUNT}.json", text))
    assert reject.code == ("duplicate-name" if depth < 200 else "malformed-json")


def test_a_name_that_stands_twice_in_a_document_costs_the_document_alone(tmp_path):
    policy = {**document(), "mark": 0}
    text = twice(export([user(UserPolicyList=[inline("p", policy), inline("q", document())])]), "Version", "2012-10-17")
    inputs = read(tmp_path, "a.json", text)
    assert only_reject(inputs).pointer == "/UserDetailList/0/UserPolicyList/0/PolicyDocument/Version"
    assert [a.policy_name for a in inputs.attachments] == ["q"]


ODD = '{"UserDetailList": [{"Arn": "%s", "UserName": "an\\u0061", "x": [1.50, 1e3, "a\\/b", {"y": -0.0}], "z": %s}]}'


@pytest.mark.parametrize("number", ["0", "1" + "0" * 5000], ids=["short", "long"])
def test_unusual_spellings_are_no_names_that_stand_twice(number, tmp_path):
    inputs = read(tmp_path, "a.json", ODD % (arn("user/ana"), number))
    assert (inputs.rejects, inputs.principals[0].principal_name) == ((), "ana")


@pytest.mark.parametrize(("second", "missing"), [("2", True), ("1", False)], ids=["another value", "the same value"])
def test_a_tag_key_given_twice_is_told_and_the_last_counts(second, missing, tmp_path):
    tags = [{"Key": "team", "Value": "1"}, {"Key": "x", "Value": "y"}, {"Key": "Team", "Value": second}]
    inputs = read(tmp_path, "a.json", export(roles=(role(Tags=tags),)))
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == ("error", "duplicate-tag", "/RoleDetailList/0/Tags/0")
    assert inputs.principals[0].tags == (("Team", second), ("x", "y"))
    assert bool(inputs.principals[0].missing) is missing


def test_a_tag_key_of_a_resource_given_twice_is_told_and_case_makes_another_key(tmp_path):
    tags = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}, {"Key": "A", "Value": "3"}]
    inputs = read(tmp_path, "a.json", {"ResourceTagMappingList": [{"ResourceARN": MODEL, "Tags": tags}]})
    assert (only_reject(inputs).code, only_reject(inputs).pointer) == (
        "duplicate-tag",
        "/ResourceTagMappingList/0/Tags/0",
    )
    assert inputs.inventory[0].tags == (("A", "3"), ("a", "2"))


def page(*users, **members):
    return {**export(users), **members}


CUT = {"IsTruncated": True, "Marker": "m"}
REST = f"rest of the account export of {ACCOUNT}"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        (CUT, "/IsTruncated"),
        ({"Marker": "m"}, "/Marker"),
        ({"NextToken": "n"}, "/NextToken"),
        ({"IsTruncated": "yes"}, "/IsTruncated"),
    ],
)
def test_an_export_that_ends_in_the_middle_is_told_and_marks_its_account(members, pointer, tmp_path):
    write(tmp_path, "other.json", export([{"Arn": "arn:aws:iam::444455556666:user/x", "UserName": "x"}]))
    write(tmp_path, "a.json", page(user(), **members))
    inputs = read_inputs([tmp_path])
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == ("error", "truncated-list", pointer)
    assert principal(inputs, "user/ana").missing == (REST,)
    assert principal(inputs, "user/x", "444455556666").missing == ()


def test_the_last_page_makes_an_export_whole_in_a_list_or_in_another_file(tmp_path):
    first, second, last = page(user(), **CUT), page(user("ben"), **CUT), page(user("cho"), IsTruncated=False)
    write(tmp_path, "list/a.json", [first, second, last])
    for number, value in enumerate((first, second, last)):
        write(tmp_path, f"files/{number}.json", value)
    for folder in ("list", "files"):
        inputs = read_inputs([tmp_path / folder])
        assert inputs.rejects == ()
        assert [p.missing for p in inputs.principals] == [()] * 3


def test_a_list_of_pages_that_lacks_the_last_is_told_at_its_end(tmp_path):
    inputs = read(tmp_path, "a.json", [page(user(), **CUT), page(user("ben"), **CUT)])
    assert only_reject(inputs).pointer == "/1/IsTruncated"
    assert [p.missing for p in inputs.principals] == [(REST,)] * 2


def test_the_whole_export_of_another_account_makes_no_export_whole(tmp_path):
    write(tmp_path, "a.json", page(user(), **CUT))
    write(tmp_path, "b.json", page({"Arn": "arn:aws:iam::444455556666:user/x", "UserName": "x"}, IsTruncated=False))
    assert principal(read_inputs([tmp_path]), "user/ana").missing == (REST,)


def test_the_whole_export_of_another_account_in_the_same_file_is_no_following_page(tmp_path):
    other = page({"Arn": "arn:aws:iam::444455556666:user/x", "UserName": "x"}, IsTruncated=False)
    inputs = read(tmp_path, "a.json", [page(user(), **CUT), other])
    assert only_reject(inputs).pointer == "/0/IsTruncated"
    assert principal(inputs, "user/ana").missing == (REST,)


def test_tags_that_end_in_the_middle_are_told_and_mark_the_account(tmp_path):
    write(tmp_path, "a.json", export([user()]))
    write(tmp_path, "t.json", {"ResourceTagMappingList": [{"ResourceARN": MODEL}], "PaginationToken": "t"})
    inputs = read_inputs([tmp_path])
    assert (only_reject(inputs).code, only_reject(inputs).pointer) == ("truncated-list", "/PaginationToken")
    assert inputs.principals[0].missing == (f"rest of the tags of resources in us-east-1 of {ACCOUNT}",)
    write(tmp_path, "t2.json", {"ResourceTagMappingList": [{"ResourceARN": f"{MODEL}2"}], "PaginationToken": ""})
    inputs = read_inputs([tmp_path])
    assert (inputs.rejects, inputs.principals[0].missing) == ((), ())


def test_an_empty_last_page_ends_the_list_of_its_file(tmp_path):
    pages = [{"ResourceTagMappingList": [{"ResourceARN": MODEL}], "PaginationToken": "t"}]
    pages.append({"ResourceTagMappingList": [], "PaginationToken": ""})
    assert read(tmp_path, "t.json", pages).rejects == ()


def test_training_jobs_that_end_in_the_middle_are_told_and_mark_nobody(tmp_path):
    write(tmp_path, "a.json", export([user()]))
    job = {"TrainingJobArn": JOB, "TuningJobName": "t"}
    write(tmp_path, "t.json", {"TrainingJobSummaries": [job], "NextToken": "n"})
    inputs = read_inputs([tmp_path])
    assert (only_reject(inputs).code, only_reject(inputs).pointer) == ("truncated-list", "/NextToken")
    assert inputs.principals[0].missing == ()


def test_a_training_jobs_date_that_is_none_is_left_out_with_a_warning(tmp_path):
    inputs = read(tmp_path, "t.json", {"TrainingJobSummaries": [{"TrainingJobArn": JOB, "CreationTime": "zz"}]})
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == (
        "warning",
        "bad-date",
        "/TrainingJobSummaries/0/CreationTime",
    )
    assert inputs.training_jobs[0].created_at is None


def versions(*versions, default="v1"):
    found = [
        {"VersionId": name, "Document": document(f"s3:{name}"), "IsDefaultVersion": mark} for name, mark in versions
    ]
    return {"Arn": arn("policy/p"), "DefaultVersionId": default, "PolicyVersionList": found}


UNKNOWN = [
    (versions(("v1", True), ("v2", True)), "2 versions of it are marked as default"),
    (versions(("v1", True), ("v2", True), default=None), "2 versions of it are marked as default"),
    (versions(("v1", True), default="v9"), "DefaultVersionId v9 stands nowhere"),
    (versions(("v1", True), ("v2", False), default="v2"), "DefaultVersionId is v2, but version v1 is marked"),
    (versions(("v1", False)), "DefaultVersionId is v1, but none is marked"),
    (versions(("v1", True), ("v1", False)), "DefaultVersionId v1 stands twice"),
    (versions(("v1", False), default=None), "no version of it is marked"),
]


@pytest.mark.parametrize(("policy", "message"), UNKNOWN, ids=[case[1] for case in UNKNOWN])
def test_a_policy_whose_default_version_is_not_known_is_left_out_and_marks_those_who_have_it(policy, message, tmp_path):
    users = [user(AttachedManagedPolicies=[attached(arn("policy/p"))])]
    inputs = read(tmp_path, "a.json", export(users, policies=(policy,)))
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == ("error", "no-default-version", "/Policies/0")
    assert message in reject.message
    assert (inputs.attachments, inputs.principals[0].missing) == ((), (arn("policy/p"),))


def resource_policy(action, resource=PACKAGES):
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
    return [{"ResourceArn": resource, "ResourcePolicy": {"Version": "2012-10-17", "Statement": [statement]}}]


def test_of_two_policies_of_a_resource_the_file_whose_name_sorts_last_counts_with_a_warning(tmp_path):
    write(tmp_path, "1.json", resource_policy("sagemaker:Old"))
    write(tmp_path, "2.json", resource_policy("sagemaker:New"))
    inputs = read_inputs([tmp_path])
    (attachment,) = inputs.attachments
    assert attachment.source.endswith("/2.json")
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.line) == ("warning", "conflicting-data", 2)
    assert reject.source.endswith("/1.json")


def test_the_same_policy_of_a_resource_given_twice_is_given_once(tmp_path):
    for name in ("1.json", "2.json"):
        write(tmp_path, name, resource_policy("sagemaker:*"))
    inputs = read_inputs([tmp_path])
    assert (inputs.rejects, len(inputs.attachments)) == ((), 1)


def test_a_malformed_policy_of_a_resource_marks_the_principals_of_its_owner(tmp_path):
    write(tmp_path, "a.json", export([user()]))
    write(tmp_path, "b.json", export([{"Arn": "arn:aws:iam::444455556666:user/x", "UserName": "x"}]))
    write(tmp_path, "r.json", [{"ResourceArn": PACKAGES, "ResourcePolicy": "{"}])
    inputs = read_inputs([tmp_path])
    assert principal(inputs, "user/ana").missing == (f"policy of {PACKAGES}",)
    assert principal(inputs, "user/x", "444455556666").missing == ()


def test_files_whose_names_print_the_same_are_two_files(tmp_path):
    write(tmp_path, "x\n.json", export([user()]))
    write(tmp_path, "x\\n.json", export([user(Tags=5), user("ben")]))
    inputs = read_inputs([tmp_path])
    assert [source.path.rsplit("/", 1)[-1] for source in inputs.sources] == ["x\\\\n.json", "x\\n.json"]
    assert only_reject(inputs).source.endswith("/x\\\\n.json")
