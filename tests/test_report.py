"""The report's pages and data: right by the sample, complete, escaped, self-contained, and the same each time."""

import filecmp
import json
import re
from datetime import date
from pathlib import Path

import pytest

from pipeline import assets
from pipeline.build import build_lake
from pipeline.controls import SEVERITIES, ExceptionRule, find, load_controls
from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake
from pipeline.lake.queries import front_matter
from pipeline.report import Checks, read_summary, write_report
from pipeline.report.compact import ranges, runs
from pipeline.report.conditions import MOST_DEPENDENTS
from pipeline.report.findings import difference
from pipeline.report.folder import MARKER
from pipeline.report.history import read_history
from pipeline.report.model import LETTERS
from pipeline.report.overview import story
from pipeline.report.pages import breakable
from pipeline.report.part import part_of
from pipeline.report.scripts import as_json, in_pieces, in_script_order
from pipeline.report.summary import action_counts
from pipeline.report.tables import SHOWN, Cell, write_table
from pipeline.report.write import STATIC
from pipeline.wording import FORMULA
from tests import ingest_inputs as given
from tests import report_reading as reading

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = json.loads((ROOT / "samples" / "expected.json").read_text(encoding="utf-8"))
DEV, LABELING, PROD, REGISTRY = "333344445555", "888899990000", "444455556666", "555566667777"

# What the tables of samples/organization/README.md say of conditions and scopes: principal, action, words of the report
# (several with | between them). How they are joined is the evaluation's; that they reach the reader is tested here.
CONDITIONS = [
    (DEV, "user/ana", "sagemaker:DescribeNotebookInstance", "not tagged Project = B|untagged ones included"),
    (DEV, "user/dede", "sagemaker:DescribeNotebookInstance", "not tagged Project = A|untagged ones included"),
    (DEV, "role/console-engineer", "iam:PassRole", "only to pass the role to sagemaker.amazonaws.com"),
    (DEV, "role/endpoint-deployer-as-intended", "sagemaker:CreateEndpoint", "aws:RequestTag/environment is dev"),
    (DEV, "role/vpc-caller", "sagemaker:DescribeModel", "only through an endpoint of VPC vpc-111bbaaa"),
    (
        DEV,
        "role/office-trainer",
        "sagemaker:CreateTrainingJob",
        "only from 192.0.2.0/24 or 203.0.113.0/24, and never through a VPC endpoint",
    ),
    (
        DEV,
        "role/subnet-trainer-trap",
        "sagemaker:CreateTrainingJob",
        "every subnet is|subnet-0aa1|subnet-0bb2|none is given",
    ),
    (
        DEV,
        "user/kai",
        "sagemaker:CreatePresignedNotebookInstanceUrl",
        "vpce-111bbccc|vpce-111bbddd|through no VPC endpoint included",
    ),
    (DEV, "user/quinn", "sagemaker:DeleteModel", "only with MFA"),
    (DEV, "user/gus", "sagemaker:DescribeNotebookInstance", "not tagged Project = A or B"),
    (PROD, "role/break-glass", "sagemaker:CreateTrainingJob", "only if subnets are given"),
    (DEV, "user/pia", "sagemaker:CreateTrainingJob", "2027-01-01"),
    (DEV, "role/team-by-session", "sagemaker:CreateTrainingJob", "the caller's tag team"),
]


@pytest.fixture(scope="session")
def report(sample_lake, tmp_path_factory):
    """The folder of the sample's report. For reading only."""
    return write_report(open_lake(sample_lake), tmp_path_factory.mktemp("report") / "out").parent


@pytest.fixture(scope="session")
def hostile_lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    reading.write_hostile_inputs(folder / "inputs")
    build_lake([folder / "inputs"], folder / "lake")
    return folder / "lake"


@pytest.fixture(scope="session")
def hostile_report(hostile_lake, tmp_path_factory):
    return write_report(open_lake(hostile_lake), tmp_path_factory.mktemp("hostile-report") / "out").parent


