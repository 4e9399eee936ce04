"""The report's page of what changed since the snapshot before: its rows are those of policylake diff."""

import csv
import importlib
import json
import re
from urllib.parse import unquote

import pyarrow as pa
import pytest
from chromium import in_browser, started

from pipeline import reference
from pipeline.build import build_lake
from pipeline.diff import COLUMNS, changes
from pipeline.evaluate.scenario_files import read_scenarios
from pipeline.evaluate.under import put_under
from pipeline.export.values import harmless
from pipeline.lake import open_lake
from pipeline.report import Checks, markdown, part_of, printed, read_summary, write_report
from pipeline.report import changes as page_of_changes
from pipeline.report.changes import Changes
from pipeline.report.history import read_history
from pipeline.report.printed import write_printed
from tests import ingest_inputs as given
from tests import report_reading as reading

page_of_markdown = importlib.import_module("pipeline.report.markdown")
OFFICE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
HOME = {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "198.51.100.0/24"]}}
ABROAD = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
HOSTILE = '<img src=x onerror="window.hit=1">'


def user(name, day, *documents):
    listed = [given.inline(f"p{number}", document) for number, document in enumerate(documents)]
    return given.user(name, UserPolicyList=listed, CreateDate=f"2026-01-{day}T00:00:00Z", Path="/", UserId=f"A{name}")


def hostile(day, *documents):
    listed = [given.inline(HOSTILE, document) for document in documents]
    return {**user("hostile", day), "UserPolicyList": listed}


def snapshots(day):
    """The users of a day: each changes in its own way."""
    is_new = day == "02"
    models, jobs = given.document("sagemaker:ListModels"), given.document("sagemaker:CreateTrainingJob")
    return [
        user("gains", day, models, *([jobs] if is_new else [])),
        user("loses", day, *([] if is_new else [models])),
        user("widens", day, given.document("sagemaker:CreateModel", Condition=HOME if is_new else OFFICE)),
        user("narrows", day, given.document("sagemaker:CreateModel", Condition=OFFICE if is_new else HOME)),
        user("moves", day, given.document("sagemaker:CreateModel", Condition=HOME if is_new else ABROAD)),
        user("stays", day, models),
        {**user("others", day), "UserPolicyList": [given.inline("name-of-others", jobs)]},
        hostile(day, *([given.document("sagemaker:DeleteModel", Sid="=1+1")] if is_new else [])),
        *([user("arrives", day, given.document("sagemaker:*"))] if is_new else []),
    ]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("changes")
    for day in ("01", "02"):
        given.write(folder, "export.json", given.export(users=snapshots(day)))
        build_lake([folder / "export.json"], folder / "lake")
    return open_lake(folder / "lake")


@pytest.fixture(scope="module")
def report(lake, tmp_path_factory):
    return write_report(lake, tmp_path_factory.mktemp("out") / "out").parent


def told_before(lake):
    (before,) = {path.name for path in (lake.path / "snapshots").iterdir()} - {lake.snapshot_id}
    return before


def told(lake):
    """What policylake diff says of the two snapshots."""
    return changes(open_lake(lake.path, told_before(lake)), open_lake(lake.path), reference.load()).to_pylist()


def shown(report):
    page = (report / "changes.html").read_text(encoding="utf-8")
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", page, re.S)]
    first = [[reading.text_of(cell) for cell in row] for row in cells if row]
    pieces = sorted((report / "data" / "tables").glob("changes-*.js"), key=lambda path: int(path.stem.split("-")[1]))
    later = [[cell[0] for cell in row] for path in pieces for row in reading.rows(report, f"tables/{path.stem}")]
    return first + later


def test_the_page_has_the_rows_of_the_diff_the_weightiest_first(lake, report):
    rows, lines = told(lake), shown(report)
    assert len(rows) == len(lines) > page_of_changes.SHOWN
    kinds = {(arn.split("/")[1].split(" ")[0], word) for arn, _, word, *_ in lines}
    assert {("gains", "gained"), ("loses", "lost"), ("widens", "wider"), ("narrows", "narrower")} <= kinds
    assert not [name for name, _ in kinds if name == "stays"]
    order = [page_of_changes.WORDS.index(line[2]) for line in lines]
    assert order == sorted(order)
    (wider,) = [line for line in lines if line[0].endswith("user/widens")]
    assert (wider[1], "198.51.100.0/24" in wider[4], "198.51.100.0/24" in wider[5]) == (
        "sagemaker:CreateModel", True, False
    )  # fmt: skip
    assert "export.json" in wider[6]
    gained = [(line[1], line[3]) for line in lines if line[0].endswith("user/gains")]
    assert {action for action, _ in gained} == {"sagemaker:CreateTrainingJob"}
    assert "training-job *" in {scope for _, scope in gained}
    assert any(line[0].endswith("user/arrives (new)") for line in lines)


