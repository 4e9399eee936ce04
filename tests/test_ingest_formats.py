"""Each input format is recognised by its content and read in full."""

import json
import shutil
import urllib.parse

import pytest
from ingest_inputs import (
    ACCOUNT,
    CASES,
    arn,
    document,
    export,
    group,
    inline,
    managed,
    only_reject,
    principal,
    read,
    role,
    user,
    write,
)

from pipeline.ingest import read_inputs
from pipeline.ingest.recognise import ADAPTERS

EXAMPLE = CASES / "example"


@pytest.fixture(scope="module")
def example():
    return read_inputs([EXAMPLE])


def kinds_on(inputs, target):
    return sorted(
        (a.attachment_kind, a.policy_name, a.policy_arn) for a in inputs.attachments if a.target_arn == target
    )


def test_each_file_of_the_example_is_recognised_by_its_content(example):
    contents = {source.path.removeprefix(f"{EXAMPLE.as_posix()}/"): source.content for source in example.sources}
    assert contents == {
        "111122223333-pages.json": "account-details",
        "inventory.json": "resource-tags",
        "organization.json": "organization",
        "resource-policies.json": "resource-policies",
        "tuning-jobs.json": "tuning-jobs",
        "what-if/admin.jsonc": "policy-document",
        "what-if/version.json": "policy-document",
    }


def test_the_example_gives_no_reject_but_the_warning_of_its_comments(example):
    reject = only_reject(example)
    assert (reject.severity, reject.code, reject.line, reject.column) == ("warning", "comments", 1, 1)
    assert "AWS would refuse" in reject.message


def test_a_user_has_its_facts(example):
    ana = principal(example, "user/people/ana")
    assert ana[1:7] == (ACCOUNT, "user", "ana", "/people/", "AIDAEXAMPLE0000000001", (("env", "dev"), ("team", "red")))
    assert (ana.created_at, ana.last_used_at, ana.missing) == ("2024-01-01T00:00:00Z", None, ())


def test_a_role_has_its_last_use_and_dates_come_in_one_form(example):
    execution = principal(example, "role/service-role/execution")
    assert execution.created_at == "2024-01-03T00:00:00Z"
    assert execution.last_used_at == "2024-05-06T07:08:09Z"


def test_a_user_has_its_inline_and_managed_policies_and_its_boundary_from_another_page(example):
    assert kinds_on(example, arn("user/people/ana")) == [
        ("boundary", "boundary", arn("policy/limits/boundary")),
        ("inline", "as-object", None),
        ("managed", "AmazonSageMakerReadOnly", "arn:aws:iam::aws:policy/AmazonSageMakerReadOnly"),
        ("managed", "models", arn("policy/models")),
    ]


def test_the_boundary_document_is_named_at_the_principal(example):
    (boundary,) = [a for a in example.attachments if a.attachment_kind == "boundary"]
    assert principal(example, "user/people/ana").boundary_policy_id == boundary.policy_id


def test_only_the_default_version_of_a_managed_policy_counts(example):
    (models,) = [a for a in example.attachments if a.policy_name == "models"]
    text = next(d.canonical for d in example.documents if d.policy_id == models.policy_id)
    assert "sagemaker:DescribeModel" in text


def test_documents_as_object_text_and_percent_encoded_text_are_one_document(tmp_path):
    policy = document()
    forms = [policy, json.dumps(policy), json.dumps(policy, indent=2), urllib.parse.quote(json.dumps(policy), safe="")]
    policies = [inline(f"p{number}", form) for number, form in enumerate(forms)]
    inputs = read(tmp_path, "a.json", export([user(UserPolicyList=policies)]))
    assert len(inputs.documents) == 1
    assert [a.policy_name for a in inputs.attachments] == ["p0", "p1", "p2", "p3"]


def test_a_plus_sign_in_a_percent_encoded_document_stays_a_plus_sign(tmp_path):
    text = urllib.parse.quote(json.dumps(document(Sid="x")), safe="").replace("x", "a+b")
    inputs = read(tmp_path, "a.json", export([user(UserPolicyList=[inline("p", text)])]))
    assert '"Sid":"a+b"' in inputs.documents[0].canonical