def test_the_matrix_shows_what_the_sample_expects_of_every_principal_and_action(report):
    shown = reading.matrix(report)
    cases = [case for case in EXPECTED if "matrix" in case]
    assert len(cases) > 100
    wrong = {
        (case["principal"], case["action"]): (shown.get((case["principal"], case["action"])), case["matrix"])
        for case in cases
        if shown.get((case["principal"], case["action"]), "none") != case["matrix"]
    }
    assert wrong == {}


def test_the_matrix_and_the_principal_pages_hold_the_cells_of_access_matrix_and_no_others(report, sample_lake):
    rows = open_lake(sample_lake).query("select principal_arn, action, verdict from access_matrix").to_pylist()
    stored = {(row["principal_arn"], row["action"]): row["verdict"] for row in rows}
    assert {cell: verdict for cell, verdict in reading.matrix(report).items() if verdict != "none"} == stored
    names = [action[0] for action in reading.script(report, "index")["actions"]]
    told = {}
    for arn, (principal, run) in reading.principals(report).items():
        for place, actions in run["profiles"][principal["profile"]]:
            verdict = reading.WORDS[run["answers"][place][0]]
            told.update({(arn, names[number]): verdict for number in reading.ranges(actions)})
    assert told == stored


@pytest.mark.parametrize(("account", "name", "action", "words"), CONDITIONS)
def test_a_condition_of_the_samples_tables_stands_on_the_pages_in_words(report, account, name, action, words):
    verdict, _, _, scopes = reading.answer(report, reading.arn(report, account, name), action)
    assert verdict == "conditional"
    conditions = [condition for _, condition, _ in scopes if all(part in condition for part in words.split("|"))]
    assert conditions, scopes
    page = reading.Page(report / "actions" / f"{action.replace(':', '-')}.html")
    assert conditions[0] in " ".join(page.text.split())


def test_scopes_stand_with_their_exceptions_and_the_principals_own_account(report):
    _, _, _, scopes = reading.answer(
        report, reading.arn(report, DEV, "role/not-resource"), "sagemaker:DeleteNotebookInstance"
    )
    assert any("prod-" in text for _, _, exceptions in scopes for text in exceptions)
    for path in (report / "data" / "principals").iterdir():
        assert "{ownaccount}" not in path.read_text(encoding="utf-8")
    for path in (report / "actions").iterdir():
        assert "{ownaccount}" not in path.read_text(encoding="utf-8")


def test_an_action_page_names_the_identity_policy_that_grants_and_never_an_scp(report):
    page = (report / "actions" / "sagemaker-DeleteModel.html").read_text(encoding="utf-8")
    granted = _said_of(page, "granted by")
    assert any("AdministratorAccess, statement 1" in text for text in granted)
    assert not any("FullAWSAccess" in text.replace("RCPFullAWSAccess", "FullAWSAccess") for text in granted)


def test_an_action_page_says_what_blocks_where_no_statement_does(report):
    page = (report / "actions" / "sagemaker-DeleteModelPackageGroupPolicy.html").read_text(encoding="utf-8")
    blocked = _said_of(page, "blocked by")
    assert "the SCPs of a level, none of which allows it" in blocked
    assert "the permissions boundary, which does not allow it" in blocked
    assert "SCP: protect-guardrails, SharingIsTheRegistrys; suspended, Nothing" in blocked


@pytest.mark.parametrize("limits", [{}, {"MOST_GROUPS": 2, "MOST_PRINCIPALS": 3}, {"MOST_THINGS": 5}])
def test_an_action_page_counts_everyone_it_does_not_list(limits, sample_lake, tmp_path, monkeypatch):
    for name, most in limits.items():
        monkeypatch.setattr(f"pipeline.report.actions.{name}", most)
    report = write_report(open_lake(sample_lake), tmp_path / "out").parent
    rows = open_lake(sample_lake).query("select action, verdict, count(*) as n from access_matrix group by all")
    counts = {(row["action"], row["verdict"]): row["n"] for row in rows.to_pylist()}
    for action in ("sagemaker:DescribeModel", "sagemaker:PutModelPackageGroupPolicy", "iam:PassRole"):
        page = (report / "actions" / f"{action.replace(':', '-')}.html").read_text(encoding="utf-8")
        for verdict in ("allowed", "conditional", "denied", "blocked"):
            section = re.search(rf'<section aria-labelledby="s-{verdict}"[^>]*>(.*?)</section>', page, re.DOTALL)
            listed = len(re.findall(r"principal\.html#", section.group(1))) if section else 0
            more = re.findall(r">([\d,]+) more principals?<", section.group(1)) if section else []
            assert listed + sum(int(number.replace(",", "")) for number in more) == counts.get((action, verdict), 0)


