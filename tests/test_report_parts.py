"""A part of a report: what belongs to it, with the numbers of the whole, and nothing of what does not."""

import re

import pytest

from pipeline.lake import open_lake
from pipeline.report import part_of, write_report
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
    assert all(joint < formulas and all(one < len(words) for _, asked in types for one in asked)
               for types, joint in demands)  # fmt: skip


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
