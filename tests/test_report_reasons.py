"""The reasons that pages name: statements that apply to that principal, where others have equal ones."""

import re

import pytest
from chromium import in_browser, started

from pipeline.build import build_lake
from pipeline.lake import open_lake
from pipeline.report import write_report
from tests import ingest_inputs as given
from tests import report_reading as reading

GROUP = f"arn:aws:sagemaker:us-east-1:{given.ACCOUNT}:model-package-group/shared"
READ, DELETE = "sagemaker:DescribeModelPackageGroup", "sagemaker:DeleteModelPackageGroup"
OWNER, NEIGHBOUR = given.arn("role/owner"), given.arn("role/neighbour")
#: Of each role: the Sids that may grant it an action, and those that may limit it.
OWN = {
    (OWNER, READ): ({"ours"}, set()),
    (NEIGHBOUR, READ): ({"theirs"}, set()),
    (OWNER, DELETE): ({"owner"}, {"oursDeny"}),
    (NEIGHBOUR, DELETE): ({"neighbour"}, {"theirsDeny"}),
}
ORGANIZATION, ROOT = "999999999999", "arn:aws:organizations::999999999999:root/o-example/r-root"
#: An account that shares a queue with whoever is in another one, and has an RCP that says what SCP and RCP there say.
SHARING = "444455556666"
CARLA, SEND = given.arn("user/carla"), "sqs:SendMessage"
#: A user with a boundary, whom no NotPrincipal spares.
BOUND, BOUNDARY = given.arn("user/bound"), given.arn("policy/boundary")
LINKED = given.arn("role/aws-service-role/sagemaker.amazonaws.com/AWSServiceRoleForStudio")
QUEUES = [f"arn:aws:sqs:us-east-1:{account}:{name}" for account, name in
          ((given.ACCOUNT, "first"), (given.ACCOUNT, "second"), (SHARING, "third"))]  # fmt: skip
#: What may be named for an action on a scope, by Sid: statements that merely say the same are not.
NAMED = {
    (CARLA, SEND, QUEUES[0]): ({"first"}, {"meetsCarla", "scpGuard", "rcpGuard"}),
    (CARLA, SEND, QUEUES[1]): ({"second"}, {"scpGuard", "rcpGuard"}),
    (CARLA, SEND, QUEUES[2]): ({"third", "carla"}, {"scpGuard", "sharingGuard"}),
    (LINKED, DELETE, "*"): ({"linked"}, {"linkedDeny"}),
}
GUARD = {"Effect": "Deny", "Action": "*", "Resource": "*",
         "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-111bbb222"}}}  # fmt: skip
PLAINLY = {"Effect": "Deny", "Action": SEND, "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


def roles(day):
    """Two roles with equal statements, each in a document of its own."""
    return [
        given.role(
            name,
            RolePolicyList=[given.inline(f"{name}-policy", given.document(DELETE, Sid=name))],
            CreateDate=f"2026-01-{day}T00:00:00Z",
        )
        for name in ("owner", "neighbour")
    ]


def queue_policy(sid, *more):
    """A policy that lets carla send, in the same words whatever the queue."""
    allow = {"Sid": sid, "Effect": "Allow", "Action": SEND, "Resource": "*", "Principal": {"AWS": CARLA}}
    return {"Version": "2012-10-17", "Statement": [allow, *more]}


def resource_policies():
    """Those of the model package group and of the queues: one of them denies two statements' worth in equal words."""
    root = f"arn:aws:iam::{given.ACCOUNT}:root"
    denies = [
        {**PLAINLY, "Sid": "sparesCarla", "NotPrincipal": {"AWS": [CARLA, BOUND, root]}},
        {**PLAINLY, "Sid": "meetsCarla", "Principal": {"AWS": CARLA}},
    ]
    policies = (resource_policy(), queue_policy("first", *denies), queue_policy("second"), queue_policy("third"))
    governed = zip((GROUP, *QUEUES), policies, strict=True)
    return [{"ResourceArn": arn, "ResourcePolicy": policy} for arn, policy in governed]


def linked():
    """A service-linked role that has the SCP's Deny in a policy of its own."""
    path = {"Arn": LINKED, "Path": "/aws-service-role/sagemaker.amazonaws.com/"}
    allow = {"Sid": "linked", "Effect": "Allow", "Action": DELETE, "Resource": "*"}
    own = {"Version": "2012-10-17", "Statement": [allow, {"Sid": "linkedDeny", **GUARD}]}
    return given.role("AWSServiceRoleForStudio", RolePolicyList=[given.inline("linked-policy", own)], **path)


def resource_policy():
    """A policy that says the same of both roles, in a statement for each."""
    deny = {"Effect": "Deny", "Action": DELETE, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    allow = {"Effect": "Allow", "Action": READ}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {**said, "Sid": whose + mark, "Principal": {"AWS": arn}, "Resource": GROUP}
            for whose, arn in (("ours", OWNER), ("theirs", NEIGHBOUR))
            for said, mark in ((allow, ""), (deny, "Deny"))
        ],
    }


