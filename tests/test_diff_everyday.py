"""What everyday plans and templates give without naming it, which the gate once passed: each is a row, or unknown."""

import pytest
from test_diff_gate import (
    ACCOUNT,
    LIST,
    OWNER,
    PLAIN_ROLE,
    ROLE,
    TRUST,
    P,
    doubts,
    gate,
    kept,
    of_role,
    plan_of,
    resource,
    role,
    told,
)
from test_diff_gate import document as text

from pipeline.diff.overlay import _of_unnamed, write_sides
from pipeline.infrastructure.cloudformation import read_template
from pipeline.infrastructure.facts import (
    Attached,
    Attributes,
    Infrastructure,
    Inline,
    Member,
    Principal,
    ResourcePolicy,
    Unread,
    Unresolved,
    overlaid,
)
from pipeline.infrastructure.terraform import read_plan

DENY = {**LIST, "Effect": "Deny", "Action": "sagemaker:DeleteModel"}
TWO = {**LIST, "Action": ["sagemaker:ListModels", "sagemaker:DeleteModel"]}
OTHER = "444455556666"
KNOWN = frozenset({"iam", "kms", "s3", "sagemaker"})


def own(statement, name="p", role="r"):
    return {"name": name, "role": role, "policy": text(statement)}


def stays(address, values):
    return resource(address, values, values, actions=["no-op"])


def told_of(change, tmp_path):
    """Return what is doubted of a change, without a lake: by place, why."""
    return {one.where: one.why for one in write_sides(change, None, tmp_path / "sides", KNOWN).doubts}


def doubted(tmp_path, *changes, **members):
    return told_of(read_plan(plan_of(kept(), *changes, **members)), tmp_path)


def refers(address, argument, *references):
    return [{"address": address, "expressions": {argument: {"references": list(references)}}}]


def unread(facts):
    return {key.owner.name for key in facts if isinstance(key, Unread)}


def holders_of(facts, arn):
    return {key.owner.name for key in facts if isinstance(key, Attached) and key.arn == arn}


# Who has a policy or is in a group, where no lake tells.


def policy(*statements):
    return {"arn": P, "name": "p", "path": "/", "policy": text(*statements)}


def test_a_policy_that_changes_without_holders_in_the_plan_is_told_of_whoever_has_it(monkeypatch, tmp_path):
    group = {"name": "g", "arn": f"arn:aws:iam::{ACCOUNT}:group/g", "path": "/"}
    held = {"group": "g", "name": "p"}
    plan = plan_of(
        resource("aws_iam_policy.p", policy(LIST), policy(TWO)),
        stays("aws_iam_group.g", group),
        resource("aws_iam_group_policy.p", {**held, "policy": text(LIST)}, {**held, "policy": text(TWO)}),
    )
    code, rows, _ = gate(monkeypatch, tmp_path, plan)
    names = {row["principal_arn"].split(":")[-1].split("/")[-1] for row in rows}
    assert (code, names) == (1, {"whoever-has-p", "whoever-is-in-g"})
    for change in plan["resource_changes"]:
        change["change"]["before"], change["change"]["after"] = change["change"]["after"], change["change"]["before"]
    code, rows, _ = gate(monkeypatch, tmp_path, plan)
    assert (code, {row["residual"] for row in rows}) == (0, {"narrower"})


def test_what_others_lose_of_denials_is_doubted_where_they_are_not_known(tmp_path):
    group = {"group": "g", "name": "d", "policy": text(DENY)}
    found = doubted(
        tmp_path,
        resource("aws_iam_policy.p", policy(TWO, DENY), policy(TWO)),
        stays("aws_iam_group.g", {"name": "g", "arn": f"arn:aws:iam::{ACCOUNT}:group/g"}),
        resource("aws_iam_group_policy.d", group, None),
    )
    assert {P, f"arn:aws:iam::{ACCOUNT}:group/g"} == {where for where, why in found.items() if "denies less" in why}


def test_denials_that_stay_are_no_doubt(tmp_path):
    assert not doubted(tmp_path, resource("aws_iam_policy.p", policy(TWO, DENY), policy(LIST, DENY)))


