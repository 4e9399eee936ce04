"""A part of a report: what belongs to it, with the numbers of the whole, and nothing of what does not."""

import hashlib
import json
import re

import pytest

from pipeline.build import build_lake
from pipeline.lake import open_lake
from pipeline.report import Checks, markdown, part_of, read_summary, write_report
from pipeline.report.printed import write_printed
from tests import ingest_inputs as given
from tests import report_reading as reading
from tests.cli_run import run

DEV, LABELING = "333344445555", "888899990000"
HANA = f"arn:aws:iam::{DEV}:user/hana"
PARTS = {
    "accounts": (("ml-dev", LABELING), (), ()),
    "principal": ((), ("hana",), ()),
    "actions": ((), (), ("sagemaker:*NotebookInstance", "sagemaker:CreateEndpoint")),
    "all three": ((DEV,), ("hana", "ana"), ("sagemaker:Create*", "iam:PassRole")),
}


@pytest.fixture(scope="module", params=PARTS)
def written(request, sample_lake, tmp_path_factory):
    """A part with its folder and the lake."""
    lake = open_lake(sample_lake)
    part = part_of(lake, *PARTS[request.param])
    return part, write_report(lake, tmp_path_factory.mktemp("part") / "out", part=part).parent, lake


def takes(part, row):
    return all(
        not members or value in members
        for members, value in (
            (part.accounts, row["account_id"]), (part.principals, row["principal_arn"]), (part.actions, row["action"])
        )
    )  # fmt: skip


def test_a_part_has_the_verdicts_of_what_belongs_to_it_and_no_others(written):
    part, report, lake = written
    stored = lake.query("select principal_arn, account_id, action, verdict from access_matrix").to_pylist()
    shown = {cell: verdict for cell, verdict in reading.matrix(report).items() if verdict != "none"}
    assert shown == {(row["principal_arn"], row["action"]): row["verdict"] for row in stored if takes(part, row)}
    assert shown


def test_conditions_of_a_part_keep_their_words_and_ids(written):
    part, report, lake = written
    rows = lake.query("select * from access where condition_id is not null").to_pylist()
    index = reading.script(report, "index")
    words = [one for _, key in index["words"] for one in reading.script(report, key)]
    wanted = {row["condition_id"]: row for row in rows if takes(part, row)}
    assert wanted.keys() <= {one[0] for one in words}
    for _, run_data in reading.principals(report).values():
        for _, _, number, condition_id in run_data["conditions"]:
            assert number < 0 or words[number][0] == condition_id
    formulas = sum(len(reading.script(report, key)["formulas"]) for _, key in index["formulas"])
    demands = [one for _, key in index["demands"] for one in reading.script(report, key)]
    assert all(
        joint < formulas and all(one < len(words) for _, asked in types for one in asked) for types, joint in demands
    )


def test_no_link_of_a_part_leads_nowhere(written):
    assert list(reading.dangling(written[1])) == []


def test_every_page_of_a_part_says_what_part_it_is(written):
    part, report, _ = written
    for path in report.rglob("*.html"):
        text = " ".join(reading.Page(path).text.split())
        assert all(words in text for _, words in part.words), path


def test_a_part_of_one_principal_names_no_other(sample_lake, tmp_path):
    lake = open_lake(sample_lake)
    report = write_report(lake, tmp_path / "out", part=part_of(lake, (), ("hana",), ())).parent
    others = lake.query(
        "select principal_arn from principals where principal_type in ('user', 'role') and principal_arn != $arn",
        {"arn": HANA},
    )["principal_arn"].to_pylist()
    # What policies say is theirs to say, and so is what a role may be passed.
    listed = [path for path in report.rglob("*") if path.suffix in (".html", ".js") and path.parent.name != "policies"]
    text = "".join(path.read_text(encoding="utf-8") for path in listed)
    text = re.sub(r'"roles":\[.*?\]\]\]', "", text)
    assert HANA in text
    assert [arn for arn in others if re.search(re.escape(arn) + r"(?![A-Za-z0-9+=,.@_/-])", text)] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--account", "nowhere"), "--account nowhere: no such account"),
        (("--principal", "nobody"), "nobody: no such user or role"),
        (("--action", "sagemaker:CreateTags2"), "no such action"),
        (("--account", LABELING, "--principal", HANA), "no user, role or document is in all of these"),
    ],
)
def test_a_part_that_is_nothing_says_what_to_do(options, words, sample_lake, tmp_path, monkeypatch):
    done = run(monkeypatch, "report", "--lake", str(sample_lake), "--out", str(tmp_path / "out"), *options)
    assert done.code == 2
    assert words in done.err
    assert not (tmp_path / "out").exists()


OWN, OTHER, OWNER, MANAGEMENT = "111111111111", "222222222222", "333333333333", "999999999999"
ROOT = f"arn:aws:organizations::{MANAGEMENT}:root/o-example/r-root"
#: What is of the other account alone, beside its id.
OTHERS = ("secret-role", "secret-sid", "secret-limit", "secret-name", "secret-group", "secret-endpoint",
          "secret-account", "secret-tag", "secret-file", "secret-tags")  # fmt: skip


