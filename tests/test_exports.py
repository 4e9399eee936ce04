"""Exports hold what the formats' own libraries accept, at the places where the statements are, and harm no reader."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import botocore.session
import jsonschema
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.validate import ParamValidator
from conftest import SAMPLE
from junitparser import JUnitXml
from made_findings import CARDS, FORMULA, of_statements, row, table
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from sarif_pydantic import Sarif

from pipeline.export import asff, tables, workbook
from pipeline.export.markdown import markdown_text
from pipeline.export.places import portable_names
from pipeline.export.records import Changes, Finding, findings_of
from pipeline.export.run import FORMATS, Options, contents_of, write_export
from pipeline.export.sarif import sarif_text
from pipeline.export.tables import RELATIONS
from pipeline.lake import open_lake
from pipeline.progress import silent

TODAY = date(2026, 11, 25)
WITHOUT_REPORT = tuple(name for name in FORMATS if name != "html")


@pytest.fixture(scope="module")
def lake(sample_lake):
    return open_lake(sample_lake)


@pytest.fixture(scope="module")
def found(lake):
    return of_statements(lake)


@pytest.fixture(scope="module")
def contents(lake, found):
    return contents_of(lake, found, CARDS, TODAY)


@pytest.fixture(scope="module")
def exported(lake, found, tmp_path_factory):
    return write_export(lake, found, CARDS, tmp_path_factory.mktemp("exports"), Options(WITHOUT_REPORT, TODAY)).folder


@pytest.fixture(scope="module")
def results(exported):
    return json.loads((exported / "findings.sarif").read_text())["runs"][0]["results"]


def test_sarif_is_read_by_a_library_of_the_format(exported, found):
    log = Sarif.model_validate_json((exported / "findings.sarif").read_text())
    assert (log.version, len(log.runs), len(log.runs[0].results)) == ("2.1.0", 1, found.num_rows)


SCHEMA = SAMPLE.parents[1] / ".sarif" / "node_modules" / "@microsoft" / "sarif-multitool-linux" / "sarif-2.1.0.json"


@pytest.mark.skipif(not SCHEMA.exists(), reason="the schema is not installed; .ci/run does it")
def test_sarif_is_valid_by_its_schema(exported):
    schema = json.loads(SCHEMA.read_text())
    log = json.loads((exported / "findings.sarif").read_text())
    problems = jsonschema.validators.validator_for(schema)(schema).iter_errors(log)
    assert [problem.message for problem in problems] == []


def test_indexes_in_sarif_lead_to_what_they_name(exported, results):
    run = json.loads((exported / "findings.sarif").read_text())["runs"][0]
    rules, artifacts = run["tool"]["driver"]["rules"], run["artifacts"]
    for result in results:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0].get("physicalLocation")
        if place:
            assert artifacts[place["artifactLocation"]["index"]]["location"]["uri"] == place["artifactLocation"]["uri"]
    for rule in rules:
        for relation in rule.get("relationships", ()):
            target = relation["target"]
            taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
            assert taxonomy["name"] == target["toolComponent"]["name"]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]


def test_sarif_points_at_the_line_of_the_statement(results):
    seen = 0
    for result in results:
        place = result["locations"][0].get("physicalLocation", {})
        if "region" not in place:
            continue
        lines = (SAMPLE / place["artifactLocation"]["uri"]).read_text().splitlines()
        at = lines[place["region"]["startLine"] - 1][place["region"]["startColumn"] - 1 :]
        # A statement, or the text that holds the whole document.
        assert at[0] == ('"' if "is a text in the file" in result["properties"].get("remark", "") else "{"), result
        seen += 1
    assert seen > 100


def test_the_line_of_a_statement_is_its_own_and_not_another_ones(results):
    document = (SAMPLE / "policies" / "02-console.jsonc").read_text()
    named = {
        result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].rpartition("#")[2]: result
        for result in results
        if result["locations"][0].get("physicalLocation", {}).get("artifactLocation", {}).get("uri")
        == "policies/02-console.jsonc"
    }
    starts = [result["locations"][0]["physicalLocation"]["region"]["startLine"] for _, result in sorted(named.items())]
    assert len(starts) > 1
    assert starts == sorted(set(starts))
    assert document.count("\n") > starts[-1]


def test_uris_in_sarif_are_relative_and_name_no_folder_of_this_machine(exported):
    text = (exported / "findings.sarif").read_text()
    assert str(SAMPLE) not in text
    assert "file:" not in text
    run = json.loads(text)["runs"][0]
    assert {"accounts/111122223333.json", "policies/02-console.jsonc"} <= {
        artifact["location"]["uri"] for artifact in run["artifacts"]
    }


def test_a_packed_file_has_its_line_in_words_only(results):
    packed = [
        result
        for result in results
        if result["locations"][0].get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "").endswith(".gz")
    ]
    assert packed
    for result in packed:
        assert "region" not in result["locations"][0]["physicalLocation"]
        assert "in the unpacked file" in result["message"]["text"]


def test_a_file_that_has_changed_keeps_its_name_and_loses_its_lines(lake, found, monkeypatch, tmp_path):
    other = open_lake(lake.path)
    for source in other.manifest["inputs"]:
        source["sha256"] = "0" * 64
    changed = contents_of(other, found, CARDS, TODAY)
    assert {finding.line for finding in changed.findings} == {None}
    placed = [finding for finding in changed.findings if finding.statement_id]
    assert all(finding.file and "has changed since the build" in finding.remark for finding in placed)
    assert str(SAMPLE) not in sarif_text(changed)


def test_an_accepted_finding_is_a_suppressed_result_with_its_reason(results):
    (accepted,) = [result for result in results if "suppressions" in result]
    (suppression,) = accepted["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"] == "accepted by CISO until 2027-03-31: Until the move"


def test_ocsf_events_are_compliance_findings(exported, found):
    lines = (exported / "findings.ocsf.jsonl").read_text().splitlines()
    assert len(lines) == found.num_rows
    for line in lines:
        event = ComplianceFinding.model_validate_json(line)
        assert (event.class_uid, event.type_uid, event.compliance.status_id) == (2003, 200301, 3)
        assert event.finding_info.uid
    statuses = [json.loads(line)["status"] for line in lines]
    assert (statuses.count("Suppressed"), statuses.count("New")) == (1, len(lines) - 1)


def securityhub():
    model = botocore.session.Session().get_service_model("securityhub")
    return model.operation_model("BatchImportFindings").input_shape


def test_asff_files_are_what_the_call_takes_for_each_account(exported, found):
    shape, validator, seen = securityhub(), ParamValidator(), 0
    for file in sorted((exported / "asff").glob("*/*.json")):
        findings = json.loads(file.read_text())
        report = validator.validate({"Findings": findings}, shape)
        assert not report.has_errors(), report.generate_report()
        assert len(findings) <= 100
        for finding in findings:
            assert finding["AwsAccountId"] == file.parent.name
            assert finding["ProductArn"].endswith(f":{file.parent.name}:product/{file.parent.name}/default")
            assert len(finding["Title"]) <= 256
            assert len(finding["Description"]) <= 1024
        seen += len(findings)
    left_out = json.loads((exported / "manifest.json").read_text())["left_out"]
    without = found.num_rows - seen
    assert without > 0
    assert left_out == [f"asff: {without:,} findings of no account, which Security Hub cannot hold"]


def test_asff_tells_types_of_resources_and_what_was_accepted(exported):
    findings = [f for file in (exported / "asff").glob("*/*.json") for f in json.loads(file.read_text())]
    types = {finding["Resources"][0]["Type"] for finding in findings}
    assert {"AwsIamRole", "AwsIamUser", "Other"} <= types
    (accepted,) = [finding for finding in findings if finding["Workflow"]["Status"] == "SUPPRESSED"]
    assert accepted["Note"]["UpdatedBy"] == "CISO"


def test_resources_are_arns_and_the_statement_stands_beside_them(contents):
    from pipeline.export.ocsf import events

    role, policy = "arn:aws:iam::111122223333:role/team", "arn:aws:iam::111122223333:policy/ml"
    given = {
        f"{role} inline: statement 1": ("statement", role),
        f"{policy}: Sid One": ("statement", policy),
        "nothing that is an ARN": ("policy", "arn:aws:iam::111122223333:root"),
    }
    blank = dict.fromkeys(("principal_arn", "resource_arn", "attached_to"))
    found = tuple(
        contents.findings[0]._replace(subject=subject, subject_kind=kind, account_id="111122223333", **blank)
        for subject, (kind, _) in given.items()
    )
    uids = [event["resources"][0]["uid"] for event in events(contents._replace(findings=found))]
    assert uids == [uid for _, uid in given.values()]
    told = [asff.asff(contents, finding, CARDS[0], "111122223333", is_gone=False) for finding in found]
    assert [one["Resources"][0]["Id"] for one in told] == uids
    assert [one["Resources"][0]["Type"] for one in told] == ["AwsIamRole", "AwsIamPolicy", "AwsAccount"]
    assert [one["ProductFields"]["policylake/subject"] for one in told] == list(given)
    assert "NIST.800-53.r5 AC-6" in told[0]["Compliance"]["RelatedRequirements"]
    (event, *_) = events(contents._replace(findings=found))
    assert "NIST.800-53.r5" in event["compliance"]["standards"]


def test_what_is_gone_is_archived_and_closed(contents):
    before = contents.findings[0]._replace(first_seen="2026-10-01", account_id="333344445555")
    gone = contents._replace(findings=(), changes=Changes("2026-11-24", (), (before,), 0, {}, {}))
    found = asff.asff(gone, before, CARDS[0], "333344445555", is_gone=True)
    assert (found["RecordState"], found["Compliance"]["Status"], found["CreatedAt"]) == (
        "ARCHIVED", "PASSED", "2026-10-01T00:00:00.000Z",
    )  # fmt: skip
    from pipeline.export.ocsf import events

    (event,) = events(gone)
    assert ComplianceFinding.model_validate(event).type_uid == 200303
    assert (event["status"], event["compliance"]["status"]) == ("Resolved", "Pass")


def test_junit_has_a_test_a_finding_and_a_passed_one_for_a_silent_control(exported, found):
    report = JUnitXml.fromfile(str(exported / "findings.junit.xml"))
    assert (report.tests, report.failures, report.skipped) == (found.num_rows + 1, found.num_rows - 1, 1)
    assert {suite.name: suite.tests for suite in report}["silent"] == 1
    names = [case.name for suite in report for case in suite]
    assert len(names) == len(set(names))


def test_junit_holds_no_character_that_xml_forbids(exported):
    text = (exported / "findings.junit.xml").read_text()
    assert "\x01" not in text
    assert "\x1b" not in text
    assert ET.fromstring(text).tag == "testsuites"


def sheets(path):
    book = openpyxl.load_workbook(path)
    return {page.title: [list(row) for row in page.iter_rows()] for page in book}


def test_the_workbook_has_a_sheet_for_each_question(exported, found, lake):
    read = sheets(exported / "findings.xlsx")
    assert list(read) == ["summary", "findings", "controls", "accepted risks", "dangerous grants", "rejects",
                          "provenance"]  # fmt: skip
    assert len(read["findings"]) == found.num_rows + 1
    assert [cell.value for cell in read["accepted risks"][1]][:6] == [
        "unused-roles", "medium", "kept", "Until the move", "CISO", "2027-03-31",
    ]  # fmt: skip
    assert len(read["rejects"]) == lake.query("from rejects").num_rows + 1
    said = {row[0].value: row[1].value for row in read["summary"]}
    assert (said["open findings"], said["accepted risks"]) == (found.num_rows - 1, 1)
    assert said["cells allowed"] == lake.query("from access_matrix where verdict = 'allowed'").num_rows


def test_dangerous_grants_are_those_of_the_matrix(exported, lake):
    rows = [[cell.value for cell in row] for row in sheets(exported / "findings.xlsx")["dangerous grants"][1:]]
    passers = {(row[2], row[4]) for row in rows if row[0] == "iam:PassRole"}
    sql = "from access_matrix where action = 'iam:PassRole' and verdict in ('allowed', 'conditional')"
    assert passers == {(row["principal_arn"], row["verdict"]) for row in lake.query(sql).to_pylist()}
    assert all(row[5] for row in rows if row[4] == "conditional")


def test_no_cell_of_the_workbook_is_a_formula(exported):
    cells = [cell for rows in sheets(exported / "findings.xlsx").values() for row in rows for cell in row]
    assert "'" + FORMULA in {cell.value for cell in cells}
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}


def test_a_sheet_that_is_too_long_is_told_on_the_first_one(contents, lake, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MOST", 40)
    cut = workbook.write_workbook(contents, lake, tmp_path / "cut.xlsx")
    read = sheets(tmp_path / "cut.xlsx")
    assert len(read["findings"]) == 41
    told = [row[1].value for row in read["summary"] if row[0].value == "left out"]
    assert told == cut
    assert f"sheet findings: the first 40 of {len(contents.findings):,} rows" in cut[0]


def test_markdown_shows_hostile_text_as_text(contents):
    text = markdown_text(contents)
    assert "<b>" not in text
    assert "\x1b" not in text
    assert "bad \\\\x01\\\\x1b\\[31m &lt;b&gt;\\|x&lt;/b&gt;" in text


@pytest.mark.parametrize("name", [*RELATIONS, "findings"])
def test_a_table_has_the_same_rows_in_every_format(name, exported):
    read = pq.read_table(exported / f"{name}.parquet")
    lines = (exported / f"{name}.jsonl").read_text().splitlines()
    with (exported / f"{name}.csv").open(newline="") as file:
        header, *cells = csv.reader(file)
    assert header == read.column_names == list(json.loads(lines[0]))
    assert len(lines) == len(cells) == read.num_rows > 0
    first = read.column_names[0]
    assert [json.loads(line)[first] for line in lines] == read[first].to_pylist()


def test_a_long_table_is_parquet_only_and_a_longer_one_stays_in_the_lake(lake, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_TEXT_ROWS", 100)
    monkeypatch.setattr(tables, "MOST_ROWS", 30_000)
    written = tables.write_tables(lake, table([row(1)]), tmp_path, ["parquet", "csv"], silent)
    names = {path.name for path in tmp_path.iterdir()}
    assert "access_matrix.parquet" in names
    assert names.isdisjoint({"access_matrix.csv", "access.parquet", "access.csv"})
    for file in ("access_matrix.csv", "access"):
        rows = lake.query(f"from {file.removesuffix('.csv')}").num_rows
        assert any(words.startswith(f"{file}: {rows:,} rows") for words in written.left_out)


def test_tables_read_by_groups_of_accounts_are_whole_and_in_one_order(lake, monkeypatch, exported):
    monkeypatch.setattr(tables, "GROUP", 20)
    assert len(tables._account_groups(lake)) > 3
    read = pa.concat_tables(tables._batches(lake, "access_matrix"))
    assert read.equals(pq.read_table(exported / "access_matrix.parquet").cast(read.schema))
    assert read.num_rows == lake.query("from access_matrix").num_rows
    assert None in read["account_id"].to_pylist()


def test_the_manifest_has_the_hash_of_every_input_and_output(exported, lake):
    manifest = json.loads((exported / "manifest.json").read_text())
    assert [one["sha256"] for one in manifest["inputs"]] == [one["sha256"] for one in lake.manifest["inputs"]]
    assert set(manifest["outputs"]) == {
        path.relative_to(exported).as_posix() for path in exported.rglob("*") if path.is_file()
    } - {"manifest.json"}
    assert manifest["exit_status"] == 3
    assert manifest["rows"]["access"] == lake.query("from access").num_rows


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["exports/a.json", "b.json"], ["exports/a.json", "b.json"]),
        (["/data/in/a/x.json", "/data/in/b/y.json"], ["a/x.json", "b/y.json"]),
        (["/data/in/x.json"], ["x.json"]),
        (["../in/x.json", "./y.json"], ["in/x.json", "y.json"]),
        (["s3://bucket/x.json", "/data/y.json"], ["s3://bucket/x.json", "y.json"]),
    ],
)
def test_names_of_inputs_hold_nothing_of_this_machine(paths, names):
    assert [portable_names(paths)[path] for path in paths] == names


def test_findings_of_a_table_without_a_column_have_nothing_there():
    (finding,) = findings_of(table([row(1)]).drop_columns(["remedy"]))
    assert (finding.remedy, finding.control_id) == (None, "wide-grants")


def test_the_docs_name_every_column_of_findings():
    text = (SAMPLE.parents[1] / "docs" / "exports.md").read_text()
    listed = text[text.index("## Findings") : text.index("## When it appears")]
    rows = [line.split("|")[1] for line in listed.splitlines() if line.startswith("| `")]
    assert re.findall(r"`(\w+)`", "".join(rows)) == list(Finding._fields)


def test_a_finding_about_no_statement_has_the_file_of_its_principal_or_resource(lake):
    (principal,) = lake.query("select principal_arn, source from principals order by principal_arn limit 1").to_pylist()
    sql = "select target_arn, source from attachments where attachment_kind = 'resource' order by target_arn limit 1"
    (resource,) = lake.query(sql).to_pylist()
    rows = [
        row(1, principal_arn=principal["principal_arn"]),
        row(2, resource_arn=resource["target_arn"]),
        row(3, principal_arn="arn:aws:iam::333344445555:role/none"),
    ]
    found = contents_of(lake, table(rows), CARDS, TODAY).findings
    files = [finding.file for finding in found]
    assert (files[2], found[2].line) == (None, None)
    for file, known in zip(files, (principal, resource), strict=False):
        assert known["source"].endswith(f"/{file}")


def test_texts_that_a_control_breaks_into_lines_are_on_one(lake):
    card = replace(CARDS[0], rationale="It grows\nwith AWS.")
    told = contents_of(lake, table([row(1, remedy="Name\n  them.")]), [card], TODAY)
    assert (told.controls[0].rationale, told.findings[0].remedy) == ("It grows with AWS.", "Name them.")


def test_commands_of_a_remedy_stay_as_they_are_each_on_its_line(lake):
    commands = "\n$ aws iam put-user-policy --policy-document 'a  b'\n$ aws iam detach-user-policy"
    told = contents_of(lake, table([row(1, remedy=f"Do\n this:{commands}")]), [CARDS[0]], TODAY)
    assert told.findings[0].remedy == f"Do this:{commands}"


def test_a_finding_about_a_principal_points_at_the_principal(lake):
    sql = """
    select principal_arn from principals
    where ends_with(source, '333344445555.json') and principal_type != 'policy' order by principal_arn
    """
    arns = lake.query(sql)["principal_arn"].to_pylist()
    rows = [row(number, principal_arn=arn, subject_kind="principal") for number, arn in enumerate(arns, start=1)]
    found = contents_of(lake, table(rows), CARDS, TODAY).findings
    text = (SAMPLE / "accounts" / "333344445555.json").read_text()
    document = json.loads(text)
    assert len(found) > 20
    for finding in found:
        part = document
        for step in finding.pointer.split("/")[1:]:
            part = part[int(step) if isinstance(part, list) else step]
        assert part["Arn"] == finding.principal_arn
        rest = "\n".join(text.splitlines()[finding.line - 1 :])[finding.column - 1 :]
        assert json.JSONDecoder().raw_decode(rest)[0]["Arn"] == finding.principal_arn