def test_the_file_has_every_row_with_all_columns_and_no_formula(lake, report):
    with (report / "changes.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == list(COLUMNS)
    assert len(lines) == len(told(lake))
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))]
    proofs = [line[header.index("witness")] for line in lines if line[0].endswith("user/widens")]
    assert json.loads(proofs[0])["context"]["aws:SourceIp"].startswith("198.51.100.")


@pytest.mark.parametrize("text", ["=1+1", " =1+1", "＝1+1", "\t1", "-1", "'1", "a=1"])
def test_the_file_takes_the_same_texts_for_formulas_as_exports_do(text, tmp_path):
    rows = pa.table({name: pa.array([text]) for name in COLUMNS})
    page_of_changes.write_file(tmp_path / "changes.csv", rows)
    _, line = csv.reader((tmp_path / "changes.csv").open(encoding="utf-8", newline=""))
    assert line == [harmless(text)] * len(COLUMNS)


def test_more_rows_than_the_pages_hold_are_counted(lake, tmp_path, monkeypatch):
    monkeypatch.setattr(page_of_changes, "MOST", 7)
    monkeypatch.setattr(page_of_changes, "MOST_IN_FILE", 9)
    report = write_report(lake, tmp_path / "out").parent
    total = len(told(lake))
    assert len(shown(report)) == 7
    page = reading.text_of((report / "changes.html").read_text(encoding="utf-8"))
    assert (
        f"The first 7 of {total:,} rows are here, the gravest first; changes.csv has 9, policylake diff has all" in page
    )
    assert len((report / "changes.csv").read_text(encoding="utf-8").splitlines()) == 10


def test_more_than_fits_in_memory_is_not_compared_and_the_page_says_what_to_do(lake, tmp_path, monkeypatch):
    monkeypatch.setattr(page_of_changes, "MOST_PRINCIPALS", 6)
    page = write_report(lake, tmp_path / "out").with_name("changes.html").read_text(encoding="utf-8")
    assert "cannot be compared: 9 principals are in account groups" in page
    assert f"policylake diff {told_before(lake)} {lake.snapshot_id} --account ID" in page


def test_overview_and_page_lead_to_one_another_and_no_link_nowhere(report):
    overview = (report / "index.html").read_text(encoding="utf-8")
    assert 'href="changes.html"' in overview
    assert 'href="index.html#history"' in (report / "changes.html").read_text(encoding="utf-8")
    assert 'id="history"' in overview
    assert list(reading.dangling(report)) == []


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (((), ("gains", "loses"), ()), {"gains", "loses"}),
        (((), ("gains",), ()), {"gains"}),
        (((), ("stays",), ()), set()),
        (((given.ACCOUNT,), (), ("sagemaker:CreateModel",)), {"widens", "narrows", "moves", "arrives (new)"}),
    ],
)
def test_a_part_has_its_own_changes_and_no_names_of_others(lake, report, tmp_path, asked, names):
    part = part_of(lake, *asked)
    written = write_report(lake, tmp_path / "part", part=part).parent
    wanted = [line for line in shown(report) if line[0].split("/")[1] in names]
    if part.actions:
        wanted = [line for line in wanted if line[1] in part.actions]
    lines = shown(written)
    assert [line[:6] for line in lines] == [line[:6] for line in wanted]
    assert "What changed since the snapshot before" in (written / "index.html").read_text(encoding="utf-8")
    assert list(reading.dangling(written)) == []
    if not part.accounts:
        text = "".join(path.read_text(encoding="utf-8") for path in written.rglob("*.*"))
        assert not [name for name in ("name-of-others", "user/moves") if name in text]
        assert names != {"gains"} or {line[6] for line in lines} == {"+ Allow p1#0 (export.json)"}
    told_ = markdown(read_summary(lake, None, part, Checks()))
    assert ("No access changed" in told_) == (not names)
    assert "name-of-others" not in told_ or part.accounts