def organization():
    """An organization whose SCP and RCPs deny in equal words: the SCP of the root, and an RCP of each account."""

    def policy(kind, sid, *targets):
        statement = {"Sid": sid, **GUARD, **({"Principal": "*"} if kind.startswith("RESOURCE") else {})}
        arn = f"arn:aws:organizations::{ORGANIZATION}:policy/o-example/{kind.lower()}/p-{sid.lower()}"
        summary = {"Id": f"p-{sid.lower()}", "Name": f"{kind} guard", "Type": kind, "AwsManaged": False, "Arn": arn}
        everyone = {"Principal": "*"} if "Principal" in statement else {}
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*", **everyone}
        return {"PolicySummary": summary, "Content": {"Version": "2012-10-17", "Statement": [everything, statement]},
                "Targets": [{"TargetId": one, "Type": sort, "Name": one}
                            for one, sort in targets]}  # fmt: skip

    accounts = [{"Id": one, "Name": one, "Status": "ACTIVE", "ParentId": "r-root",
                 "Arn": f"arn:aws:organizations::{ORGANIZATION}:account/o-example/{one}"}
                for one in (given.ACCOUNT, SHARING, ORGANIZATION)]  # fmt: skip
    root, own, other = ("r-root", "ROOT"), (given.ACCOUNT, "ACCOUNT"), (SHARING, "ACCOUNT")
    return {
        "Organization": {"Id": "o-example", "MasterAccountId": ORGANIZATION, "FeatureSet": "ALL"},
        "Roots": [{"Id": "r-root", "Arn": ROOT, "Name": "Root"}],
        "OrganizationalUnits": [],
        "Accounts": accounts,
        "Policies": [policy("SERVICE_CONTROL_POLICY", "scpGuard", root, own),
                     policy("RESOURCE_CONTROL_POLICY", "rcpGuard", own),
                     policy("RESOURCE_CONTROL_POLICY", "sharingGuard", other)],
    }  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake whose second snapshot brings the resource policy."""
    folder = tmp_path_factory.mktemp("reasons")
    given.write(folder / "in", "organization.json", organization())
    for day in ("01", "02"):
        carla = given.user("carla", UserPolicyList=[given.inline("carla-policy", given.document(
            SEND, Sid="carla", Resource=QUEUES[2]))])  # fmt: skip
        bound = given.user("bound", PermissionsBoundary={"PermissionsBoundaryArn": BOUNDARY})
        boundary = given.managed(BOUNDARY, given.document(SEND))
        held = given.export(users=[carla, bound], roles=[*roles(day), linked()], policies=[boundary])
        given.write(folder / "in", "export.json", held)
        if day == "02":
            given.write(folder / "in", "resource-policies.json", resource_policies())
        build_lake([folder / "in"], folder / "lake", services=["sqs"])
    return open_lake(folder / "lake")


@pytest.fixture(scope="module")
def report(lake, tmp_path_factory):
    return write_report(lake, tmp_path_factory.mktemp("out") / "out").parent


def sids(text):
    """The Sids of the two roles' statements that a text names."""
    return set(re.findall(r"\b(?:ours|theirs)(?:Deny)?\b|(?<=, )(?:owner|neighbour)\b", text))


@pytest.mark.parametrize(("arn", "action"), OWN)
def test_access_names_the_statements_of_a_resource_policy_that_speak_of_the_principal(lake, arn, action):
    listed = lake.query(
        "select statement_id, sid, list_contains(granted_by, statement_id) as grants from access"
        " inner join statements on list_contains(list_concat(granted_by, limited_by), statement_id)"
        " where principal_arn = $arn and action = $action and sid not like '%Guard'",
        {"arn": arn, "action": action},
    ).to_pylist()
    found = tuple({row["sid"] for row in listed if row["grants"] == grants} for grants in (True, False))
    assert found == OWN[arn, action]


@pytest.mark.parametrize(("arn", "action", "pattern"), NAMED)
def test_access_names_what_decides_and_not_what_says_the_same_elsewhere(lake, arn, action, pattern):
    (row,) = lake.query(
        "select list_transform(granted_by, lambda one: sids[one]) as granted,"
        " list_transform(limited_by, lambda one: sids[one]) as limited from access"
        " cross join (select map_from_entries(list((statement_id, sid))) as sids from statements)"
        " where principal_arn = $arn and action = $action and resource_pattern = $pattern",
        {"arn": arn, "action": action, "pattern": pattern},
    ).to_pylist()
    assert (set(row["granted"]), set(row["limited"])) == NAMED[arn, action, pattern]


