"""The organization tree is built where it can be, and where it cannot the accounts say so."""

import json
from time import process_time

import pytest
from asking import answers
from ingest_inputs import ACCOUNT, arn, document, export, inline, only_reject, principal, read, user, write

from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.ingest import read_inputs
from pipeline.lake import open_lake

MASTER = "999999999999"
PREFIX = f"arn:aws:organizations::{MASTER}:"


def node(kind, node_id, parent_id=None, organization="o-1"):
    found = {"Id": node_id, "Arn": f"{PREFIX}{kind}/{organization}/{node_id}", "Name": f"name of {node_id}"}
    return found if parent_id is None else {**found, "ParentId": parent_id}


def scp(targets, content=None, kind="SERVICE_CONTROL_POLICY"):
    summary = {"Id": "p-1", "Arn": f"{PREFIX}policy/o-1/p-1", "Name": "limits", "Type": kind}
    return {
        "PolicySummary": summary,
        "Content": document("*") if content is None else content,
        "Targets": [{"TargetId": target} for target in targets],
    }


def organization(units=(), accounts=(), policies=(), organization_id="o-1"):
    return {
        "Organization": {"Id": organization_id, "MasterAccountId": MASTER},
        "Roots": [node("root", "r-1", organization=organization_id)],
        "OrganizationalUnits": [node("ou", *unit, organization=organization_id) for unit in units],
        "Accounts": [node("account", *account, organization=organization_id) for account in accounts],
        "Policies": list(policies),
    }


BROKEN = [
    ("organization-cycle", [("ou-1", "ou-2"), ("ou-2", "ou-1")], "ou-1", "/OrganizationalUnits/0"),
    ("organization-cycle", [("ou-1", "ou-1")], "ou-1", "/OrganizationalUnits/0"),
    ("unknown-parent", [("ou-1", "ou-x")], "ou-1", "/OrganizationalUnits/0"),
    ("unknown-parent", [], "ou-x", "/Accounts/0"),
    ("unknown-parent", [("ou-1",)], "ou-1", "/OrganizationalUnits/0"),
]


@pytest.mark.parametrize(("code", "units", "parent", "pointer"), BROKEN)
def test_an_account_without_a_way_to_the_root_has_no_known_organization(code, units, parent, pointer, tmp_path):
    write(tmp_path, "organization.json", organization(units, [(ACCOUNT, parent)]))
    write(tmp_path, "export.json", export([user()]))
    inputs = read_inputs([tmp_path])
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == ("error", code, pointer)
    assert ACCOUNT in reject.message
    (account,) = inputs.accounts
    assert (account.organization_id, account.ou_path, account.ancestors) == (None, None, ())
    assert principal(inputs, "user/ana").missing == (f"place of account {ACCOUNT} in its organization",)