def lets_in(party, resource):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Principal": party, "Resource": f"{resource}/*"}
    return {"ResourceArn": resource, "ResourcePolicy": {"Version": "2012-10-17", "Statement": [statement]}}


def test_what_may_be_of_a_part_is_counted_and_what_is_of_it_is_shown_whatever_the_resource(tmp_path):
    """A bucket's ARN names no account: whose it is, nobody knows; whom its policy lets in may be the part's."""
    own, other = f"arn:aws:iam::{given.ACCOUNT}:root", "arn:aws:iam::999999999999:root"
    listed = [lets_in({"AWS": party}, f"arn:aws:s3:::{name}")
              for party, name in ((own, "ours"), (other, "theirs"), ("*", "open"))]  # fmt: skip
    for day in ("01", "02"):
        users = [user("stays", day, given.document("sagemaker:ListModels")), user("another", day)]
        given.write(tmp_path, "in/export.json", given.export(users=users))
        given.write(tmp_path, "in/policies.json", listed if day == "02" else listed[:0])
        build_lake([tmp_path / "in"], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    for asked, lines, count in (
        (((given.ACCOUNT,), (), ()), [own], "2 more changes are left out"),
        (((), ("stays",), ()), [], "1 more change is left out"),
        (((), (), ("sagemaker:ListModels",)), [], ""),
    ):
        part = part_of(lake, *asked)
        written = write_report(lake, tmp_path / "out", part=part).parent
        text = (written / "changes.html").read_text(encoding="utf-8")
        assert [line[0] for line in shown(written)] == lines
        assert count in text
        assert ("left out:" in text) == bool(count)
        assert count in markdown(read_summary(lake, None, part, Checks()))


def test_no_such_page_without_an_earlier_snapshot(lake, tmp_path):
    given.write(tmp_path, "export.json", given.export(users=snapshots("01")))
    build_lake([tmp_path / "export.json"], tmp_path / "lake")
    alone = write_report(open_lake(tmp_path / "lake"), tmp_path / "alone").parent
    assert not list(alone.rglob("*changes*"))
    assert "changes.html" not in (alone / "index.html").read_text(encoding="utf-8")


def test_a_snapshot_in_which_nobody_can_do_anything_has_its_day_and_its_changes(tmp_path):
    for day, documents in (("01", [given.document("sagemaker:ListModels")]), ("02", []), ("03", [])):
        given.write(tmp_path, "export.json", given.export(users=[user("ana", day, *documents)]))
        build_lake([tmp_path / "export.json"], tmp_path / "lake")
        if day == "02":
            report = write_report(open_lake(tmp_path / "lake"), tmp_path / "out").parent
            assert [line[2] for line in shown(report)] == ["lost"]
    history = read_history(open_lake(tmp_path / "lake"))
    assert [one.day[-2:] for one in history.snapshots] == ["01", "02", "03"]
    assert [one.counts["allowed"] for one in history.snapshots] == [1, 0, 0]
    assert all(sum(one.counts.values()) == history.snapshots[0].counts["none"] + 1 for one in history.snapshots)
    assert history.unread == 0


def test_under_a_scenario_the_page_has_what_differs_in_its_requests(lake, tmp_path):
    """In a network that holds one of the two, two lists of networks are the same."""
    file = tmp_path / "scenarios.toml"
    file.write_text('[near]\ntitle = "Near"\nfacts."aws:SourceIp" = "192.0.2.0/23"\n', encoding="utf-8")
    (near,) = read_scenarios(file, reference.load())
    opened = open_lake(lake.path)
    put_under(opened, near, reference.load())
    report = write_report(opened, tmp_path / "out", scenario=near).parent
    found = {(line[0].split("/")[1].split(" ")[0], line[2]) for line in shown(report)}
    assert {name for name, _ in found} == {"gains", "loses", "hostile", "arrives", "moves"}
    assert ("moves", "gained") in found
    page = reading.text_of((report / "changes.html").read_text(encoding="utf-8"))
    assert "Both snapshots are read under the scenario" in page
    assert 'href="changes.html"' in (report / "index.html").read_text(encoding="utf-8")
    assert list(reading.dangling(report)) == []
    with (report / "changes.csv").open(encoding="utf-8", newline="") as lines:
        assert not [row["witness"] for row in csv.DictReader(lines) if row["witness"]]


def test_markdown_has_the_weightiest_changes_and_says_where_the_others_are(lake, monkeypatch):
    summary = read_summary(lake, None, None, Checks())
    total = len(told(lake))
    text = markdown(summary, "https://reports.example/1")
    rows = [line for line in text.splitlines() if re.match(r"\| \[?`arn:.*\| gained \|", line)]
    assert len(rows) == page_of_markdown.MOST_CHANGES
    assert "[682 gained, 1 wider, 1 different, 1 narrower, 1 lost](https://reports.example/1/changes.html)" in text
    command = f"`policylake diff {told_before(lake)} {lake.snapshot_id}` lists them all"
    assert f"{total - len(rows):,} more rows: {command}, [the report's page]" in text
    monkeypatch.setattr(page_of_markdown, "MOST_CHANGES", total)
    monkeypatch.setattr(page_of_markdown, "MOST_OF_CHANGES", 1000)
    short = markdown(summary)
    shown_rows = len(re.findall(r"^\| `arn:[^|]*\|[^|]*\| \w+ \|", short, re.MULTILINE))
    assert 0 < shown_rows < 10
    assert f"{total - shown_rows:,} more rows: {command}." in short
    assert HOSTILE not in re.sub(r"(`+).+?\1", "", markdown(summary._replace(changes=summary.changes._replace(
        rows=[row for row in summary.changes.rows if HOSTILE in row[6].text]))))  # fmt: skip


def test_the_document_has_the_weightiest_changes_and_says_where_the_others_are(lake, tmp_path):
    page = write_printed(read_summary(lake, None, None, Checks()), tmp_path).read_text(encoding="utf-8")
    text = reading.text_of(page)
    left = len(told(lake)) - printed.MOST_CHANGES
    assert f"{left:,} more: policylake diff {told_before(lake)} {lake.snapshot_id} lists all rows" in text
    (rows,) = re.findall(r'<table class="rows changed">.*?</table>', page, re.DOTALL)
    assert rows.count("<tr>") == printed.MOST_CHANGES + 1
    assert "682 gained, 1 wider, 1 different, 1 narrower, 1 lost" in text


def test_no_changes_are_said_to_be_none_and_what_cannot_be_compared_says_why(lake):
    summary = read_summary(lake, None, None, Checks())
    none = Changes(summary.changes.before)
    assert "No access changed since snapshot" in markdown(summary._replace(changes=none))
    text = markdown(summary._replace(changes=none._replace(trouble="too *many*")))
    assert r"is not compared: too \*many\*" in text


def test_what_nobody_can_tell_stands_among_the_changes_and_says_why(tmp_path):
    """A document that is lost may have been a Deny."""
    policy = f"arn:aws:iam::{given.ACCOUNT}:policy/lost"
    for day in ("01", "02"):
        user_ = {**user("unclear", day), "AttachedManagedPolicies": [given.attached(policy)]}
        documents = [given.managed(policy, given.document("sagemaker:ListModels"))] if day == "01" else []
        users = [user_, user("stays", day, given.document("sagemaker:ListModels"))]
        given.write(tmp_path, "export.json", given.export(users=users, policies=documents))
        build_lake([tmp_path / "export.json"], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    lines = shown(write_report(lake, tmp_path / "out").parent)
    assert [line[2] for line in lines] == ["unknown", "lost"]
    assert lines[0][4:6] == ["unknown", "unknown"]
    assert f"? the document of {policy} is not there" in lines[0][6]
    assert re.search(r"\| `[^`]*unclear[^`]*` \| ` ` \| unknown \|", markdown(read_summary(lake, None, None, Checks())))


@in_browser
def test_a_person_reads_the_changes_again_for_some_requests(report, lake):
    troubles = []
    wanted = {
        "198.51.100.7": {"widens": "gained", "narrows": "lost", "moves": "gained"},
        "192.0.2.7": {"widens": "no difference", "narrows": "no difference", "moves": "gained"},
        "203.0.113.7": {"widens": "no difference", "narrows": "no difference", "moves": "lost"},
    }
    with started() as browser:
        page = browser.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        for address, words in wanted.items():
            page.goto("about:blank")
            page.goto(f"{report.as_uri()}/changes.html#q=CreateModel&if=aws:SourceIp={address}")
            page.get_by_text(re.compile(f"^Of {len(told(lake)):,} rows, for such requests")).wait_for()
            assert page.locator("#changes tbody tr").count() == len(told(lake))
            for name, word in words.items():
                row = page.locator("#changes tbody tr:not([hidden])").filter(has_text=f"user/{name}")
                assert f"as read again: {word}" in row.inner_text()
                assert ("falls" in (row.get_attribute("class") or "")) == (word == "no difference")
                assert f"if=aws:SourceIp={address}" in unquote(row.locator("a").first.get_attribute("href"))
        page.get_by_label("What if").fill("")
        page.locator("#changes .again").first.wait_for(state="detached")
        assert page.locator("#again").inner_text() == ""
        assert "q=CreateModel" in page.url
        page.get_by_label("Scenario").select_option("vpc")
        page.get_by_text(re.compile("for such requests")).wait_for()
    assert troubles == []


@in_browser
def test_a_person_filters_the_changes_and_names_run_nothing(report, lake):
    troubles = []
    with started() as browser:
        page = browser.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{report.as_uri()}/index.html")
        page.get_by_role("link", name="What changed since the snapshot before").click()
        rows = page.locator("#changes tbody tr:not([hidden])")
        assert rows.count() == page_of_changes.SHOWN
        page.get_by_label("Filter").fill("user/loses LOST")
        page.get_by_text(re.compile(f"1 of {len(told(lake)):,}$")).wait_for()
        assert "sagemaker:ListModels" in rows.inner_text()
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV of Changed access").click()
        assert len(saved.value.path().read_text(encoding="utf-8").splitlines()) == 2
        page.get_by_label("Filter").fill("onerror")
        page.get_by_text(re.compile(r"\b1 of")).wait_for()
        assert HOSTILE.lower() in rows.inner_text().lower()
        assert page.evaluate("window.hit") is None
        page.reload()
        page.get_by_text(re.compile(r"\b1 of")).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert troubles == []