def test_no_two_groups_of_an_action_page_look_the_same(report):
    for path in sorted((report / "actions").iterdir()):
        for section in re.findall(r"<section.*?</section>", path.read_text(encoding="utf-8"), re.DOTALL):
            looks = [look for look in map(_look, section.split("<article")[1:]) if look[0]]
            assert len(set(looks)) == len(looks), path.name


def _look(group: str) -> tuple[str, str]:
    """What a group of an action page gets, in words, and where its heading says that it is: some get it in their own
    account."""
    heading, _, scopes = group.partition("</h3>")
    scopes, *_ = scopes.split('<dl class="scope holders">')
    return reading.text_of(scopes), reading.text_of(heading.partition('class="minor">')[2])


def test_groups_that_differ_in_statements_alone_are_one_that_names_each(report):
    page = (report / "actions" / "sagemaker-CreateEndpoint.html").read_text(encoding="utf-8")
    (group,) = [one for one in re.findall(r"<article.*?</article>", page, re.DOTALL) if ">juno<" in one]
    told = set(_said_of(group, "granted by"))
    assert "AdministratorAccess, statement 1" in told
    assert "AmazonSageMakerFullAccess, AllowAllNonAdminSageMakerActions; FromVpcOnly, EnableAPIAccess" in told


def _group_of(page: Path, name: str) -> str:
    """The group of an action page that names a principal."""
    listed = re.findall(r"<article.*?</article>", page.read_text(encoding="utf-8"), re.DOTALL)
    return next(group for group in listed if f">{name}<" in group.replace("<wbr>", ""))


def _said_of(group: str, term: str) -> list[str]:
    return [reading.text_of(text) for text in re.findall(rf"<dt>{term}</dt><dd>(.*?)</dd>", group, re.DOTALL)]


def test_a_denied_group_says_what_denies_and_what_it_lacks(report):
    page = report / "actions" / "sagemaker-CreateEndpoint.html"
    group = _group_of(page, "endpoint-deployer-as-printed")
    assert "identity policy: EndpointTagsAsPrinted, statement 2" in _said_of(group, "denied by")
    assert "EndpointTagsAsPrinted, statement 1" in _said_of(group, "granted by")
    assert _said_of(group, "on") == ["* endpoint-config"]
    assert "Not enough: every call needs endpoint, too." in reading.text_of(group)
    assert "Not enough" not in reading.text_of(_group_of(page, "guardrail-bot"))


def test_a_group_that_no_call_fits_says_so(tmp_path):
    """Every call names an endpoint and its configuration, and each is granted in a region of its own."""
    regions = {"endpoint": "us-east-1", "endpoint-config": "eu-west-1"}
    statements = [
        {"Effect": "Allow", "Action": "sagemaker:CreateEndpoint", "Resource": f"arn:aws:sagemaker:*:*:{kind}/*",
         "Condition": {"StringEquals": {"aws:RequestedRegion": region}}}
        for kind, region in regions.items()
    ]  # fmt: skip
    own = given.inline("own", {"Version": "2012-10-17", "Statement": statements})
    given.write(tmp_path / "in", "account.json", given.export(roles=[given.role(RolePolicyList=[own])]))
    build_lake([tmp_path / "in"], tmp_path / "lake")
    report = write_report(open_lake(tmp_path / "lake"), tmp_path / "out").parent
    group = _group_of(report / "actions" / "sagemaker-CreateEndpoint.html", "execution")
    told = reading.text_of(group)
    assert "Not enough: every call needs all of it at once, and no request meets all the conditions." in told


