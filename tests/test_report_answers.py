"""What a document or a comment of a small part tells: what few principals can do, who can call few actions."""

import json
import re
from collections import Counter

import pytest

from pipeline.build import build_lake
from pipeline.lake import open_lake
from pipeline.report import Checks, markdown, part_of, read_summary, write_report
from pipeline.report.answers import MOST_TOLD, answers_of
from pipeline.report.printed import write_printed
from pipeline.report.reading import read_all
from tests import ingest_inputs as given
from tests import report_reading as reading
from tests.cli_run import run

ENDPOINT = "sagemaker:CreateEndpoint"


def answers(path, principals=(), actions=()):
    lake = open_lake(path)
    part = part_of(lake, (), principals, actions)
    read = read_all(lake, part)
    return answers_of(read.book, read.sources, part)


def names_of(group):
    return [name for part in group["parts"] for _, names in part["levels"] for name in names]


def test_principals_have_the_verdicts_of_the_lake(sample_lake):
    lake = open_lake(sample_lake)
    rows = lake.query("select principal_arn, action, verdict from access_matrix").to_pylist()
    stored = {(row["principal_arn"], row["action"]): row["verdict"] for row in rows}
    arns = lake.query("select principal_arn from principals where principal_type <> 'group'")["principal_arn"]
    told, listed = {}, arns.to_pylist()
    for start in range(0, len(listed), MOST_TOLD):
        for one in answers(sample_lake, listed[start : start + MOST_TOLD]).told:
            for section in one.sections:
                for group in section["groups"]:
                    assert all((one.name, name) not in told for name in names_of(group)), "an action stands once"
                    told |= {(one.name, name): section["verdict"] for name in names_of(group)}
                assert section["count"] == sum(len(names_of(group)) for group in section["groups"])
    assert told == {key: verdict for key, verdict in stored.items() if verdict != "none"}


@pytest.mark.parametrize("name", ["lena", "juno", "ana", "vpc-caller", "reaching-into-prod", "data-science-admin"])
def test_a_principal_has_the_resources_and_conditions_that_the_command_tells(name, sample_lake, monkeypatch):
    done = run(monkeypatch, "principal-can", name, "--lake", str(sample_lake), "--format", "json")
    rows = [row for row in json.loads(done.text) if row["resource_pattern"] and row["scope_verdict"] != "none"]
    (told,) = answers(sample_lake, (name,)).told
    found, cut = set(), Counter()
    for group in (group for section in told.sections for group in section["groups"]):
        cut.update(dict.fromkeys(names_of(group), group["more_scopes"]))
        for part in group["parts"]:
            names = [name for _, listed in part["levels"] for name in listed]
            for scope in group["scopes"]:
                places = [*part["places"], *scope["places"]]
                found |= {(one, pattern, scope["condition"]) for one in names for pattern, _ in places}
    stored = {(row["action"], row["resource_pattern"], row["condition"] or "") for row in rows}
    assert found <= stored
    missing = Counter(action for action, *_ in stored - found)
    assert missing == +cut, "scopes that are left out are counted"


def test_an_action_has_everyone_with_a_verdict_each_once(sample_lake):
    rows = open_lake(sample_lake).query(
        "select p.principal_name as name, verdict from access_matrix join principals p using (principal_arn)"
        f" where action = '{ENDPOINT}' and verdict <> 'none'"
    )
    (told,) = answers(sample_lake, (), (ENDPOINT,)).told
    named = Counter(
        (principal["name"], section["verdict"])
        for section in told.sections
        for group in section["groups"]
        for holders in group["holders"]
        for principal in holders["principals"]
    )
    assert named == Counter((row["name"], row["verdict"]) for row in rows.to_pylist())
    assert {one["verdict"]: one["count"] for one in told.sections} == Counter(rows["verdict"].to_pylist())


def test_resources_of_one_kind_of_grant_stand_in_one_group_with_their_actions(sample_lake):
    (told,) = answers(sample_lake, ("lena",)).told
    group = told.sections[0]["groups"][0]
    assert [scope["places"] for scope in group["scopes"]] == [[]]
    clusters = next(part for part in group["parts"] if part["places"][0][0].endswith(":cluster/*"))
    assert all("Cluster" in name for _, names in clusters["levels"] for name in names)


