"""References between parts of an export are resolved within the account; what is missing is told and marked."""

import pytest
from ingest_inputs import (
    ACCOUNT,
    arn,
    attached,
    document,
    export,
    group,
    inline,
    line_of,
    managed,
    only_reject,
    principal,
    read,
    role,
    user,
    write,
)

from pipeline.errors import PolicylakeError
from pipeline.ingest import read_inputs

AWS_POLICY = "arn:aws:iam::aws:policy/ReadOnly"


def test_a_group_that_is_not_in_the_export_is_told_and_marks_its_member(tmp_path):
    path = write(tmp_path, "a.json", export([user(GroupList=["here"])]))
    inputs = read_inputs([path])
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == (
        "error",
        "missing-group",
        "/UserDetailList/0/GroupList/0",
    )
    assert reject.line == line_of(path, "here")
    assert inputs.principals[0].missing == ("group here",)
    assert inputs.memberships == ()


@pytest.mark.parametrize("policy_arn", [AWS_POLICY, arn("policy/p")])
def test_a_managed_policy_that_is_not_in_the_export_is_told_and_marks_its_principal(policy_arn, tmp_path):
    inputs = read(tmp_path, "a.json", export(roles=(role(AttachedManagedPolicies=[attached(policy_arn)]),)))
    reject = only_reject(inputs)
    assert (reject.severity, reject.code) == ("error", "missing-policy")
    assert reject.pointer == "/RoleDetailList/0/AttachedManagedPolicies/0"
    assert inputs.principals[0].missing == (policy_arn,)


def test_a_boundary_that_is_not_in_the_export_is_told_and_marks_its_principal(tmp_path):
    boundary = {"PermissionsBoundaryArn": arn("policy/b")}
    inputs = read(tmp_path, "a.json", export([user(PermissionsBoundary=boundary)]))
    assert (only_reject(inputs).severity, only_reject(inputs).code) == ("error", "missing-boundary")
    assert (inputs.principals[0].boundary_policy_id, inputs.principals[0].missing) == (None, (arn("policy/b"),))


def test_what_a_group_lacks_its_members_lack(tmp_path):
    groups = (
        group("g", AttachedManagedPolicies=[attached(AWS_POLICY)]),
        group("h", GroupPolicyList=[inline("bad", 1)]),
    )
    users = [user("ana", GroupList=["g", "h"]), user("ben", GroupList=["h"]), user("cho")]
    inputs = read(tmp_path, "a.json", export(users, groups))
    bad = f"inline policy bad of {arn('group/h')}"
    assert principal(inputs, "user/ana").missing == (AWS_POLICY, bad)
    assert principal(inputs, "user/ben").missing == (bad,)
    assert principal(inputs, "user/cho").missing == ()


def test_a_group_that_was_rejected_is_missing_for_its_members(tmp_path):
    inputs = read(tmp_path, "a.json", export([user(GroupList=["g"])], ({"GroupName": "g"},)))
    assert {r.code for r in inputs.rejects} == {"wrong-type", "missing-group"}
    assert principal(inputs, "user/ana").missing == ("group g",)


def test_a_policy_of_another_account_is_not_taken(tmp_path):
    write(tmp_path, "a.json", export([user(AttachedManagedPolicies=[attached(AWS_POLICY)])]))
    other = {"Arn": arn("user/x", "444455556666"), "UserName": "x"}
    write(tmp_path, "b.json", export([other], policies=(managed(AWS_POLICY, document()),)))
    assert only_reject(read_inputs([tmp_path])).code == "missing-policy"


def test_two_files_complete_an_account(tmp_path):
    write(
        tmp_path,
        "users.json",
        export([user(AttachedManagedPolicies=[attached(arn("policy/p"))], GroupList=["DevTeam1"])]),
    )
    write(tmp_path, "rest.json", export(groups=(group(),), policies=(managed(arn("policy/p"), document()),)))
    inputs = read_inputs([tmp_path])
    assert inputs.rejects == ()
    assert [a.policy_name for a in inputs.attachments] == ["p"]
    assert inputs.memberships == ((arn("user/ana"), arn("group/DevTeam1")),)