def test_a_reason_that_several_have_by_one_name_stands_once(tmp_path):
    """Two roles have one document by that name, and a third another: what is not one document leads nowhere."""
    listed = [
        given.role(name, RolePolicyList=[given.inline("own", given.document(actions, Sid="S"))])
        for name, *actions in (
            ("one", "sagemaker:ListModels"),
            ("two", "sagemaker:ListModels"),
            ("three", "sagemaker:ListModels", "sagemaker:ListApps"),
        )
    ]
    given.write(tmp_path / "in", "account.json", given.export(roles=listed))
    build_lake([tmp_path / "in"], tmp_path / "lake")
    report = write_report(open_lake(tmp_path / "lake"), tmp_path / "out").parent
    group = _group_of(report / "actions" / "sagemaker-ListModels.html", "one")
    assert _said_of(group, "granted by") == ["own, S (not the same document for all)"]
    assert "policy.html" not in group
    assert group.count("principal.html#") == 3
    assert _said_of(_group_of(report / "actions" / "sagemaker-ListApps.html", "three"), "granted by") == ["own, S"]


def test_loose_documents_are_in_no_account(report):
    found = {one[0]: one for _, key in reading.script(report, "index")["words"] for one in reading.script(report, key)}
    for _, _, _, _, _, count, accounts, _, first in found.values():
        if count == len(first):
            assert accounts == len({account for _, _, account, _ in first} - {""})
    group = _group_of(report / "actions" / "sagemaker-CreateEndpoint.html", "endpoint-deployer-as-printed")
    heading = reading.text_of(re.findall(r"<h3>(.*?)</h3>", group)[0])
    assert heading == "2 principals in ml-dev 333344445555 and loose documents"


def test_an_account_page_has_a_row_for_each_level(report):
    page = (report / "accounts" / f"{DEV}.html").read_text(encoding="utf-8")
    limits = page.split('id="limits"')[1].split("</table>")[0]
    rows = [[reading.text_of(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
            for row in re.findall(r"<tr>(.*?)</tr>", limits.split("<tbody>")[1], re.DOTALL)]  # fmt: skip
    assert ["SCP", "Workloads", "FullAWSAccess, no-direct-internet"] in rows
    levels = [tuple(row[:2]) for row in rows]
    assert len(set(levels)) == len(levels)


def test_a_condition_tells_everyone_who_depends_on_it(report, sample_lake):
    rows = open_lake(sample_lake).query(
        "select condition_id, count(distinct principal_arn) as principals,"
        " list(distinct action order by action) as actions"
        " from access semi join access_matrix using (principal_arn, action) where condition_id is not null group by all"
    )
    index = reading.script(report, "index")
    names = [action[0] for action in index["actions"]]
    told = {one[0]: one for _, key in index["words"] for one in reading.script(report, key)}
    for row in rows.to_pylist():
        _, _, _, _, _, count, _, actions, first = told[row["condition_id"]]
        assert count == row["principals"]
        assert [names[number] for number in reading.ranges(actions)] == row["actions"]
        assert len(first) == min(count, MOST_DEPENDENTS)


def test_the_overview_tells_what_matters_with_numbers_that_lead_to_their_rows(report, sample_lake):
    page = reading.Page(report / "index.html")
    lake = open_lake(sample_lake)
    passing = lake.query(
        "select count(*) n from access_matrix where action = 'iam:PassRole' and verdict in ('allowed', 'conditional')"
    )
    text = " ".join(page.text.split())
    assert f"{passing['n'][0].as_py()} principals may pass a role" in text
    links = [
        attributes["href"] for tag, attributes in page.elements if tag == "a" and attributes.get("class") == "figure"
    ]
    for wanted in (
        "matrix.html#action=iam:PassRole&verdict=can",
        "matrix.html#verdict=conditional",
        "findings.html#presigned-url-for-others",
    ):
        assert wanted in links


def test_the_overview_begins_with_what_is_critical(report):
    text = " ".join(reading.Page(report / "index.html").text.split())
    critical, everything = text.index("1 critical finding"), text.index("can do everything with SageMaker")
    assert text.index("What matters most") < critical < everything


def test_an_accepted_critical_finding_moves_no_other_to_the_front(sample_lake):
    lake = open_lake(sample_lake)
    summary = read_summary(lake, None, None, Checks())
    first, *others = summary.findings
    assert first.severity == "critical"
    counts = action_counts(summary.book)
    told = story(summary.book, counts, [first._replace(open_count=0), *others], summary.totals, summary.keys, None)
    assert [one.figure.endswith(" principals") for one in told][:5] == [True] * 5


def test_no_key_has_more_answers_that_depend_on_the_request_than_there_are(sample_lake, tmp_path):
    """An answer that is allowed whatever the request says depends on no key, though one of its rows may name one."""
    lake = open_lake(sample_lake)
    report = write_report(lake, tmp_path / "out", part=part_of(lake, (), ("ana",), ())).parent
    text = " ".join(reading.Page(report / "index.html").text.split())
    told = re.findall(r"(\d+) answers depend on the request, all of them on .* conditional (\d+)", text)
    ((count, conditional),) = told
    assert count == conditional
    markup = (report / "index.html").read_text(encoding="utf-8").split("Condition keys with how many", 1)[1]
    depending = re.findall(r'<td class="number">([\d,]+)</td><td class="picture">', markup.split("</table>", 1)[0])
    assert 0 < max(map(int, depending)) <= int(count)


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("sagemaker:CreateModel", "sagemaker:<wbr>Create<wbr>Model"),
        ("arn:aws:iam::111122223333:role/path/a", "arn:aws:<wbr>iam::<wbr>111122223333:<wbr>role/<wbr>path/<wbr>a"),
        ("from 203.0.113.0/24 or CamelCase", "from 203.0.113.0/24 or CamelCase"),
        ("policies/basic-models.json:5:14", "policies/<wbr>basic-models.json:5:14"),
        ("<b>sagemaker:CreateModel", "&lt;b&gt;sagemaker:<wbr>Create<wbr>Model"),
        ("a\u202egnp.exe/abcdefghijkl", "a\\u202egnp.exe/<wbr>abcdefghijkl"),
    ],
)
def test_long_words_break_where_their_parts_meet(text, markup):
    assert breakable(text) == markup
    prose = str(breakable(text, is_prose=True))
    assert prose.count('<span class="unit">') == sum(len(word) > 12 for word in text.split())
    assert prose.replace('<span class="unit">', "").replace("</span>", "") == markup