def test_paper_and_markdown_tell_the_answers_of_a_part(sample_lake, tmp_path):
    lake = open_lake(sample_lake)
    summary = read_summary(lake, None, part_of(lake, (), ("vpc-caller",), ()), Checks())
    page = reading.Page(write_printed(summary, tmp_path))
    text = " ".join(page.text.split())
    for words in ("What it can do", "only through an endpoint of VPC vpc-111bbaaa", "FromVpcOnly, EnableAPIAccess"):
        assert words in text
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert "answers" in ids
    links = [str(attributes["href"]) for tag, attributes in page.elements if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= ids, "on paper nothing leads elsewhere"
    row = next(line for line in markdown(summary).split("\n") if line.startswith("| conditional |"))
    assert "only through an endpoint of VPC vpc-111bbaaa" in row
    assert "### What `arn:aws:iam::333344445555:role/vpc-caller` can do" in markdown(summary)


def test_of_several_actions_each_row_names_its_own(sample_lake):
    lake = open_lake(sample_lake)
    part = part_of(lake, (), (), (ENDPOINT, "sagemaker:DeleteEndpoint"))
    text = markdown(read_summary(lake, None, part, Checks()))
    rows = [line for line in text.split("\n") if line.startswith("| `sagemaker:")]
    assert {row.split("`")[1] for row in rows} >= {ENDPOINT, "sagemaker:DeleteEndpoint"}
    assert "| action | verdict | who | on | condition |" in text


def test_of_too_many_it_says_where_they_are_told(sample_lake, tmp_path):
    lake = open_lake(sample_lake)
    summary = read_summary(lake, None, part_of(lake, (), (), ("sagemaker:*Model*",)), Checks())
    total = len(summary.book.actions)
    assert total > MOST_TOLD
    assert not summary.answers.told
    text = " ".join(reading.Page(write_printed(summary, tmp_path)).text.split())
    assert f"Who can call each of these {total} actions is in the HTML report: a document tells it of at most" in text
    assert f"{total} actions are too many for a comment: the HTML report tells who can call them." in markdown(summary)


def test_a_part_of_accounts_and_a_whole_report_tell_no_answers(sample_lake):
    lake = open_lake(sample_lake)
    assert read_summary(lake, None, None, Checks()).answers is None
    assert read_summary(lake, None, part_of(lake, ("ml-dev",), (), ()), Checks()).answers is None


def test_markdown_tells_what_denies_or_blocks_and_of_which_types_a_scope_is(sample_lake):
    lake = open_lake(sample_lake)
    text = markdown(read_summary(lake, None, part_of(lake, (), (), (ENDPOINT,)), Checks()))
    denied, _, both, boundary = (line for line in text.split("\n") if re.match(r"\| (denied|blocked) \|", line))
    assert "by identity policy: `deny-the-rest, OnlyLookAndStop`, `no-endpoints, NoEndpoints`" in denied
    assert "by SCP: `suspended, Nothing`; by the SCPs of a level, none of which allows it" in both
    assert "by the permissions boundary, which does not allow it" in boundary
    text = markdown(read_summary(lake, None, part_of(lake, (), ("ana",), ()), Checks()))
    assert "`*` (calls without a resource, mlflow-tracking-server)<br>`*` (61 types)" in text


def test_markdown_of_a_loose_document_has_no_accounts(sample_lake):
    lake = open_lake(sample_lake)
    part = part_of(lake, (), ("policy/policies/08-source-vpce",), ())
    assert markdown(read_summary(lake, None, part, Checks())).split("\n")[1] == "1 loose document, 551 actions."


def told_in_markdown(path, principals=(), actions=()):
    lake = open_lake(path)
    return markdown(read_summary(lake, None, part_of(lake, (), principals, actions), Checks()))


def test_markdown_tells_exceptions_what_lacks_and_further_actions_that_are_missing(sample_lake):
    row = next(
        one for one in told_in_markdown(sample_lake, ("not-resource",)).split("\n") if "| allowed | 6 act" in one
    )
    resource = "arn:aws:sagemaker:*:333344445555:notebook-instance/*"
    assert f"`{resource}` but not `arn:aws:sagemaker:*:*:notebook-instance/prod-*`" in row
    text = told_in_markdown(sample_lake, (), (ENDPOINT,))
    assert "not enough: every call needs endpoint, too<br>by identity policy" in text
    assert "- Granted, but `sagemaker:AddTags` is missing for 2 principals: nothing grants it (needed by a call" in text
    text = told_in_markdown(sample_lake, ("mona",))
    first = next(line for line in text.split("\n") if line.startswith("- Granted, but"))
    assert "`iam:PassRole` is missing for " in first


def test_markdown_names_the_account_of_each_where_there_are_several_and_whoever_can_do_nothing(sample_lake):
    text = told_in_markdown(sample_lake, (), (ENDPOINT,))
    assert "`break-glass` in management" in text
    assert "`break-glass` in ml-dev" in text
    text = told_in_markdown(sample_lake, ("endpoint-and-internet", "mona"), ("sagemaker:DescribeTrainingJob",))
    assert "role/endpoint-and-internet` | none |  |  | nothing is granted |" in text


def test_what_could_not_be_read_of_a_principal_stands_with_its_answers(tmp_path):
    allow = {"Statement": {"Effect": "Allow", "Action": ENDPOINT, "Resource": "*"}}
    attached = [{"PolicyName": "lost", "PolicyArn": given.arn("policy/lost")}]
    half = given.user("half", UserPolicyList=[given.inline("p", allow)], AttachedManagedPolicies=attached)
    whole = given.user("whole", UserPolicyList=[given.inline("p", allow)])
    given.write(tmp_path, "export.json", given.export(users=[half, whole]))
    build_lake([tmp_path / "export.json"], tmp_path / "lake")
    text = told_in_markdown(tmp_path / "lake", (), (ENDPOINT,))
    assert "`half` (incomplete), `whole` |" in text
    lake = open_lake(tmp_path / "lake")
    one = read_summary(lake, None, part_of(lake, (), ("half",), ()), Checks())
    assert "- The answers may be wrong. Missing: " in markdown(one)
    assert (
        "The answers may be wrong, because not everything about it" in reading.Page(write_printed(one, tmp_path)).text
    )
    report = write_report(lake, tmp_path / "out").parent
    page = " ".join(reading.Page(report / "actions" / "sagemaker-CreateEndpoint.html").text.split())
    assert "half user, 111122223333 incomplete" in page.replace(given.ACCOUNT, "111122223333")


def test_all_resources_of_a_principal_are_told(sample_lake):
    (told,) = answers(sample_lake, ("lena",)).told
    tags = [group for section in told.sections for group in section["groups"] if "sagemaker:AddTags" in names_of(group)]
    assert [group["more_scopes"] for group in tags] == [0]