def test_a_document_that_differs_only_in_white_space_and_order_is_one_document(tmp_path):
    statement = '{"Effect": "Allow", "Action": "*", "Resource": "*"}'
    write(tmp_path, "one.json", f'{{"Version": "2012-10-17", "Statement": [{statement}]}}')
    write(tmp_path, "other.json", f'{{"Statement":[{statement}],\n"Version":"2012-10-17"}}')
    inputs = read_inputs([tmp_path])
    canonical = '{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}'
    assert [d.canonical for d in inputs.documents] == [canonical]
    assert inputs.documents[0].policy_id == "113496d8f8dd96a266c613bb"


@pytest.mark.parametrize("order", ["12", "21"])
def test_a_document_keeps_all_elements_though_kinds_of_policies_ignore_some(order, tmp_path):
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}]}
    value = export(roles=(role(AssumeRolePolicyDocument=policy),))
    write(tmp_path, f"{order[0]}.json", value)
    write(tmp_path, f"{order[1]}.json", policy)
    (held,) = read_inputs([tmp_path]).documents
    assert held.policy.statements[0].principal_element == "Principal"
    assert held.policy.statements[0].resource_element == "Resource"


def test_group_members_are_found_by_name(example):
    assert example.memberships == ((arn("user/people/ana"), arn("group/DevTeam1")),)


def test_an_account_knows_its_place_in_the_organization(example):
    accounts = {account.account_id: account for account in example.accounts}
    assert accounts["222233334444"].ou_path == "o-exampleorg/r-ab12/ou-ab12-11111111/ou-ab12-22222222/"
    assert [name for _, name in accounts["222233334444"].ancestors] == ["Root", "Workloads", "Prod", "prod"]
    assert accounts[ACCOUNT].is_management_account
    assert not accounts["222233334444"].is_management_account


def test_accounts_without_an_export_and_suspended_ones_are_kept(example):
    exported = {account.account_name: account.is_exported for account in example.accounts}
    assert exported == {"management": True, "prod": False, "closed": False}


def test_the_age_of_an_export_is_the_latest_date_in_it(example):
    assert next(a.data_as_of for a in example.accounts if a.account_id == ACCOUNT) == "2024-05-06T07:08:09Z"


def test_scps_and_rcps_hang_at_their_level_and_other_policies_are_skipped(example):
    found = {
        (a.policy_name, a.level, a.account_id, a.attachment_kind) for a in example.attachments if a.level is not None
    }
    assert found == {
        ("everything", 0, None, "scp"),
        ("everything", 1, None, "scp"),
        ("everything", 2, None, "scp"),
        ("everything", 3, "222233334444", "scp"),
        ("everything", 2, "333344445555", "scp"),
        ("no-notebooks", 2, None, "scp"),
        ("no-notebooks", 3, "222233334444", "scp"),
        ("own-buckets", 0, None, "rcp"),
    }


def test_resource_policies_tell_vpc_endpoints_from_other_resources(example):
    found = {
        a.attachment_kind: (a.target_arn, a.account_id)
        for a in example.attachments
        if a.attachment_kind in ("resource", "endpoint")
    }
    assert found == {
        "resource": ("arn:aws:sagemaker:us-east-1:111122223333:model-package-group/g", ACCOUNT),
        "endpoint": ("arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/vpce-0abc", ACCOUNT),
    }


def test_the_inventory_has_resources_with_and_without_tags(example):
    assert [(r.resource_arn.rsplit("/", 1)[-1], r.tags) for r in example.inventory] == [
        ("e1", ()),
        ("nb1", (("Project", "A"),)),
    ]


def test_a_training_job_knows_its_tuning_job_and_creation(example):
    (job,) = example.training_jobs
    assert job.tuning_job_arn == "arn:aws:sagemaker:us-east-1:111122223333:hyper-parameter-tuning-job/t"
    assert (job.training_job_status, job.created_at) == ("Completed", "2024-03-01T00:00:00Z")


def test_loose_documents_become_principals_named_by_their_path(example):
    loose = [p for p in example.principals if p.principal_type == "policy"]
    assert [(p.principal_arn, p.principal_name, p.account_id) for p in loose] == [
        ("policy/what-if/admin", "admin", None),
        ("policy/what-if/version", "version", None),
    ]
    assert kinds_on(example, "policy/what-if/admin") == [("inline", "admin", None)]


def test_a_document_given_directly_has_the_name_of_its_file():
    inputs = read_inputs([EXAMPLE / "what-if" / "version.json"])
    assert [p.principal_arn for p in inputs.principals] == ["policy/version"]