def test_the_page_of_documents_has_no_column_that_says_nothing(report):
    page = (report / "accounts" / "documents.html").read_text(encoding="utf-8")
    assert re.findall(r'<th scope="col"[^>]*>([a-z ]+)</th>', page) == ["document", *LETTERS]
    assert "<td></td>" not in page.replace(' class="day"', "")


def test_a_trust_policy_is_called_by_the_role_that_the_finding_is_of(report):
    """Roles that trust the same service have the same document."""
    text = (report / "findings.html").read_text(encoding="utf-8")
    _, section = text.split('<section aria-labelledby="service-trust-without-source">')
    body = section.split("<tbody>", 1)[1].split("</tbody>", 1)[0].replace("<wbr>", "")
    told = [re.findall(r"arn:aws:iam::\d{12}:role/[\w/-]+(?=</a>)", row) for row in body.split("</tr>")[:-1]]
    assert len(told) > 1
    assert all(role == placed for role, placed in told)


def test_a_finding_without_a_statement_of_its_own_points_to_what_the_control_says(report):
    text = (report / "findings.html").read_text(encoding="utf-8")
    _, section = text.split('<section aria-labelledby="presigned-url-for-others">')
    rows = section.split("<tbody>", 1)[1].split("</tbody>", 1)[0].split("</tr>")[:-1]
    told = ["<td>as above</td>" in row for row in rows]
    assert all(
        "statement to add" in row or "corrected statement" in row
        for row, is_above in zip(rows, told, strict=True)
        if not is_above
    )
    assert told == sorted(told)
    assert set(told) == {False, True}