def test_whoever_has_a_policy_is_not_told_beside_one_who_is_known_to_have_it(monkeypatch, tmp_path):
    attached = {"role": "r", "policy_arn": P}
    plan = plan_of(
        kept(),
        resource("aws_iam_policy.p", policy(LIST), policy(TWO)),
        stays("aws_iam_role_policy_attachment.a", attached),
    )
    code, rows, _ = gate(monkeypatch, tmp_path, plan)
    assert (code, told(rows)) == (1, [(ROLE, "sagemaker:DeleteModel", "wider")])
    # Who has it already hides nothing of the others.
    plan["resource_changes"].append(stays("aws_iam_role_policy.w", own(TWO, "w")))
    code, rows, _ = gate(monkeypatch, tmp_path, plan)
    assert (code, len(rows), "whoever-has-p" in rows[0]["principal_arn"]) == (1, 1, True)


# What an unknown value refers to.


def test_entries_of_a_list_that_lead_nowhere_are_unknown_beside_those_that_are_known():
    known = {**policy(LIST), "arn": f"{P}-known", "name": "known"}
    mixed = ("aws_iam_policy.k.arn", "aws_iam_policy.k", "module.x.arn", "module.x")
    lists = [role(managed_policy_arns=[known["arn"], *more]) for more in ([], [None])]
    flags = {"managed_policy_arns": [False, True]}
    plan = plan_of(
        stays("aws_iam_policy.k", known),
        resource("aws_iam_role.r", *lists, flags),
        configuration=refers("aws_iam_role.r", "managed_policy_arns", *mixed),
    )
    assert unread(read_plan(plan).after) == {"r"}
    address = "aws_iam_policy_attachment.a"
    attachments = [{"name": "a", "roles": ["r", *more], "policy_arn": P} for more in ([], [None])]
    plan = plan_of(
        kept(),
        resource(address, *attachments, {"roles": [False, True]}),
        configuration=refers(address, "roles", "aws_iam_role.r.name", "aws_iam_role.r", "module.x.name", "module.x"),
    )
    assert holders_of(read_plan(plan).after, P) == {"r", address}


@pytest.mark.parametrize(
    ("references", "holder"),
    [
        (("aws_iam_role.r", "each.key"), "x"),
        (("aws_iam_role.r", "each.value"), "x"),
        (("aws_iam_role.r", "each.value.role", "each.value"), None),
        (('aws_iam_role.r["y"].id', 'aws_iam_role.r["y"]', "aws_iam_role.r"), "y"),
        (("aws_iam_role.r", "local.name"), None),
        (('aws_iam_role.r["y"].id', 'aws_iam_role.r["y"]', "aws_iam_role.r", "local.is_made"), None),
        (('aws_iam_role.r["y"].id', 'aws_iam_role.r["y"]', "aws_iam_role.r", "var.is_made"), "y"),
        (('aws_iam_role.r["y"].id', "data.aws_iam_role.d.id", "data.aws_iam_role.d"), "y"),
        (('aws_iam_role.r["y"].id', "data.aws_iam_role.late.id", "data.aws_iam_role.late"), None),
    ],
)
def test_the_instance_that_a_reference_leads_to_is_the_right_one_or_unknown(references, holder):
    address = "aws_iam_role_policy_attachment.a"
    late = {"mode": "data", "change": {"actions": ["read"], "before": None, "after": {}}}
    plan = plan_of(
        *(stays(f'aws_iam_role.r["{n}"]', role(name=n, arn=f"arn:aws:iam::{ACCOUNT}:role/{n}")) for n in "xy"),
        {"address": "data.aws_iam_role.late", "type": "aws_iam_role", **late},
        resource(f'{address}["x"]', None, {"policy_arn": P}, {"role": True}),
        configuration=refers(address, "role", *references),
    )
    assert holders_of(read_plan(plan).after, P) == {holder or f'{address}["x"]'}


# Names that several have.


def namesakes(*changes):
    arn = f"arn:aws:iam::{OTHER}:role/r"
    return plan_of(kept(), stays("aws_iam_role.other", role(arn=arn)), *changes)