def test_an_scp_with_a_condition_value_that_is_none_marks_the_accounts_below_it(tmp_path):
    odd = document("*", Effect="Deny", Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/33"}})
    accounts = [(ACCOUNT, "r-1"), ("222222222222", "r-1")]
    everywhere = ["r-1", ACCOUNT, "222222222222"]
    write(tmp_path, "organization.json", organization((), accounts, [scp(everywhere), scp([ACCOUNT], odd)]))
    write(tmp_path, "export.json", export([user(), user("bo", Arn=arn("user/bo", "222222222222"))]))
    inputs = read_inputs([tmp_path])
    assert principal(inputs, "user/ana").missing == ("readable condition values of the SCP limits (p-1)",)
    assert principal(inputs, "user/bo", "222222222222").missing == ()


def test_a_level_without_any_scp_is_told_once(tmp_path):
    units, accounts = [("ou-1", "r-1")], [(ACCOUNT, "ou-1"), ("222222222222", "ou-1")]
    policies = [scp(["r-1", ACCOUNT, "222222222222"])]
    write(tmp_path, "organization.json", organization(units, accounts, policies))
    write(tmp_path, "export.json", export([user()]))
    inputs = read_inputs([tmp_path])
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == ("warning", "no-scp", "/OrganizationalUnits/0")
    assert "organizational unit name of ou-1 (ou-1) has no SCP" in reject.message
    assert principal(inputs, "user/ana").missing == ("SCPs of name of ou-1 (ou-1)",)


def test_a_management_account_without_scps_is_no_gap_for_none_limits_it(tmp_path):
    value = organization((), [(ACCOUNT, "r-1"), ("222222222222", "r-1")], [scp(["r-1", "222222222222"])])
    value["Organization"]["MasterAccountId"] = ACCOUNT
    assert read(tmp_path, "organization.json", value).rejects == ()


def test_accounts_beside_a_cycle_keep_their_place(tmp_path):
    value = organization([("ou-1", "ou-1"), ("ou-2", "r-1")], [(ACCOUNT, "ou-1"), ("222222222222", "ou-2")])
    accounts = read(tmp_path, "organization.json", value).accounts
    assert [account.ou_path for account in accounts] == [None, "o-1/r-1/ou-2/"]


@pytest.mark.parametrize(
    ("top", "code"), [("r-1", None), ("ou-2999", "organization-cycle"), ("ou-x", "unknown-parent")]
)
def test_a_tree_of_many_levels_is_walked_once(top, code, tmp_path):
    units = [("ou-0", top), *((f"ou-{number}", f"ou-{number - 1}") for number in range(1, 3000))]
    started = process_time()
    inputs = read(tmp_path, "organization.json", organization(units, [(ACCOUNT, "ou-2999")]))
    assert process_time() - started < 10
    assert [reject.code for reject in inputs.rejects] == ([code] if code else [])
    assert len(inputs.accounts[0].ancestors) == (0 if code else 3002)


def test_a_policy_with_an_unknown_target_keeps_its_other_targets(tmp_path):
    inputs = read(tmp_path, "organization.json", organization(policies=[scp(["ou-x", "r-1"])]))
    reject = only_reject(inputs)
    assert (reject.severity, reject.code, reject.pointer) == ("error", "unknown-target", "/Policies/0/Targets/0")
    assert [(a.target_arn, a.level) for a in inputs.attachments] == [(f"{PREFIX}root/o-1/r-1", 0)]


def test_a_malformed_scp_marks_the_principals_below_its_targets(tmp_path):
    accounts = [(ACCOUNT, "ou-1"), ("444455556666", "r-1")]
    everywhere = scp(["r-1", ACCOUNT, "444455556666"])
    everywhere["PolicySummary"] |= {"Id": "p-2", "Arn": f"{PREFIX}policy/o-1/p-2"}
    policies = [scp(["ou-1"], content="{"), everywhere]
    write(tmp_path, "organization.json", organization([("ou-1", "r-1")], accounts, policies))
    write(tmp_path, "one.json", export([user()]))
    write(tmp_path, "two.json", export([{"Arn": "arn:aws:iam::444455556666:user/x", "UserName": "x"}]))
    inputs = read_inputs([tmp_path])
    assert only_reject(inputs).pointer == "/Policies/0/Content"
    assert principal(inputs, "user/ana").missing == (f"{PREFIX}policy/o-1/p-1",)
    assert principal(inputs, "user/x", "444455556666").missing == ()


@pytest.mark.parametrize("others", [[], [document("sagemaker:DescribeModel")]])
def test_an_scp_that_cannot_be_read_limits_nothing_and_the_answers_are_incomplete(others, tmp_path):
    policies = [
        scp(["r-1", ACCOUNT]),
        scp(["ou-1"], content="{"),
        *(scp(["ou-1"], content=content) for content in others),
    ]
    write(tmp_path, "organization.json", organization([("ou-1", "r-1")], [(ACCOUNT, "ou-1")], policies))
    write(tmp_path, "one.json", export([user(UserPolicyList=[inline("p", document("sagemaker:ListModels"))])]))
    build_lake([tmp_path], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    rows = lake.query("select action, verdict, is_incomplete from access_matrix").to_pylist()
    assert rows == [{"action": "sagemaker:ListModels", "verdict": "allowed", "is_incomplete": True}]
    names = lake.query("select policy_name from attachments where level = 1 order by all").to_pylist()
    assert names[-1] == {"policy_name": "limits (cannot be read: taken to allow everything)"}
    (answer,) = answers([{"principal": arn("user/ana"), "action": "sagemaker:ListModels", "resource": "*"}], lake)
    assert answer["decision"] == "allowed"
    assert "the answer may be wrong" in answer["detail"]


def test_an_rcp_that_cannot_be_read_limits_nothing(tmp_path):
    policies = [scp(["r-1"], content="{", kind="RESOURCE_CONTROL_POLICY")]
    assert read(tmp_path, "o.json", organization(accounts=[(ACCOUNT, "r-1")], policies=policies)).attachments == ()


def test_policies_of_other_types_are_skipped_whatever_they_hold(tmp_path):
    inputs = read(tmp_path, "o.json", organization(policies=[scp(["ou-x"], content=5, kind="BACKUP_POLICY")]))
    assert inputs.rejects == inputs.attachments == ()


def test_the_ids_come_from_the_root_where_the_organization_is_not_described(tmp_path):
    value = organization(accounts=[(MASTER, "r-1")])
    del value["Organization"]
    (account,) = read(tmp_path, "o.json", value).accounts
    assert (account.organization_id, account.is_management_account) == ("o-1", True)


def test_an_organization_without_any_id_is_rejected(tmp_path):
    reject = only_reject(read(tmp_path, "o.json", {"Roots": []}))
    assert reject.code == "no-organization-id"


def test_a_unit_given_twice_with_different_parents_is_rejected(tmp_path):
    value = organization([("ou-1", "r-1"), ("ou-1", "ou-2")], [(ACCOUNT, "ou-1")])
    inputs = read(tmp_path, "o.json", value)
    assert only_reject(inputs).code == "duplicate-node"
    assert inputs.accounts[0].ou_path == "o-1/r-1/ou-1/"


def test_several_organizations_are_read_where_they_share_no_account(tmp_path):
    write(tmp_path, "1.json", organization(accounts=[(ACCOUNT, "r-1")]))
    write(tmp_path, "2.json", organization(accounts=[("222222222222", "r-1")], organization_id="o-2"))
    assert [a.organization_id for a in read_inputs([tmp_path]).accounts] == ["o-1", "o-2"]


def test_an_account_in_two_organizations_is_an_error_that_names_both_files(tmp_path):
    write(tmp_path, "1.json", organization(accounts=[(ACCOUNT, "r-1")]))
    write(tmp_path, "2.json", organization(accounts=[(ACCOUNT, "r-1")], organization_id="o-2"))
    with pytest.raises(PolicylakeError, match=r"1\.json and .*2\.json both hold account 111122223333"):
        read_inputs([tmp_path])
    assert read_inputs([tmp_path], latest=True).accounts[0].organization_id == "o-2"


def test_an_organization_given_twice_with_different_data_is_an_error_unless_the_latest_is_asked_for(tmp_path):
    write(tmp_path, "1.json", organization([("ou-1", "r-1")], [(ACCOUNT, "ou-1")]))
    write(tmp_path, "2.json", organization([("ou-1", "r-1")], [(ACCOUNT, "r-1")]))
    with pytest.raises(PolicylakeError, match=r"1\.json and .*2\.json both hold organization o-1"):
        read_inputs([tmp_path])
    assert read_inputs([tmp_path], latest=True).accounts[0].ou_path == "o-1/r-1/"


def test_an_organization_given_twice_with_the_same_data_is_given_once(tmp_path):
    value = organization([("ou-1", "r-1"), ("ou-2", "r-1")], [(ACCOUNT, "ou-1")], [scp(["r-1"])])
    write(tmp_path, "1.json", value)
    write(tmp_path, "2.json", {**value, "OrganizationalUnits": value["OrganizationalUnits"][::-1]})
    inputs = read_inputs([tmp_path])
    assert not [reject for reject in inputs.rejects if reject.severity == "error"]
    assert len(inputs.attachments) == 1


MARKED = f"{PREFIX}policy/o-1/p-1"
OF_LEVEL = "SCPs of name of "
AT_POLICY = "policy of the organization at /Policies/0"


def marks(folder, value, account=ACCOUNT):
    """Return the rejects of an organization, and what a user of the account lacks; of levels without an SCP nothing."""
    write(folder, "organization.json", value)
    write(folder, "export.json", export([{"Arn": f"arn:aws:iam::{account}:user/ana", "UserName": "ana"}]))
    inputs = read_inputs([folder])
    missing = principal(inputs, "user/ana", account).missing
    rest = tuple(what for what in missing if not what.startswith(OF_LEVEL))
    return [(r.severity, r.code, r.pointer) for r in inputs.rejects if r.code != "no-scp"], rest


def levels_without(folder):
    missing = principal(read_inputs([folder]), "user/ana").missing
    return [what.rsplit("(")[-1].rstrip(")") for what in missing if what.startswith(OF_LEVEL)]


def test_a_level_without_any_scp_marks_the_accounts_below_it_where_others_have_one(tmp_path):
    assert marks(tmp_path, tree([scp(["r-1"])])) == ([], ())
    assert levels_without(tmp_path) == [ACCOUNT, "ou-1"]
    marks(tmp_path, tree([scp(["r-1", "ou-1", ACCOUNT])]))
    assert levels_without(tmp_path) == []
    marks(tmp_path, tree([scp(["r-1"], kind="RESOURCE_CONTROL_POLICY")]))
    assert levels_without(tmp_path) == []


def tree(policies=(), accounts=((ACCOUNT, "ou-1"), (MASTER, "r-1"))):
    return organization([("ou-1", "r-1"), ("ou-2", "r-1")], list(accounts), policies)


@pytest.mark.parametrize("kind", ["SCP", "service_control_policy", ""])
@pytest.mark.parametrize(("target", "missing"), [("ou-1", (MARKED,)), ("r-1", (MARKED,)), ("ou-2", ())])
def test_a_policy_of_an_unknown_type_marks_the_accounts_below_its_targets(kind, target, missing, tmp_path):
    rejects, found = marks(tmp_path, tree([scp([target], kind=kind)]))
    assert rejects == [("error", "unknown-policy-type", "/Policies/0/PolicySummary/Type")]
    assert found == missing


def test_a_target_of_the_wrong_type_keeps_the_others_and_marks_the_whole_organization(tmp_path):
    policy = {**scp([]), "Targets": [{"TargetId": 5}, {"TargetId": "ou-2"}, {"TargetId": "ou-x"}]}
    rejects, missing = marks(tmp_path, tree([policy]))
    assert rejects == [
        ("error", "wrong-type", "/Policies/0/Targets/0/TargetId"),
        ("error", "unknown-target", "/Policies/0/Targets/2"),
    ]
    assert missing == (MARKED,)
    inputs = read_inputs([tmp_path])
    assert [a.target_arn for a in inputs.attachments] == [f"{PREFIX}ou/o-1/ou-2"]


@pytest.mark.parametrize("member", ["Id", "Type", "Arn"])
@pytest.mark.parametrize(("target", "missing"), [("ou-1", (AT_POLICY,)), ("ou-2", ()), ("ou-x", (AT_POLICY,))])
def test_a_policy_of_which_its_summary_tells_too_little_marks_the_accounts_below_its_targets(
    member, target, missing, tmp_path
):
    policy = scp([target])
    del policy["PolicySummary"][member]
    rejects, found = marks(tmp_path, tree([policy]))
    assert rejects == [("error", "wrong-type", "/Policies/0/PolicySummary")]
    assert found == missing


def test_a_policy_without_its_summary_or_in_another_shape_marks_the_whole_organization(tmp_path):
    for index, policy in enumerate(({"Targets": [{"TargetId": "ou-2"}]}, 7)):
        folder = tmp_path / str(index)
        folder.mkdir()
        assert marks(folder, tree([policy]))[1] == (AT_POLICY,)


def test_an_unknown_target_marks_the_whole_organization_but_the_management_account(tmp_path):
    for account, missing in ((ACCOUNT, (MARKED,)), (MASTER, ())):
        folder = tmp_path / account
        folder.mkdir()
        assert marks(folder, tree([scp(["ou-x"])]), account)[1] == missing


def test_policies_of_the_wrong_type_mark_the_whole_organization(tmp_path):
    rejects, missing = marks(tmp_path, {**tree(), "Policies": {"a": 1}})
    assert rejects == [("error", "wrong-type", "/Policies")]
    assert missing == ("policy of the organization at /Policies",)


def test_policies_that_stand_twice_mark_the_whole_organization(tmp_path):
    text = json.dumps(tree([scp(["r-1"])])).replace('"Policies":', '"Policies": [], "Policies":')
    rejects, missing = marks(tmp_path, text)
    assert rejects == [("error", "duplicate-name", "/Policies")]
    assert missing == ("SCPs and RCPs of the organization",)


PLACE = ("place of the account in its organization",)


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        (tree(accounts=[(int(ACCOUNT), "ou-1")]), "wrong-type", "/Accounts/0/Id"),
        (tree(accounts=[("12", "ou-1")]), "bad-account-id", "/Accounts/0/Id"),
        ({**tree(accounts=[]), "Accounts": 5}, "wrong-type", "/Accounts"),
        ({**tree(), "Organization": {}, "Roots": []}, "no-organization-id", ""),
        ({**tree(accounts=[]), "NextToken": "n"}, "truncated-list", "/NextToken"),
    ],
)
def test_what_may_be_the_place_of_an_account_marks_those_that_have_none(value, code, pointer, tmp_path):
    rejects, missing = marks(tmp_path, value)
    assert rejects == [("error", code, pointer)]
    assert missing == PLACE


