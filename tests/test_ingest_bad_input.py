"""What cannot be read becomes a reject with its place, and the rest goes on."""

import json
import urllib.parse
from time import process_time

import pytest
from ingest_inputs import (
    CASES,
    arn,
    attached,
    document,
    export,
    group,
    inline,
    line_of,
    managed,
    only_reject,
    read,
    role,
    user,
    write,
)

from pipeline.errors import PolicylakeError
from pipeline.ingest import read_inputs

MALFORMED = [json.loads(line) for line in (CASES / "malformed.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case["name"])
def test_a_malformed_file_is_rejected_at_the_place_of_its_first_mistake(case, tmp_path):
    reject = only_reject(read(tmp_path, "bad.json", case["text"]))
    assert (reject.code, reject.line, reject.column) == (case["code"], case["line"], case["column"])
    assert case["message"] in reject.message
    assert reject.severity == "error"
    assert reject.remedy


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case["name"])
def test_a_malformed_file_does_not_keep_others_from_being_read(case, tmp_path):
    write(tmp_path, "bad.json", case["text"])
    write(tmp_path, "good.json", document())
    assert [p.principal_arn for p in read_inputs([tmp_path]).principals] == ["policy/good"]


def test_an_empty_list_is_a_warning(tmp_path):
    reject = only_reject(read(tmp_path, "resource-policies.json", "[]"))
    assert (reject.severity, reject.code) == ("warning", "empty-list")


def test_comments_in_texts_are_no_comments(tmp_path):
    text = '{"Statement": [{"Sid": "http://x /* y */ \\" //", "Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    inputs = read(tmp_path, "p.json", text)
    assert not [reject for reject in inputs.rejects if reject.code == "comments"]
    assert "http://x /* y */" in inputs.documents[0].canonical


def test_places_behind_comments_are_right(tmp_path):
    text = '/* one [{"\n two */\n{"UserDetailList": [ // "three"\n  {"UserName": "ana"}]}'
    comments, missing = read(tmp_path, "111122223333.json", text).rejects
    assert (comments.code, comments.line) == ("comments", 1)
    assert (missing.code, missing.line, missing.column) == ("wrong-type", 4, 3)


def test_of_a_file_in_which_nothing_is_recognised_each_item_is_told(tmp_path):
    rejects = read(tmp_path, "a.json", '[null, 1, "a", [], {}] // z').rejects
    told = [(reject.pointer, reject.code) for reject in rejects]
    assert told == [(f"/{index}", "unrecognised") for index in range(5)] + [("", "comments")]
    assert [reject.column for reject in rejects] == [2, 8, 11, 16, 20, 24]


def test_of_a_file_of_many_unknown_items_the_first_are_told_and_how_many_there_are(tmp_path):
    rejects = read(tmp_path, "a.json", [{"x": 1}] * 100).rejects
    assert len(rejects) == 20
    assert "80 more items" in max(rejects, key=lambda reject: reject.line).message


def test_an_unknown_item_beside_known_ones_is_told(tmp_path):
    inputs = read(tmp_path, "a.json", [{"x": 1}, export([user()]), 3])
    assert [reject.pointer for reject in inputs.rejects] == ["/0", "/2"]
    assert len(inputs.principals) == 1


WRONG_TYPES = [
    ("a list that is a text", {"UserDetailList": "x"}, "/UserDetailList", "expected a list, found a text"),
    ("a user that is null", {"UserDetailList": [None]}, "/UserDetailList/0", "expected an object, found null"),
    ("a user without ARN", {"UserDetailList": [{"UserName": "a"}]}, "/UserDetailList/0", "Arn is missing"),
    ("a user without name", {"UserDetailList": [{"Arn": "a"}]}, "/UserDetailList/0", "UserName is missing"),
    ("tags that are an object", {"RoleDetailList": [role(Tags={})]}, "/RoleDetailList/0/Tags", "expected a list"),
    (
        "a tag without value",
        {"RoleDetailList": [role(Tags=[{"Key": "k"}])]},
        "/RoleDetailList/0/Tags/0",
        "Value is missing",
    ),
    (
        "a group that is a number",
        {"UserDetailList": [user(GroupList=[1])]},
        "/UserDetailList/0/GroupList/0",
        "expected a text",
    ),
    (
        "a boundary without ARN",
        {"UserDetailList": [user(PermissionsBoundary={})]},
        "/UserDetailList/0/PermissionsBoundary",
        "PermissionsBoundaryArn is missing",
    ),
    (
        "a policy without versions",
        {"Policies": [{"Arn": arn("policy/p")}]},
        "/Policies/0",
        "PolicyVersionList is missing",
    ),
    ("a resource without ARN", {"ResourceTagMappingList": [{}]}, "/ResourceTagMappingList/0", "ResourceARN is missing"),
    ("a training job that is a list", {"TrainingJobSummaries": [[]]}, "/TrainingJobSummaries/0", "found a list"),
    (
        "an account without id",
        {"Roots": [], "Organization": {"Id": "o-1"}, "Accounts": [{"Arn": "a"}]},
        "/Accounts/0",
        "Id is missing",
    ),
    (
        "an organization that is a text",
        {"Organization": "o-1", "Roots": [{"Id": "r-1", "Arn": "arn:aws:organizations::111122223333:root/o-1/r-1"}]},
        "/Organization",
        "found a text",
    ),
    (
        "a resource policy without its ARN's text",
        {"ResourceArn": 1, "ResourcePolicy": {}},
        "/ResourceArn",
        "found a number",
    ),
]


@pytest.mark.parametrize(("name", "value", "pointer", "message"), WRONG_TYPES, ids=[case[0] for case in WRONG_TYPES])
def test_a_wrong_type_is_rejected_with_its_pointer_line_and_column(name, value, pointer, message, tmp_path):
    reject = only_reject(read(tmp_path, "111122223333.json", value))
    assert (reject.severity, reject.code, reject.pointer) == ("error", "wrong-type", pointer)
    assert message in reject.message
    assert reject.line is not None
    assert reject.column is not None


BAD_ARNS = [
    ({"UserDetailList": [{"Arn": arn("role/a"), "UserName": "a"}]}, "/UserDetailList/0/Arn"),
    ({"UserDetailList": [{"Arn": "arn:aws:iam::aws:user/a", "UserName": "a"}]}, "/UserDetailList/0/Arn"),
    ({"Policies": [managed(arn("user/p"), {})]}, "/Policies/0/Arn"),
    ({"ResourceTagMappingList": [{"ResourceARN": "nb1"}]}, "/ResourceTagMappingList/0/ResourceARN"),
    ({"TrainingJobSummaries": [{"TrainingJobArn": "t"}]}, "/TrainingJobSummaries/0/TrainingJobArn"),
    ({"ResourceArn": "x", "ResourcePolicy": "{}"}, "/ResourceArn"),
]


@pytest.mark.parametrize(("value", "pointer"), BAD_ARNS, ids=[case[1] for case in BAD_ARNS])
def test_what_is_no_arn_is_rejected_at_its_place(value, pointer, tmp_path):
    reject = only_reject(read(tmp_path, "111122223333.json", value))
    assert (reject.code, reject.pointer) == ("bad-arn", pointer)


def test_items_beside_a_wrong_one_are_read_as_if_it_were_not_there(tmp_path):
    ana, ben = user(UserPolicyList=[inline("p", document())]), user("ben", GroupList=["DevTeam1"])
    right = read(tmp_path, "a.json", export([ana, ben], (group(),)))
    wrong = read(tmp_path, "a.json", export([ana, {"Arn": 5}, ben], (group(),)))
    assert wrong.principals == right.principals
    assert wrong.attachments == right.attachments
    assert only_reject(wrong).pointer == "/UserDetailList/1/Arn"


def test_the_line_of_a_wrong_item_is_where_it_stands(tmp_path):
    path = write(tmp_path, "a.json", export([user(), {"UserName": "here"}]))
    assert only_reject(read_inputs([path])).line == line_of(path, "here") - 1


MISSING_EFFECT = {"Version": "2012-10-17", "Statement": [{"Sid": "here", "Action": "*", "Resource": "*"}]}


def test_a_malformed_policy_is_left_out_and_its_principal_marked(tmp_path):
    policies = [inline("bad", MISSING_EFFECT), inline("good", document())]
    path = write(tmp_path, "a.json", export([user(UserPolicyList=policies)]))
    inputs = read_inputs([path])
    assert [a.policy_name for a in inputs.attachments] == ["good"]
    assert inputs.principals[0].missing == (f"inline policy bad of {arn('user/ana')}",)
    reject = only_reject(inputs)
    assert reject.pointer.startswith("/UserDetailList/0/UserPolicyList/0/PolicyDocument/Statement/0")
    assert line_of(path, "here") - 1 <= reject.line <= line_of(path, "here") + 2
    assert "inline policy bad" in reject.message
    assert arn("user/ana") in reject.message


def test_a_condition_value_that_is_none_is_told_at_its_place(tmp_path):
    odd = document(Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "10.0.0.0/33"]}})
    path = write(tmp_path, "a.json", export([user(UserPolicyList=[inline("odd", odd)])]))
    inputs = read_inputs([path])
    assert [a.policy_name for a in inputs.attachments] == ["odd"]
    reject = only_reject(inputs)
    assert (reject.severity, reject.code) == ("warning", "condition-value-type")
    assert reject.pointer.endswith("/Condition/IpAddress/aws:SourceIp/1")
    assert reject.line == line_of(path, "10.0.0.0/33")
    assert reject.column > 1
    assert "10.0.0.0/33" in reject.message
    assert reject.remedy.endswith("; answers that may rest on it are marked incomplete")