def test_the_change_over_snapshots_is_that_of_their_matrices(tmp_path):
    counts = []
    for day, action in (("01", "sagemaker:CreateModel"), ("02", "sagemaker:Create*")):
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        user = {
            "UserName": "u", "Arn": "arn:aws:iam::111122223333:user/u", "UserId": "AIDAEXAMPLE", "Path": "/",
            "CreateDate": f"2026-01-{day}T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
            "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": statement}}],
        }  # fmt: skip
        export = {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
        (tmp_path / "export.json").write_text(json.dumps(export), encoding="utf-8")
        build_lake([tmp_path / "export.json"], tmp_path / "lake")
        rows = open_lake(tmp_path / "lake").query("select count(*) n from access_matrix where verdict = 'allowed'")
        counts.append(rows["n"][0].as_py())
    history = read_history(open_lake(tmp_path / "lake"))
    assert [one.counts["allowed"] for one in history.snapshots] == counts
    assert history.snapshots[-1].changes["allowed"] == counts[1] - counts[0]
    assert history.unread == 0
    page = write_report(open_lake(tmp_path / "lake"), tmp_path / "out").read_text(encoding="utf-8")
    assert f"+{counts[1] - counts[0]:,}" in page


def test_the_findings_of_the_sample_are_on_the_page(report):
    page = reading.Page(report / "findings.html")
    text = " ".join(page.text.split())
    for words in (
        "sagemaker:CreateTags",
        "sagemaker:CreateNotebook",
        "sagemaker:ResourceTag/Project",
        "ListNotebookInstances",
        "aws:PrincipalArn",
        "which requests without the key meet",
    ):
        assert words.lower() in text.lower(), words
    assert "07-source-vpc.json:9:29" in reading.Page(report / "rejects.html").text


def test_findings_stand_by_severity_each_with_why_it_counts_and_a_link_to_its_statement(report, sample_lake):
    found = find(open_lake(sample_lake), load_controls()).to_pylist()
    page = (report / "findings.html").read_text(encoding="utf-8")
    shown = re.findall(r'<section aria-labelledby="([a-z0-9-]+)">', page)
    assert set(shown) == {row["control_id"] for row in found}
    severities = {row["control_id"]: SEVERITIES.index(row["severity"]) for row in found}
    assert [severities[name] for name in shown] == sorted(severities.values())
    why = {control.id: " ".join(control.rationale.split()) for control in load_controls()}
    text = " ".join(reading.Page(report / "findings.html").text.split())
    assert all(why[name] in text for name in shown)
    index = reading.script(report, "index")
    policies = {key for _, one in index["policies"] for key in reading.script(report, one)}
    for row in found:
        if row["subject_kind"] == "statement" and row["statement_id"]:
            policy_id, _, place = row["statement_id"].rpartition("#")
            assert policy_id in policies
            assert f"policy.html#{policy_id}:{place}" in page + _rows_in_scripts(report, row["control_id"])


def _rows_in_scripts(report, control):
    scripts = (report / "data" / "tables").glob(f"finding-{control}-*.js")
    return "".join(path.read_text(encoding="utf-8") for path in scripts)


def test_accepted_risks_are_told_and_not_counted(sample_lake, tmp_path):
    rule = ExceptionRule("pass-role-to-any-service", "*", "Agreed <b>", "Ada", date(2030, 1, 1), "exceptions.toml", 1)
    checks = Checks(exceptions=(rule,), today=date(2026, 11, 25))
    report = write_report(open_lake(sample_lake), tmp_path / "out", checks=checks).parent
    text = " ".join(reading.Page(report / "findings.html").text.split())
    assert "0 open, 5 accepted" in text
    assert "(accepted by Ada until 2030-01-01: Agreed <b>)" in text


def test_a_corrected_statement_stands_as_a_difference():
    document = json.dumps({"Statement": [{"Resource": "*", "Effect": "Allow", "Action": "iam:PassRole"}]})
    corrected = '{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/x"}'
    assert difference(document, 0, corrected).splitlines() == [
        " {",
        '   "Effect": "Allow",',
        '   "Action": "iam:PassRole",',
        '-  "Resource": "*"',
        '+  "Resource": "arn:aws:iam::*:role/x"',
        " }",
    ]


def test_provenance_names_inputs_with_hashes_versions_the_reference_and_what_cannot_be_seen(report, sample_lake):
    manifest = open_lake(sample_lake).manifest
    text = reading.Page(report / "provenance.html").text
    for source in manifest["inputs"]:
        assert source["sha256"] in text
        assert source["path"] in text
    for words in (
        manifest["id"],
        manifest["reference"]["data_date"],
        manifest["policylake_version"],
        "root user",
        "vpce-111bbccc",
    ):
        assert words in text


def test_every_link_leads_to_a_page_of_the_report_and_nothing_comes_from_a_network(report):
    assert list(reading.dangling(report)) == []
    for path in (*report.glob("*.js"), *report.glob("*.css")):
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", path.read_text(encoding="utf-8"))


def test_no_file_of_the_report_is_large(report):
    assert max(path.stat().st_size for path in report.rglob("*") if path.is_file()) < 1_000_000


def test_hostile_names_stand_in_pages_as_text_only(hostile_report):
    own = set(STATIC)
    text = ""
    for path in sorted(hostile_report.rglob("*.html")):
        page = reading.Page(path)
        text += page.text
        for tag, attributes in page.elements:
            assert tag not in ("img", "b", "iframe", "base"), path
            assert not any(name.startswith("on") for name in attributes), (path, attributes)
            assert not str(attributes.get("href") or "").lower().startswith("javascript:"), path
            if tag == "script":
                assert str(attributes["src"]).split("/")[-1] in own
    for name in (reading.HOSTILE, "{{ 7*7 }}{% raw %}", "名前-𝒳-e\u0301&amp;&lt;"):
        assert name in text
    assert "<img src=x onerror=window.hit=5>.json" in text


def test_characters_that_are_not_shown_stand_in_pages_as_escapes(hostile_report):
    text = ""
    for path in sorted(hostile_report.rglob("*.html")):
        page = path.read_text(encoding="utf-8")
        assert all(character.isprintable() or character == "\n" for character in page), path
        text += page
    assert "\\u202egnp.exe\\u2028new\\u2029line" in text


def test_data_scripts_hold_no_character_that_ends_a_script_or_a_line(hostile_report):
    for path in (hostile_report / "data").rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not set(text) & set("<>&\u2028\u2029"), path
        assert text.count("\n") == 1
    found = reading.principals(hostile_report)
    for name in reading.NAMES:
        principal, _ = found[f"arn:aws:iam::{reading.HOSTILE_ACCOUNT}:user/{name}"]
        assert principal["name"] == name
        assert principal["tags"] == [[name, name]]


def test_the_names_of_files_come_from_the_reference_or_are_numbers(hostile_report):
    for path in hostile_report.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9.-]+", path.name), path


