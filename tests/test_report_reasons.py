"""The reasons that pages name: statements that apply to that principal, where others have equal ones."""

import re
import shutil

import pytest

from pipeline.build import build_lake
from pipeline.lake import open_lake
from pipeline.report import write_report
from tests import ingest_inputs as given
from tests import report_reading as reading

BROWSER = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
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
    """A root whose SCP and RCP deny in equal words."""
    deny = {"Sid": "guard", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-north-1"}}}  # fmt: skip

    def policy(kind, statement):
        arn = f"arn:aws:organizations::{ORGANIZATION}:policy/o-example/{kind.lower()}/p-{kind[0].lower()}guard"
        summary = {"Id": f"p-{kind[0].lower()}guard", "Name": f"{kind} guard", "Type": kind, "AwsManaged": False,
                   "Arn": arn}  # fmt: skip
        everyone = {"Principal": "*"} if "Principal" in statement else {}
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*", **everyone}
        return {"PolicySummary": summary, "Content": {"Version": "2012-10-17", "Statement": [everything, statement]},
                "Targets": [{"TargetId": one, "Type": sort, "Name": one}
                            for one, sort in (("r-root", "ROOT"), (given.ACCOUNT, "ACCOUNT"))]}  # fmt: skip

    accounts = [{"Id": one, "Name": one, "Status": "ACTIVE", "ParentId": "r-root",
                 "Arn": f"arn:aws:organizations::{ORGANIZATION}:account/o-example/{one}"}
                for one in (given.ACCOUNT, ORGANIZATION)]  # fmt: skip
    return {
        "Organization": {"Id": "o-example", "MasterAccountId": ORGANIZATION, "FeatureSet": "ALL"},
        "Roots": [{"Id": "r-root", "Arn": ROOT, "Name": "Root"}],
        "OrganizationalUnits": [],
        "Accounts": accounts,
        "Policies": [policy("SERVICE_CONTROL_POLICY", deny),
                     policy("RESOURCE_CONTROL_POLICY", {**deny, "Principal": "*"})],
    }  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake whose second snapshot brings the resource policy."""
    folder = tmp_path_factory.mktemp("reasons")
    given.write(folder / "in", "organization.json", organization())
    for day in ("01", "02"):
        given.write(folder / "in", "export.json", given.export(roles=roles(day)))
        if day == "02":
            policies = [{"ResourceArn": GROUP, "ResourcePolicy": resource_policy()}]
            given.write(folder / "in", "resource-policies.json", policies)
        build_lake([folder / "in"], folder / "lake")
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
        " where principal_arn = $arn and action = $action and sid != 'guard'",
        {"arn": arn, "action": action},
    ).to_pylist()
    found = tuple({row["sid"] for row in listed if row["grants"] == grants} for grants in (True, False))
    assert found == OWN[arn, action]


def test_statements_that_count_are_those_that_speak_of_the_principal(lake):
    for relation in ("principal_statements", "statement_grants"):
        listed = lake.query(
            f"select principal_arn, sid from {relation} inner join statements using (statement_id)"
            " where sid similar to '(ours|theirs).*'"
        ).to_pylist()
        assert {(row["principal_arn"], row["sid"].startswith("ours")) for row in listed} == {
            (OWNER, True), (NEIGHBOUR, False)
        }  # fmt: skip


@pytest.mark.parametrize(("arn", "action"), OWN)
def test_an_action_page_names_for_each_principal_the_statements_that_speak_of_it(report, arn, action):
    text = (report / "actions" / f"{action.replace(':', '-')}.html").read_text(encoding="utf-8")
    blocks = re.findall(r'<dl class="scope holders">.*?</dl>', text, re.DOTALL)
    (own,) = [block for block in blocks if f'principal.html#{arn}"' in block]
    granted, limited = OWN[arn, action]
    assert sids(re.sub("<[^>]*>", " ", own)) == granted | limited


def test_no_action_page_names_an_rcp_where_rcps_do_not_act_on_the_service(report):
    page = reading.Page(report / "actions" / "sagemaker-DeleteModelPackageGroup.html").text
    assert "SERVICE_CONTROL_POLICY guard, guard" in page
    assert "RESOURCE_CONTROL_POLICY" not in page


@pytest.mark.parametrize("arn", [OWNER, NEIGHBOUR])
def test_the_page_of_changes_names_the_statements_that_speak_of_the_principal(report, arn):
    rows = re.findall(r"<tr>(.*?)</tr>", (report / "changes.html").read_text(encoding="utf-8"), re.DOTALL)
    (row,) = [text for text in map(reading.text_of, rows) if arn in text and READ in text]
    assert sids(row) == OWN[arn, READ][0]


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: apt-get install chromium")
def test_a_principal_page_names_the_statements_that_speak_of_the_principal(report):
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
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
        browser.close()