def test_two_documents_of_one_name_get_names_of_their_own(tmp_path):
    for folder in ("a", "b"):
        write(tmp_path, f"{folder}/p.json", document(f"sagemaker:{folder}"))
    write(tmp_path, "b/p.jsonc", document("sagemaker:c"))
    inputs = read_inputs([tmp_path / "b", tmp_path / "a"])
    names = {p.principal_arn: p.source.removeprefix(f"{tmp_path.as_posix()}/") for p in inputs.principals}
    assert names == {"policy/p": "a/p.json", "policy/p~2": "b/p.json", "policy/p~3": "b/p.jsonc"}


def test_a_list_of_pages_is_one_export_and_so_are_files_of_one_page(tmp_path):
    pages = [export([user("ana")]), export([user("ben", GroupList=["g"])], [group("g")])]
    whole = read(tmp_path / "whole", "export.json", pages)
    for number, page in enumerate(pages):
        write(tmp_path / "apart", f"{number}.json", page)
    apart = read_inputs([tmp_path / "apart"])
    assert [p[:-1] for p in whole.principals] == [p[:-1] for p in apart.principals]
    assert whole.memberships == apart.memberships == ((arn("user/ben"), arn("group/g")),)


def test_an_export_filtered_to_policies_is_recognised(tmp_path):
    inputs = read(tmp_path, "111122223333.json", {"Policies": [managed(arn("policy/p"), document())]})
    assert inputs.sources[0].content == "account-details"
    assert [a.account_id for a in inputs.accounts] == [ACCOUNT]


def test_an_empty_export_takes_its_account_from_the_file_name(tmp_path):
    inputs = read(tmp_path, "export-444455556666.json", export())
    assert [(a.account_id, a.is_exported) for a in inputs.accounts] == [("444455556666", True)]
    assert inputs.rejects == ()


def test_an_empty_export_that_names_no_account_is_told(tmp_path):
    assert only_reject(read(tmp_path, "export.json", export())).code == "no-account"


def test_aws_policies_of_a_file_that_names_no_account_count_for_every_account(tmp_path):
    aws = "arn:aws:iam::aws:policy/ReadOnly"
    write(tmp_path, "policies.json", {"Policies": [managed(aws, document())]})
    write(tmp_path, "users.json", export([user(AttachedManagedPolicies=[{"PolicyArn": aws}])]))
    inputs = read_inputs([tmp_path])
    assert [a.policy_arn for a in inputs.attachments] == [aws]
    assert principal(inputs, "user/ana").missing == ()


def test_absent_and_null_members_are_no_problem(tmp_path):
    bare = {"UserPolicyList": None, "GroupList": None, "Tags": None, "PermissionsBoundary": None, "Path": None}
    value = {"UserDetailList": [user(**bare), user("ben")], "RoleDetailList": None, "Policies": None}
    inputs = read(tmp_path, "a.json", value)
    assert [p.principal_name for p in inputs.principals] == ["ana", "ben"]
    assert inputs.rejects == ()


def test_trust_policies_are_attached_to_their_role(tmp_path):
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    inputs = read(tmp_path, "a.json", export(roles=(role(AssumeRolePolicyDocument=trust),)))
    assert kinds_on(inputs, arn("role/execution")) == [("trust", "", None)]


def test_one_document_attached_twice_under_one_name_keeps_both_arns(tmp_path):
    twins = [managed(arn(f"policy/{path}/p"), document()) for path in "ab"]
    references = [{"PolicyArn": twin["Arn"]} for twin in twins]
    inputs = read(tmp_path, "a.json", export([user(AttachedManagedPolicies=references)], policies=tuple(twins)))
    assert [a.policy_arn for a in inputs.attachments] == [arn("policy/a/p"), arn("policy/b/p")]


def test_the_order_of_inputs_does_not_matter(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "example")
    files = sorted(path for path in (tmp_path / "example").rglob("*") if path.is_file())
    assert read_inputs(files) == read_inputs(files[::-1])


def test_every_adapter_says_what_it_is_told_by_and_what_it_gives():
    assert len({adapter.content for adapter in ADAPTERS}) == len(ADAPTERS) == 8
    assert all(adapter.told_by and adapter.gives for adapter in ADAPTERS)