def test_a_policy_of_one_of_two_roles_of_a_name_is_nobodys_where_nothing_tells_which(tmp_path):
    address = "aws_iam_role_policy.p"
    wider = read_plan(namesakes(resource(address, own(LIST), own(TWO))))
    (inline,) = [key for key in wider.after if isinstance(key, Inline)]
    assert inline.owner.name == address
    assert "which of 2 of the name r" in told_of(wider, tmp_path)[address]
    gone = read_plan(namesakes(resource(address, own(DENY), None)))
    assert "may have limited it" in told_of(gone, tmp_path / "gone")[address]
    assert not told_of(read_plan(namesakes(stays(address, own(LIST)))), tmp_path / "same")


def test_providers_of_unknown_accounts_do_not_share_a_role_of_one_name():
    def given(kind, provider):
        return {"address": f"aws_iam_{kind}", "provider_config_key": provider, "expressions": {}}

    inner = {"resources": [given("role.r", "aws.b"), given("role_policy.p", "aws.b")]}
    root = {"resources": [given("role.r", "aws"), given("role_policy.p", "aws")]}
    plan = plan_of(
        kept(),
        resource("aws_iam_role_policy.p", own(LIST), own(TWO)),
        resource("module.b.aws_iam_role.r", None, {"name": "r", "assume_role_policy": text(TRUST)}),
        resource("module.b.aws_iam_role_policy.p", None, own(LIST)),
    )
    plan["configuration"] = {"root_module": {**root, "module_calls": {"b": {"module": inner}}}}
    read = read_plan(plan).after
    found = {(key.owner.account, key.owner.name): text for key, text in read.items() if isinstance(key, Inline)}
    assert found == {(ACCOUNT, "r"): text(TWO), ("000000000001", "r"): text(LIST)}
    given_account = read_plan(plan, ACCOUNT).after
    assert {key.owner.account for key in given_account if isinstance(key, Inline)} == {ACCOUNT, "000000000001"}


def of_group(principal):
    allow = {**LIST, "Principal": {"AWS": principal}, "Action": "sagemaker:DescribeModelPackageGroup"}
    return {"model_package_group_name": "g", "resource_policy": text(allow)}


def test_the_second_policy_of_what_looks_like_one_resource_is_doubted_where_it_changes(tmp_path):
    kind = "aws_sagemaker_model_package_group_policy"
    first = stays(f"{kind}.a", of_group(ACCOUNT))
    assert f"{kind}.b" in doubted(tmp_path, first, resource(f"{kind}.b", of_group(OTHER), of_group("*")))
    assert not doubted(tmp_path / "same", first, stays(f"{kind}.b", of_group(OTHER)))


@pytest.mark.parametrize("is_first", [True, False])
def test_the_policy_of_a_key_is_that_of_the_resource_which_brings_it(is_first):
    arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
    one = stays("aws_kms_key.k", {"arn": arn, "policy": text(DENY)})
    other = resource(
        "aws_kms_key_policy.k", {"key_id": "k", "policy": text(TWO)}, {"key_id": "k", "policy": text(LIST)}
    )
    read = read_plan(plan_of(kept(), *((one, other) if is_first else (other, one))))
    assert (read.before[ResourcePolicy(arn)], read.after[ResourcePolicy(arn)]) == (text(TWO), text(LIST))
    assert not read.doubts


# What goes, and what is taken out.


def test_what_a_replacement_left_behind_counts_until_it_goes():
    left = {**resource("aws_iam_role_policy.d", own(DENY, "d"), None), "deposed": "0123abcd"}
    plan = plan_of(kept(), stays("aws_iam_role_policy.d", own(LIST, "p")), left)
    read = read_plan(plan)
    assert Inline(OWNER, "d") in read.before
    assert Inline(OWNER, "d") not in read.after
    same = {**left, "change": {**left["change"], "before": own(DENY, "p")}}
    assert read_plan(plan_of(kept(), plan["resource_changes"][1], same)).before[Inline(OWNER, "p")] == text(LIST)