def write_two_accounts(folder):
    """An account and another one, which resource policies and the organization's file name in one document."""
    for account, roles, name in ((OWN, ("owner", "neighbour"), "own"), (OTHER, ("secret-role",), "secret-file")):
        policy = given.document("sagemaker:DescribeModelPackageGroup")
        policy["Statement"][0]["Sid"] = f"{name} has a wrong sid"
        listed = [{**given.role(one, RolePolicyList=[given.inline(f"{name}-policy", policy)]),
                   "Arn": given.arn(f"role/{one}", account)} for one in roles]  # fmt: skip
        given.write(folder, f"exports/{name}.json", given.export(roles=listed))
    group = f"arn:aws:sagemaker:us-east-1:{OWNER}:model-package-group/"
    allow = {"Effect": "Allow", "Action": "sagemaker:DescribeModelPackageGroup"}
    shared = [
        {**allow, "Sid": "ours", "Principal": {"AWS": given.arn("role/owner", OWN)}, "Resource": group + "shared"},
        {**allow, "Sid": "secret-sid", "Principal": {"AWS": given.arn("role/secret-role", OTHER)},
         "Resource": group + "shared"},
        {**allow, "Sid": "all", "Effect": "Deny", "Principal": "*", "Resource": group + "shared",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ]  # fmt: skip
    endpoint = f"arn:aws:ec2:us-east-1:{OTHER}:vpc-endpoint/vpce-secret-endpoint"
    given.write(folder, "resource-policies.json", [
        {"ResourceArn": group + "shared", "ResourcePolicy": {"Version": "2012-10-17", "Statement": shared}},
        {"ResourceArn": group + "secret-group", "ResourcePolicy": {"Version": "2012-10-17", "Statement": shared[1:2]}},
        {"ResourceArn": endpoint, "ResourcePolicy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}},
    ])  # fmt: skip
    given.write(folder, "secret-tags.json", {"ResourceTagMappingList": [
        {"ResourceARN": f"arn:aws:sagemaker:us-east-1:{OTHER}:model/m", "Tags": [{"Key": "secret-tag", "Value": "x"}]}
    ]})  # fmt: skip
    given.write(folder, "organization.json", organization())


def organization():
    def policy(name, statement, *targets):
        arn = f"arn:aws:organizations::{MANAGEMENT}:policy/o-example/service_control_policy/p-{name}"
        summary = {"Id": f"p-{name}", "Name": name, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False, "Arn": arn}
        return {"PolicySummary": summary, "Content": {"Version": "2012-10-17", "Statement": [statement]},
                "Targets": [{"TargetId": one, "Type": kind, "Name": one} for one, kind in targets]}  # fmt: skip

    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    limit = {"Effect": "Deny", "Action": "sagemaker:CreateApp", "Resource": "*"}
    names = {OWN: "own-account", OTHER: "secret-account", OWNER: "owner-account", MANAGEMENT: "payer"}
    return {
        "Organization": {"Id": "o-example", "MasterAccountId": MANAGEMENT, "FeatureSet": "ALL"},
        "Roots": [{"Id": "r-root", "Arn": ROOT, "Name": "Root"}],
        "OrganizationalUnits": [],
        "Accounts": [{"Id": one, "Name": name, "Status": "ACTIVE", "ParentId": "r-root",
                      "Arn": f"arn:aws:organizations::{MANAGEMENT}:account/o-example/{one}"}
                     for one, name in names.items()],
        "Policies": [
            policy("FullAWSAccess", everything, ("r-root", "ROOT"), (OWN, "ACCOUNT"), (OTHER, "ACCOUNT")),
            policy("own-limit", limit, (OWN, "ACCOUNT")),
            policy("secret-limit", {**limit, "Action": "sagemaker:CreateModel"}, (OTHER, "ACCOUNT")),
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def two_accounts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    write_two_accounts(folder / "inputs")
    build_lake([folder / "inputs"], folder / "lake")
    return folder


ASKED = {"account": ((OWN,), (), ()), "principal": ((), ("owner",), ()), "actions": ((), (), ("sagemaker:Desc*Group",))}


@pytest.fixture(scope="module", params=ASKED)
def asked(request, two_accounts):
    """The name of a part, and the folder of its report."""
    lake = open_lake(two_accounts / "lake")
    part = part_of(lake, *ASKED[request.param])
    return request.param, write_report(lake, two_accounts / request.param / "out", part=part).parent


@pytest.mark.parametrize("asked", [name for name in ASKED if name != "actions"], indirect=True)
def test_no_file_of_a_part_names_other_accounts_or_their_files(asked, two_accounts):
    name, report = asked
    lake = open_lake(two_accounts / "lake")
    summary = read_summary(lake, None, part_of(lake, *ASKED[name]), Checks())
    write_printed(summary, report.parent)
    texts = {str(path): path.read_text(encoding="utf-8") for path in report.parent.rglob("*") if path.is_file()}
    texts["md"] = markdown(summary)
    hashes = [hashlib.sha256((two_accounts / "inputs" / file).read_bytes()).hexdigest()
              for file in ("exports/secret-file.json", "secret-tags.json")]  # fmt: skip
    others = (OTHER, *OTHERS, *(("neighbour",) if name == "principal" else ()), *hashes)
    assert [(path, one) for path, text in texts.items() for one in others if one in text] == []
    everything = "".join(texts.values())
    assert all(one in everything for one in ("own-limit", "exports/own.json", "resource-policies.json"))
    assert list(reading.dangling(report)) == []


def test_of_a_resource_policy_a_part_shows_the_statements_that_speak_of_it(asked):
    name, report = asked
    documents = [one[0] for one in reading.script(report, "policies/00000").values()]
    (shared,) = [one for one in documents if "model-package-group/shared" in one and "ours" in one]
    shown = [statement and statement["Sid"] for statement in json.loads(shared)["Statement"]]
    assert shown == ["ours", "secret-sid" if name == "actions" else None, "all"]


def test_a_part_lists_the_problems_of_its_own_files(asked):
    name, report = asked
    count = {"account": 2, "principal": 0, "actions": 3}[name]
    assert (report / "rejects.html").read_text(encoding="utf-8").count("wrong sid") == count