def test_the_same_lake_gives_the_same_bytes(sample_lake, report, tmp_path):
    again = write_report(open_lake(sample_lake), tmp_path / "out").parent
    names = sorted(path.relative_to(report) for path in report.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    _, different, errors = filecmp.cmpfiles(report, again, [str(name) for name in names], shallow=False)
    assert (different, errors) == ([], [])


def test_a_former_report_is_replaced_whole(hostile_lake, tmp_path):
    out = tmp_path / "out"
    write_report(open_lake(hostile_lake), out)
    (out / "of-before.html").write_text("old")
    assert write_report(open_lake(hostile_lake), out) == out / "index.html"
    assert not (out / "of-before.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_is_no_report_is_left_alone(hostile_lake, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(PolicylakeError, match="holds files that are no report"):
        write_report(open_lake(hostile_lake), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(PolicylakeError, match="not a folder"):
        write_report(open_lake(hostile_lake), tmp_path / "thesis.txt")


def test_a_report_that_fails_leaves_the_former_one(hostile_lake, tmp_path, monkeypatch):
    out = write_report(open_lake(hostile_lake), tmp_path / "out").parent
    before = (out / "index.html").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.report.write.write_accounts", full)
    with pytest.raises(PolicylakeError, match="No space left on device"):
        write_report(open_lake(hostile_lake), out)
    assert (out / "index.html").read_bytes() == before
    assert (out / MARKER).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("text", "count", "verdicts"),
    [
        (
            '{"Statement": {"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*"}}',
            1,
            {"allowed", "none"},
        ),
        ('{"Statement": {"Effect": "Deny", "Action": "sagemaker:*", "Resource": "*"}}', 1, {"none"}),
        ("{", 0, set()),
    ],
)
def test_a_report_of_one_loose_document_or_of_nothing_has_all_pages(text, count, verdicts, tmp_path):
    (tmp_path / "one.json").write_text(text)
    build_lake([tmp_path / "one.json"], tmp_path / "lake")
    out = write_report(open_lake(tmp_path / "lake"), tmp_path / "out").parent
    counted = "1 loose document, 548 actions" if count else "0 users and roles in 0 accounts, 548 actions"
    overview = " ".join(reading.Page(out / "index.html").text.split())
    assert f"Who can do what with SageMaker {counted}." in overview
    assert "This snapshot cannot be placed in time: its inputs bear no date." in overview
    accounts = overview.split("Accounts with their principals and verdicts")[1]
    assert ("None." in accounts) is (count == 0)
    assert set(reading.matrix(out).values()) == verdicts


@pytest.mark.parametrize("path", sorted((ROOT / "sql" / "report").glob("*.sql")), ids=lambda path: path.stem)
def test_the_grain_of_a_report_query_is_unique(path, sample_lake):
    text = path.read_text(encoding="utf-8")
    rows = open_lake(sample_lake).query(text).to_pylist()
    keys = [json.dumps([row[column] for column in front_matter(text)["grain"]]) for row in rows]
    assert len(keys) == len(set(keys))


def test_rows_that_a_page_does_not_show_are_in_its_scripts_in_order(tmp_path):
    arn = "arn:aws:iam::111122223333:role/x"
    rows = [
        [
            Cell(f"row {number}", f"policy.html#{number}"),
            Cell("all the same"),
            Cell(arn, f"principal.html#{arn}", "code"),
        ]
        for number in range(SHOWN + 9000)
    ]
    table = write_table(tmp_path, "tables/some", "Some", ("row", "what", "who"), rows)
    written = [[Cell(*cell) for cell in row] for key in table.pieces for row in reading.rows(tmp_path, key)]
    sizes = [(tmp_path / "data" / f"{key}.js").stat().st_size for key in table.pieces]
    assert all(100 < size < 701_000 for size in sizes)
    assert sum(sizes) < len(as_json(written)) / 2
    assert [*table.rows, *written] == rows
    assert table.count == len(rows)


def test_pieces_are_cut_by_size_and_lose_nothing():
    items = [f"{number:04}" * 5 for number in range(300)]
    pieces = in_pieces(items, list, 1000)
    assert [item for run, _ in pieces for item in run] == items
    assert all(len(text) <= 1000 for _, text in pieces)
    assert [json.loads(text) for _, text in pieces] == [list(run) for run, _ in pieces]


@pytest.mark.parametrize("numbers", [[], [0], [0, 1, 2], [3, 5, 6, 9], list(range(0, 40, 2))])
def test_ranges_are_read_back(numbers):
    assert (reading.ranges(ranges(numbers)) if numbers else []) == numbers


@pytest.mark.parametrize("text", ["", "a", "aaac", "nnnnbnnc" * 30])
def test_runs_are_read_back(text):
    assert reading.runs(runs(text)) == text


def test_the_order_of_keys_is_the_order_of_scripts():
    # U+FF5E comes before U+1D4B3 by code point, and after it by the UTF-16 units that scripts compare.
    assert sorted(["\uff5e", "\U0001d4b3", "a"], key=in_script_order) == ["a", "\U0001d4b3", "\uff5e"]


def test_templates_mark_nothing_as_safe():
    for path in (assets.folder("reports") / "templates").iterdir():
        assert not re.search(r"\|\s*safe|Markup|autoescape", path.read_text(encoding="utf-8")), path
    for path in assets.folder("reports").glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text(encoding="utf-8")
        ), path


def test_the_script_takes_the_same_texts_for_formulas_as_exports_do():
    assert f"/^(?:{FORMULA.pattern})/" in assets.text("reports", "report.js")


def test_a_finding_that_names_no_statement_shows_the_one_to_add(report):
    text = (report / "findings.html").read_text(encoding="utf-8")
    _, section = text.split('<section aria-labelledby="job-without-network-isolation">')
    rows, _ = section.split("</section>", 1)
    assert "<summary>statement to add</summary>" in rows
    assert "<ins>+  &#34;Effect&#34;: &#34;Deny&#34;,</ins>" in rows
    assert "sagemaker:NetworkIsolation" in rows