def test_statements_that_count_are_those_that_speak_of_the_principal(lake):
    for relation in ("principal_statements", "statement_grants"):
        listed = lake.query(
            f"select principal_arn, sid from {relation} inner join statements using (statement_id)"
            " where sid similar to '(ours|theirs).*'"
        ).to_pylist()
        assert {(row["principal_arn"], row["sid"].startswith("ours")) for row in listed} == {
            (OWNER, True),
            (NEIGHBOUR, False),
        }


def test_a_not_principal_counts_for_all_but_the_user_whom_it_spares(lake):
    listed = lake.query(
        "select principal_arn from principal_statements inner join statements using (statement_id)"
        " where sid = 'sparesCarla'"
    ).to_pylist()
    assert {row["principal_arn"] for row in listed} == {OWNER, NEIGHBOUR, LINKED, BOUND}


def test_scps_and_rcps_do_not_count_for_a_service_linked_role(lake):
    listed = lake.query("select distinct principal_arn, layer from principal_statements").to_pylist()
    layers = [{row["layer"] for row in listed if row["principal_arn"] == arn} for arn in (LINKED, CARLA)]
    assert layers == [{"identity", "resource"}, {"identity", "resource", "scp", "rcp"}]


@pytest.mark.parametrize(("arn", "action"), OWN)
def test_an_action_page_names_for_each_principal_the_statements_that_speak_of_it(report, arn, action):
    text = (report / "actions" / f"{action.replace(':', '-')}.html").read_text(encoding="utf-8")
    blocks = re.findall(r'<dl class="scope holders">.*?</dl>', text, re.DOTALL)
    (own,) = [block for block in blocks if f'principal.html#{arn}"' in block]
    granted, limited = OWN[arn, action]
    assert sids(re.sub("<[^>]*>", " ", own)) == granted | limited


def test_an_action_page_names_the_rcp_of_the_account_that_shares(report):
    text = (report / "actions" / "sqs-SendMessage.html").read_text(encoding="utf-8")
    (own,) = [one for one in re.findall(r'<dl class="scope holders">.*?</dl>', text, re.DOTALL) if CARLA in one]
    told = {one for (arn, *_), both in NAMED.items() if arn == CARLA for sids_ in both for one in sids_}
    assert set(re.findall(r", (\w+)</a>", own)) == told


def test_no_action_page_names_an_rcp_where_rcps_do_not_act_on_the_service(report):
    page = reading.Page(report / "actions" / "sagemaker-DeleteModelPackageGroup.html").text
    assert "SERVICE_CONTROL_POLICY guard, scpGuard" in page
    assert "RESOURCE_CONTROL_POLICY" not in page


@pytest.mark.parametrize("arn", [OWNER, NEIGHBOUR])
def test_the_page_of_changes_names_the_statements_that_speak_of_the_principal(report, arn):
    rows = re.findall(r"<tr>(.*?)</tr>", (report / "changes.html").read_text(encoding="utf-8"), re.DOTALL)
    (row,) = [text for text in map(reading.text_of, rows) if arn in text and READ in text]
    assert sids(row) == OWN[arn, READ][0]


@in_browser
def test_a_principal_page_names_the_statements_that_speak_of_the_principal(report):
    with started() as browser:
        for (arn, action), (granted, limited) in OWN.items():
            page = browser.new_page()
            page.goto(f"{report.as_uri()}/principal.html#{arn}&action={action}")
            answers = page.locator("section[aria-labelledby=can] article")
            answers.first.wait_for()
            text = " ".join(answers.all_inner_texts())
            assert sids(text) == granted | limited
            assert "RESOURCE_CONTROL_POLICY" not in text
            assert page.get_by_text("Resource policies that speak of it").is_visible()
            page.close()
        page = browser.new_page()
        page.goto(f"{report.as_uri()}/principal.html#{CARLA}&action={SEND}")
        answers = page.locator("section[aria-labelledby=can] article")
        answers.first.wait_for()
        text = " ".join(answers.all_inner_texts())
        told = {sid for (one, *_), both in NAMED.items() if one == CARLA for sids_ in both for sid in sids_}
        assert set(re.findall(r", (\w+)(?=;|$)", text, re.MULTILINE)) == told
        assert f"policy of {QUEUES[1]}, second" in text
        assert page.get_by_text(f"RCP of the resources of {SHARING}").is_visible()