def test_a_policy_of_a_group_that_no_group_can_be_is_left_out(tmp_path):
    policies = [{"ResourceArn": f"{MODEL_GROUP}/x", "ResourcePolicy": document(Principal="*")}]
    inputs = read(tmp_path, "policies.json", policies)
    reject = only_reject(inputs)
    assert (reject.code, reject.pointer) == ("bad-arn", "/0/ResourceArn")
    assert "'g/x' is the name of no model package group" in reject.message
    assert inputs.attachments == ()


UNREADABLE = {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/33"}}
MODEL_GROUP = "arn:aws:sagemaker:us-east-1:111122223333:model-package-group/g"
ODD = document(Effect="Deny", Condition=UNREADABLE)


@pytest.mark.parametrize(
    ("files", "label"),
    [
        ({"a": export([user(UserPolicyList=[inline("odd", ODD)])])}, f"inline policy odd of {arn('user/ana')}"),
        (
            {
                "a": export(
                    [user(GroupList=["team"])],
                    [group("team", AttachedManagedPolicies=[attached(arn("policy/odd"))])],
                    policies=[managed(arn("policy/odd"), ODD)],
                )
            },
            f"managed policy {arn('policy/odd')}",
        ),
        (
            {
                "a": export([user()]),
                "r": [{"ResourceArn": MODEL_GROUP, "ResourcePolicy": document(Principal="*", Condition=UNREADABLE)}],
            },
            f"resource policy of {MODEL_GROUP}",
        ),
        ({"odd": ODD}, "policy/odd"),
    ],
    ids=["inline", "managed, of a group", "resource", "loose"],
)
def test_whoever_may_be_concerned_by_such_a_value_is_marked(files, label, tmp_path):
    for name, content in files.items():
        write(tmp_path, f"{name}.json", content)
    inputs = read_inputs([tmp_path])
    concerned = [p for p in inputs.principals if p.principal_type in ("user", "policy")]
    assert [p.missing for p in concerned] == [(f"readable condition values of the {label}",)]


@pytest.mark.parametrize(
    "encode", [json.dumps, lambda policy: urllib.parse.quote(json.dumps(policy), safe="")], ids=["text", "percent"]
)
def test_a_malformed_policy_given_as_text_has_the_place_of_the_text(encode, tmp_path):
    path = write(tmp_path, "a.json", export([user(UserPolicyList=[inline("bad", encode(MISSING_EFFECT))])]))
    reject = only_reject(read_inputs([path]))
    assert reject.line == line_of(path, "PolicyDocument")
    assert reject.pointer.startswith("/UserDetailList/0/UserPolicyList/0/PolicyDocument")


BAD_DOCUMENTS = [
    (7, "is a number"),
    (None, "is null"),
    ([], "is a list"),
    (True, "is true or false"),
    ("", "nothing stands here"),
    ("%7B%FF", "not as UTF-8"),
    ("%7B%22Statement%22%7D", "expected ':'"),
    ('{"Statement": [}', "(line 1, column 16 of the document's own text)"),
    ("[1]", "no object"),
    ('{"Statement": NaN}', "cannot be read: expected a value"),
    (
        '{"Statement": -1e999}',
        "the number 1e999 is too large to be read (line 1, column 15 of the document's own text)",
    ),
    ('{"a": "\\ud800"}', "lone surrogate"),
]


@pytest.mark.parametrize(("value", "message"), BAD_DOCUMENTS, ids=[repr(case[0]) for case in BAD_DOCUMENTS])
def test_a_document_that_is_none_is_rejected_and_its_principal_kept(value, message, tmp_path):
    inputs = read(tmp_path, "a.json", export([user(UserPolicyList=[inline("p", value)])]))
    assert message in only_reject(inputs).message
    assert inputs.principals[0].missing == (f"inline policy p of {arn('user/ana')}",)


@pytest.mark.parametrize("lists", [250, 600, 900])
def test_a_document_that_is_nested_too_deeply_is_rejected_where_it_gets_so(lists, tmp_path):
    deep = '{"Statement":\n{"x": ' + "[" * lists + '{"a": 1, "a": 2}' + "]" * lists + "}}"
    text = json.dumps(export([user(UserPolicyList=[inline("p", "HERE")])])).replace('"HERE"', deep)
    inputs = read(tmp_path, "a.json", text)
    assert "nested more than 200 levels deep" in only_reject(inputs).message
    assert (only_reject(inputs).line, only_reject(inputs).column) == (2, len('{"x": ') + 199)
    assert inputs.principals[0].missing == (f"inline policy p of {arn('user/ana')}",)


def test_a_document_just_as_deep_as_is_read_tells_its_real_problem(tmp_path):
    deep = '{"Statement": ' + "[" * 198 + '{"a": 1, "a": 2}' + "]" * 198 + "}"
    assert '"a" stands twice' in only_reject(read(tmp_path, "a.json", deep)).message


def test_a_name_that_stands_twice_among_many_is_found_at_once(tmp_path):
    members = ", ".join(f'"k{number}": 1' for number in range(40_000))
    started = process_time()
    reject = only_reject(read(tmp_path, "a.json", f'{{"Statement": [], {members}, "k39999": 2}}'))
    assert '"k39999" stands twice' in reject.message
    assert process_time() - started < 5


def test_a_malformed_trust_policy_marks_its_role(tmp_path):
    inputs = read(tmp_path, "a.json", export(roles=(role(AssumeRolePolicyDocument=3),)))
    assert inputs.principals[0].missing == (f"trust policy of {arn('role/execution')}",)


def test_a_malformed_managed_policy_is_rejected_once_and_marks_all_that_have_it(tmp_path):
    policy = managed(arn("policy/p"), MISSING_EFFECT)
    users = [user(name, AttachedManagedPolicies=[{"PolicyArn": policy["Arn"]}]) for name in ("ana", "ben")]
    inputs = read(tmp_path, "a.json", export(users, policies=(policy,)))
    assert [p.missing for p in inputs.principals] == [(policy["Arn"],)] * 2
    assert policy["Arn"] in only_reject(inputs).message


def test_a_managed_policy_without_default_version_is_rejected(tmp_path):
    policy = {"Arn": arn("policy/p"), "PolicyVersionList": [{"VersionId": "v1", "Document": document()}]}
    assert only_reject(read(tmp_path, "a.json", export(policies=(policy,)))).code == "no-default-version"


def test_the_version_that_is_named_default_counts_without_a_mark(tmp_path):
    policy = {
        "Arn": arn("policy/p"),
        "DefaultVersionId": "v1",
        "PolicyVersionList": [{"VersionId": "v1", "Document": document()}],
    }
    inputs = read(
        tmp_path, "a.json", export([user(AttachedManagedPolicies=[{"PolicyArn": policy["Arn"]}])], policies=(policy,))
    )
    assert inputs.rejects == ()
    assert [a.policy_name for a in inputs.attachments] == ["p"]


def test_a_date_that_is_none_is_left_out_with_a_warning(tmp_path):
    inputs = read(tmp_path, "a.json", export([user(CreateDate="yesterday")]))
    assert inputs.principals[0].created_at is None
    assert (only_reject(inputs).code, only_reject(inputs).severity) == ("bad-date", "warning")


def test_dates_as_seconds_are_read(tmp_path):
    inputs = read(tmp_path, "a.json", export([user(CreateDate=1704067200.5)]))
    assert inputs.principals[0].created_at == "2024-01-01T00:00:00Z"


def test_a_malformed_loose_document_makes_no_principal(tmp_path):
    inputs = read(tmp_path, "a.json", MISSING_EFFECT)
    assert inputs.principals == inputs.attachments == ()
    assert only_reject(inputs).line == 4


def test_messages_are_printable_whatever_names_hold(tmp_path):
    inputs = read(tmp_path, "111122223333.json", export([{"Arn": "bad\n\x1b[31m\u202e", "UserName": "x"}]))
    assert only_reject(inputs).message.isprintable()
    assert str(only_reject(inputs)).isprintable()


def test_a_path_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(PolicylakeError, match="nowhere: no such file or folder") as failure:
        read_inputs([tmp_path / "nowhere"])
    assert failure.value.exit_code == 2


def test_a_folder_without_any_input_file_is_an_error(tmp_path):
    write(tmp_path, "notes.txt", "{}")
    with pytest.raises(PolicylakeError, match="no input file here"):
        read_inputs([tmp_path])


def test_a_number_too_great_to_read_takes_nothing_else_of_its_list_with_it(tmp_path):
    inputs = read(tmp_path, "a.json", f"[1e999, {json.dumps(export(users=(user('ana'),)))}]")
    (reject,) = inputs.rejects
    assert (reject.pointer, reject.line, reject.column) == ("/0", 1, 2)
    assert [found.principal_arn for found in inputs.principals] == [arn("user/ana")]