def same_account(folder, one, other):
    return [write(folder, "one.json", one), write(folder, "other.json", other)]


def test_an_account_given_twice_with_the_same_data_is_given_once(tmp_path):
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    one = export([user(Tags=tags, UserPolicyList=[inline("p", document())])])
    other = export([user(Tags=tags[::-1], UserPolicyList=[inline("p", str(document()).replace("'", '"'))])])
    inputs = read_inputs(same_account(tmp_path, one, other))
    assert len(inputs.principals) == len(inputs.attachments) == 1
    assert inputs.principals[0].source.endswith("/one.json")


DIFFERENT = [
    ("a tag", export([user()]), export([user(Tags=[{"Key": "a", "Value": "1"}])])),
    ("an inline policy", export([user(UserPolicyList=[inline("p", document("s3:*"))])]), export([user()])),
    ("a user more", export([user()]), export([user(), user("ben")])),
    (
        "a managed policy",
        export(policies=(managed(arn("policy/p"), document()),)),
        export(policies=(managed(arn("policy/p"), document("s3:*")),)),
    ),
]


@pytest.mark.parametrize(("name", "one", "other"), DIFFERENT, ids=[case[0] for case in DIFFERENT])
def test_an_account_given_twice_with_different_data_is_an_error_that_names_both_files(name, one, other, tmp_path):
    with pytest.raises(PolicylakeError, match=r"one\.json and .*other\.json both hold account 111122223333") as failure:
        read_inputs(same_account(tmp_path, one, other))
    assert failure.value.exit_code == 2
    assert "--latest" in str(failure.value)


def test_of_a_principal_that_stands_twice_in_a_file_the_first_counts_and_is_marked(tmp_path):
    inputs = read(tmp_path, "a.json", export([user(), user(Path="/x/"), user("ben")]))
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == ("error", "duplicate-entry", "/UserDetailList/1")
    assert [(p.path, bool(p.missing)) for p in inputs.principals] == [(None, True), (None, False)]


def test_of_a_principal_that_stands_twice_in_a_file_the_last_counts_if_the_latest_is_asked_for(tmp_path):
    path = write(tmp_path, "a.json", export([user(), user(Path="/x/")]))
    inputs = read_inputs([path], latest=True)
    assert (only_reject(inputs).severity, only_reject(inputs).code) == ("warning", "duplicate-entry")
    assert [(p.path, p.missing) for p in inputs.principals] == [("/x/", ())]


def test_a_principal_that_stands_twice_with_the_same_data_is_read_once_without_a_word(tmp_path):
    inputs = read(tmp_path, "a.json", [export([user()]), export([user()])])
    assert (inputs.rejects, len(inputs.principals)) == ((), 1)


def test_a_managed_policy_that_stands_twice_in_a_file_marks_those_who_have_it(tmp_path):
    twice = tuple(managed(arn("policy/p"), document(action)) for action in ("s3:*", "sagemaker:*"))
    users = [user(AttachedManagedPolicies=[attached(arn("policy/p"))]), user("ben")]
    inputs = read(tmp_path, "a.json", export(users, policies=twice))
    assert only_reject(inputs).pointer == "/Policies/1"
    assert [p.missing for p in inputs.principals] == [(arn("policy/p"),), ()]


def test_an_aws_policy_that_stands_twice_in_a_file_is_told(tmp_path):
    twice = tuple(
        managed(AWS_POLICY, document(action), UpdateDate=f"202{year}-01-01T00:00:00Z")
        for year, action in enumerate(("s3:New", "s3:Old")[::-1])
    )
    inputs = read(tmp_path, "a.json", export([user()], policies=twice))
    assert (only_reject(inputs).code, only_reject(inputs).pointer) == ("conflicting-data", "/Policies/0")