@pytest.mark.parametrize(("actions", "is_kept"), [(["update"], True), (["delete", "create"], False)])
def test_a_principal_that_is_made_anew_has_only_what_the_plan_says(actions, is_kept):
    base = {OWNER: Attributes(ROLE), Inline(OWNER, "d"): text(DENY)}
    plan = plan_of(resource("aws_iam_role.r", role(description="a"), role(description="b"), actions=actions))
    before, after = overlaid(base, read_plan(plan))
    assert (Inline(OWNER, "d") in before, Inline(OWNER, "d") in after) == (True, is_kept)


def test_members_go_with_their_group():
    group, user = Principal(ACCOUNT, "group", "g"), Principal(ACCOUNT, "user", "u")
    base = {user: Attributes("u"), group: Attributes("g"), Member(user, "g"): True}
    _, after = overlaid(base, Infrastructure({group: Attributes("g")}, {}, ()))
    assert Member(user, "g") not in after


@pytest.mark.parametrize("taken_out", ["(sensitive value)", None])
def test_documents_that_somebody_took_out_of_a_plan_are_unknown_where_something_changes(taken_out):
    own_policy = {"name": "p", "role": "r", "policy": taken_out}
    in_role = role(inline_policy=[{"name": "i", "policy": taken_out or "REDACTED"}])

    def sides(actions):
        changes = [
            resource("aws_iam_role.r", in_role, in_role, actions=actions),
            resource("aws_iam_role_policy.p", own_policy, own_policy, actions=actions),
        ]
        for change, marks in zip(changes, ({"inline_policy": [{"policy": True}]}, {"policy": True}), strict=True):
            change["change"] |= {"before_sensitive": marks, "after_sensitive": marks}
        read = read_plan(plan_of(*changes))
        return read.before, read.after

    before, after = sides(["update"])
    key = Inline(OWNER, "p")
    assert isinstance(before[key], Unresolved)
    assert before[key] != after[key]
    assert {one for one in before if isinstance(one, Unread)} != {one for one in after if isinstance(one, Unread)}
    before, after = sides(["no-op"])
    assert before == after


def test_a_sensitive_document_that_is_there_counts():
    change = resource("aws_iam_role_policy.p", own(TWO), own(LIST))
    change["change"]["after_sensitive"] = {"policy": True}
    assert read_plan(plan_of(kept(), change)).after[Inline(OWNER, "p")] == text(LIST)


# Access without a policy.


def notebook(arn, **more):
    return {"name": "n", "role_arn": arn, **more}


def provider(*audiences):
    return {"client_id_list": list(audiences), "thumbprint_list": ["a"]}


def block(is_on):
    flags = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    return {"bucket": "b", **dict.fromkeys(flags, is_on)}


@pytest.mark.parametrize(
    ("address", "before", "after", "count"),
    [
        ("aws_sagemaker_notebook_instance.n", notebook("a"), notebook("b"), 1),
        ("aws_sagemaker_notebook_instance.n", notebook("a"), notebook("a", tags={"x": "y"}), 0),
        ("aws_sagemaker_notebook_instance.n", None, notebook("a"), 0),
        ("aws_sagemaker_domain.d", *({"default_user_settings": [{"execution_role": one}]} for one in "ab"), 1),
        ("aws_iam_instance_profile.p", {"role": "a"}, {"role": "b"}, 1),
        ("aws_iam_openid_connect_provider.o", provider("a"), provider("a", "b"), 1),
        ("aws_iam_openid_connect_provider.o", provider("a", "b"), provider("a"), 0),
        ("aws_iam_saml_provider.s", {"saml_metadata_document": "a"}, {"saml_metadata_document": "b"}, 1),
        ("aws_s3_bucket.b", {"acl": "private"}, {"acl": "public-read"}, 1),
        ("aws_lambda_function_url.u", {"authorization_type": "AWS_IAM"}, {"authorization_type": "NONE"}, 1),
        ("aws_s3_bucket_public_access_block.b", block(True), block(False), 1),
        ("aws_s3_bucket_public_access_block.b", block(True), None, 1),
        ("aws_s3_bucket_public_access_block.b", block(False), block(True), 0),
        ("aws_eks_pod_identity_association.p", None, {"role_arn": "a"}, 1),
        ("aws_eks_pod_identity_association.p", {"role_arn": "a"}, None, 0),
        ("aws_lambda_permission.p", {"principal": "*"}, None, 0),
        ("aws_ssoadmin_permission_set_inline_policy.p", {"inline_policy": "{}"}, None, 1),
        ("aws_iot_policy.p", {"policy": text(LIST)}, {"policy": text(TWO)}, 1),
        ("aws_new_access_policy.p", *({"policy": [{"Rules": [], "Principal": [one]}]} for one in "ab"), 1),
    ],
)
def test_a_resource_of_a_plan_that_lets_others_do_more_without_a_policy_is_doubted(
    address, before, after, count, tmp_path
):
    assert len(doubted(tmp_path, resource(address, before, after))) == count