def test_an_organization_that_ends_in_the_middle_marks_its_accounts(tmp_path):
    assert marks(tmp_path, {**tree(), "NextToken": "n"})[1] == ("rest of the SCPs and RCPs of the organization",)


def test_an_account_with_a_place_is_not_marked_for_one_without(tmp_path):
    assert marks(tmp_path, tree(accounts=[(ACCOUNT, "ou-1"), ("12", "ou-1")]))[1] == ()


def types(*enabled, status="ENABLED"):
    return [{"Type": policy_type, "Status": status} for policy_type in enabled]


def limited(folder, **told):
    """Return the rejects of an organization with an SCP, and how many SCPs act on it."""
    value = tree([scp(["r-1", "ou-1", ACCOUNT])])
    value["Organization"] |= told.get("organization", {})
    value["Roots"][0] |= told.get("root", {})
    rejects, missing = marks(folder, value)
    assert missing == ()
    return rejects, len(read_inputs([folder]).attachments)


SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


@pytest.mark.parametrize(
    "told",
    [
        {"organization": {"FeatureSet": "ALL"}},
        {"root": {"PolicyTypes": types(SCP, RCP)}},
        {"root": {"PolicyTypes": types(SCP)}},
        {"root": {"PolicyTypes": None}},
    ],
)
def test_scps_act_where_nothing_says_that_they_are_switched_off(told, tmp_path):
    assert limited(tmp_path, **told) == ([], 3)


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"organization": {"FeatureSet": "CONSOLIDATED_BILLING"}}, "/Organization/FeatureSet"),
        ({"root": {"PolicyTypes": []}}, "/Roots/0/PolicyTypes"),
        ({"root": {"PolicyTypes": types(RCP)}}, "/Roots/0/PolicyTypes"),
        ({"root": {"PolicyTypes": types(SCP, status="PENDING_DISABLE")}}, "/Roots/0/PolicyTypes"),
    ],
)
def test_scps_that_the_organization_has_switched_off_are_told_and_left_out(told, pointer, tmp_path):
    assert limited(tmp_path, **told) == ([("warning", "policies-switched-off", pointer)], 0)


def test_policy_types_of_another_shape_are_told_and_switch_nothing_off(tmp_path):
    rejects, attached = limited(tmp_path, root={"PolicyTypes": [5]})
    assert [code for _, code, _ in rejects] == ["wrong-type"]
    assert attached == 3