def test_what_is_lost_with_an_older_file_is_told(tmp_path):
    older = export([user("ben"), *(user(f"u{number}") for number in range(6))], (group(),))
    newer = export([user("ben", CreateDate="2024-06-01T00:00:00Z")])
    inputs = read_inputs(same_account(tmp_path, older, newer), latest=True)
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.line) == ("warning", "left-out", 1)
    assert reject.source.endswith("/one.json")
    assert f"lost with it: {arn('group/DevTeam1')}, {arn('user/u0')}, " in reject.message
    assert reject.message.endswith("and 2 more")


def test_files_of_an_account_with_some_users_in_common_are_refused_in_right_words(tmp_path):
    paths = same_account(tmp_path, export([user("ana"), user("ben")]), export([user("ben")]))
    with pytest.raises(PolicylakeError, match=r"but \S+user/ana stands only in \S+one\.json"):
        read_inputs(paths)


@pytest.mark.parametrize("is_newer_first", [True, False])
def test_the_file_with_the_newest_date_counts_if_asked_for(is_newer_first, tmp_path):
    newer = export([user(CreateDate="2024-06-01T00:00:00Z"), user("new")])
    older = export([user(CreateDate="2024-01-01T00:00:00Z"), user("old")])
    paths = same_account(tmp_path, *((newer, older) if is_newer_first else (older, newer)))
    inputs = read_inputs(paths, latest=True)
    assert [p.principal_name for p in inputs.principals] == ["ana", "new"]


def test_of_files_of_one_age_the_last_by_name_counts_if_asked_for(tmp_path):
    paths = same_account(tmp_path, export([user(Path="/a/")]), export([user(Path="/b/")]))
    assert read_inputs(paths, latest=True).principals[0].path == "/b/"


def test_files_that_complete_the_newest_are_kept(tmp_path):
    write(tmp_path, "old-users.json", export([user(CreateDate="2024-01-01T00:00:00Z")]))
    write(tmp_path, "new-users.json", export([user(CreateDate="2024-06-01T00:00:00Z")]))
    write(tmp_path, "roles.json", export(roles=(role(),)))
    inputs = read_inputs([tmp_path], latest=True)
    assert [p.principal_type for p in inputs.principals] == ["role", "user"]
    assert principal(inputs, "user/ana").created_at == "2024-06-01T00:00:00Z"


def test_of_an_aws_policy_the_newest_version_counts_with_a_warning(tmp_path):
    old = managed(AWS_POLICY, document("s3:Old"), UpdateDate="2023-01-01T00:00:00Z")
    new = managed(AWS_POLICY, document("s3:New"), UpdateDate="2024-01-01T00:00:00Z")
    references = [attached(AWS_POLICY)]
    write(tmp_path, "users.json", export([user(AttachedManagedPolicies=references)], policies=(new,)))
    write(tmp_path, "roles.json", export(roles=(role(AttachedManagedPolicies=references),), policies=(old,)))
    inputs = read_inputs([tmp_path])
    assert (only_reject(inputs).code, only_reject(inputs).severity) == ("conflicting-data", "warning")
    used = {a.policy_id for a in inputs.attachments}
    assert len(inputs.attachments) == 2
    assert ["s3:New" in d.canonical for d in inputs.documents if d.policy_id in used] == [True]


def test_of_a_resource_given_twice_the_file_whose_name_sorts_last_counts_with_a_warning(tmp_path):
    resource = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/e"
    for name, value in (("1.json", "A"), ("2.json", "B")):
        tagged = {"ResourceARN": resource, "Tags": [{"Key": "Project", "Value": value}]}
        write(tmp_path, name, {"ResourceTagMappingList": [tagged]})
    inputs = read_inputs([tmp_path])
    assert [r.tags for r in inputs.inventory] == [(("Project", "B"),)]
    assert only_reject(inputs).code == "conflicting-data"