def test_a_role_of_a_resource_that_is_known_only_after_apply_is_another_one(tmp_path):
    change = resource("aws_sagemaker_notebook_instance.n", notebook("a"), {"name": "n"}, {"role_arn": True})
    assert doubted(tmp_path, change)
    silent = [{"address": "aws_sagemaker_notebook_instance.n", "expressions": {"name": {}}}]
    assert not doubted(tmp_path / "computed", change, configuration=silent)


def test_two_templates_are_compared_by_what_gives_access_without_a_policy(tmp_path):
    def found(kind, before, after):
        sides = [
            read_template(of_role({}, None, X={"Type": kind, "Properties": one}), ACCOUNT).after
            for one in (before, after)
        ]
        place = tmp_path / kind.replace(":", "") / str(len(list(tmp_path.glob("*/*"))))
        return len(told_of(Infrastructure(*sides, ()), place))

    made = {"Fn::GetAtt": ["R", "Arn"]}
    imported = [{"Role": {"Fn::ImportValue": one}} for one in "ab"]
    assert found("AWS::Lambda::Function", {"Role": made}, {"Role": "arn:other"}) == 1
    assert found("AWS::Lambda::Function", {"Role": made}, {"Role": made, "MemorySize": 1}) == 0
    assert found("AWS::Lambda::Function", *imported) == 1
    assert found("AWS::Lambda::Function", imported[0], imported[0]) == 0
    assert found("AWS::IAM::OIDCProvider", {"ClientIdList": ["a"]}, {"ClientIdList": ["a", "b"]}) == 1
    blocked = {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": True}}
    assert found("AWS::S3::Bucket", blocked, {}) == 1
    assert found("AWS::S3::Bucket", {}, blocked) == 0


def test_connectors_beside_a_resource_are_doubted():
    connected = {
        "Type": "AWS::SQS::Queue",
        "Properties": {},
        "Connectors": {"C": {"Properties": {"Permissions": ["Write"]}}},
    }
    (doubt,) = doubts(of_role({}, None, Q=connected))
    assert doubt.where == "Q.Connectors"


def test_a_document_that_is_no_value_is_not_known():
    nothing = {"Ref": "AWS::NoValue"}
    for given in (nothing, {"Fn::ToJsonString": nothing}):
        properties = {"AssumeRolePolicyDocument": nothing, "Policies": [{"PolicyName": "p", "PolicyDocument": given}]}
        assert isinstance(read_template(of_role(properties), ACCOUNT).after[Inline(OWNER, "p")], Unresolved)


def test_a_role_without_a_name_is_not_the_one_that_is_called_like_it(tmp_path):
    base = {Principal(ACCOUNT, "role", "R"): Attributes(f"arn:aws:iam::{ACCOUNT}:role/R")}
    for properties, expected in (({**PLAIN_ROLE, "RoleName": "R"}, False), ({**PLAIN_ROLE, "RoleName": None}, True)):
        value = {name: one for name, one in properties.items() if one}
        read = read_template({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": value}}}, ACCOUNT)
        assert bool([*_of_unnamed(read, base)]) is expected
