"""The report as Markdown and as PDF: short or complete, safe for where it goes, honest about what it leaves out."""

import re

import pytest
from chromium import in_browser, started
from markupsafe import escape

from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake
from pipeline.report import Checks, markdown, part_of, read_summary, write_report
from pipeline.report.history import History, Snapshot
from pipeline.report.printed import MOST_LINES, find_browser, printer, shortened, write_pdf, write_printed
from tests import report_reading as reading
from tests.cli_run import run

URL = "https://reports.example/42/"


@pytest.fixture(scope="module")
def summary(sample_lake):
    return read_summary(open_lake(sample_lake), None, None, Checks())


@pytest.fixture(scope="module")
def hostile_summary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    reading.write_hostile_inputs(folder / "inputs")
    build_lake([folder / "inputs"], folder / "lake")
    return read_summary(open_lake(folder / "lake"), None, None, Checks())


def test_markdown_has_the_verdicts_the_worst_findings_and_what_it_leaves_out(summary, sample_lake):
    text = markdown(summary, URL)
    counts = open_lake(sample_lake).query("select verdict, count(*) as n from access_matrix group by verdict")
    for row in counts.to_pylist():
        assert f"[{row['n']:,}](https://reports.example/42/matrix.html#verdict={row['verdict']})" in text
    shown = re.findall(r"^\| (critical|high|medium|low) \| \[?`", text, re.MULTILINE)
    total = sum(finding.open_count for finding in summary.findings)
    assert shown[0] == summary.findings[0].severity
    assert f"{total - len(shown):,} more findings are left out here" in text
    assert summary.snapshot_id in text


def test_markdown_says_once_what_to_write_instead(summary):
    lines = [line for line in markdown(summary).split("\n") if re.match(r"\| (critical|high|medium|low) \| `", line)]
    remedies = [line.split(" | ")[-1] for line in lines]
    told = [remedy for remedy in remedies if remedy != "as above |"]
    assert len(told) == len(set(told)) < len(remedies)
    assert remedies[0] in told


def test_markdown_has_a_difference_for_each_verdict(summary):
    """Where one access more is allowed, one more of none is gone; what is the same is 0."""
    counts = dict(summary.totals)
    changes = {"allowed": 1, "conditional": 0, "denied": 0, "blocked": 0, "none": -1}
    before, now = Snapshot("b", "2026-09-01", counts, False), Snapshot("a", "2026-09-20", counts, True, changes)
    text = markdown(summary._replace(history=History((before, now), 0)))
    assert "| since 2026-09-01 | +1 | 0 | 0 | 0 | -1 |" in text


def test_markdown_is_short_whatever_there_is_to_say(summary):
    long = "x" * 5000
    findings = tuple(
        one._replace(name=f"{one.name}-{n}", title=long, remedy=long) for n in range(40) for one in summary.findings
    )
    text = markdown(summary._replace(findings=findings, gaps=(long,) * 200), URL)
    assert len(text) < 60_000
    assert "left out" in text


def test_hostile_names_make_no_markup_links_or_mentions_in_markdown(hostile_summary):
    evil = "@octocat <img src=x> [a](javascript:x) `b` https://evil.example #1"
    text = markdown(hostile_summary._replace(gaps=(evil,)))
    outside = re.sub(r"(`+).+?\1", "", text).replace("<details><summary>", "").replace("</summary>", "")
    outside = outside.replace("</details>", "")
    assert not re.search(r"(?<!\\)<", outside)
    assert not re.search(r"@\w|(?<!\\)\]\(|://|(?<![\\#])#\d", outside)


def test_the_document_on_paper_stands_on_its_own(summary, tmp_path):
    page = reading.Page(write_printed(summary, tmp_path))
    conditions = page.text.partition("those that most principals depend on first.")[2]
    assert "only with MFA" in conditions
    assert "service-linked role is robomaker.amazonaws.com" not in conditions
    text = " ".join(page.text.split())
    for words in (summary.snapshot_id, "Contents", "Overview", "Findings", "Matrix in numbers", "Conditions",
                  "Provenance", "What is missing", *(finding.title for finding in summary.findings)):  # fmt: skip
        assert words in text
    assert all(source["sha256"] in text for source in summary.manifest["inputs"])
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for tag, attributes in page.elements:
        assert tag not in ("script", "img", "iframe")
        if tag == "a":
            assert str(attributes["href"]).removeprefix("#") in ids
    people = [account.principals for account in summary.accounts if account.account_id]
    documents = sum(account.principals for account in summary.accounts if not account.account_id)
    assert f"{sum(people)} users and roles in {len(people)} accounts, {documents} loose documents, " in text


def test_pictures_have_their_colours_without_the_style_and_corrected_statements_a_row_of_their_own(summary, tmp_path):
    """WeasyPrint applies no style of the page within pictures; and a statement in a narrow column is pages long."""
    path = write_printed(summary, tmp_path)
    parts = [attributes for tag, attributes in reading.Page(path).elements if tag == "rect"]
    assert {one["class"] for one in parts} >= {"f-allowed", "f-conditional", "f-none"}
    assert all(re.fullmatch("#[0-9a-f]{3,6}", one.get("fill") or "") for one in parts)
    cells = re.findall(r"<td[^>]*>(?:<span[^>]*>[^<]*</span>)?<pre", path.read_text(encoding="utf-8"))
    assert cells
    assert all("colspan=" in cell for cell in cells)


def test_the_document_has_each_statement_to_add_once_and_calls_it_by_its_number(summary, tmp_path):
    page = write_printed(summary, tmp_path).read_text(encoding="utf-8")
    added = {
        one.title: [cell.text for row in one.table.rows for cell in row if cell.kind in ("added", "difference")]
        for one in summary.findings
    }
    # A finding of which some rows share a statement, and others have another.
    title, texts = next((title, texts) for title, texts in added.items() if len(texts) > len(set(texts)) > 1)
    (section,) = re.findall(rf'<section aria-label="{escape(title)}">.*?</section>', page, re.DOTALL)
    distinct = list(dict.fromkeys(texts))
    assert section.count("<pre") == len(distinct)
    told = [int(number) for number in re.findall(r"<td[^>]*>(?:statement to add:|correction) (\d+)", section)]
    assert told == [distinct.index(text) + 1 for text in texts]
    assert "no older than 2026-09-18 to 2026-09-20" in page


def test_paper_has_what_a_correction_changes_and_counts_the_lines_that_it_leaves_out():
    """One statement of ReadOnlyAccess is a dozen sheets, on which three lines change."""
    same = [f" {number}" for number in range(2000)]
    assert shortened("\n".join(same[:MOST_LINES])).split("\n") == same[:MOST_LINES]
    text = "\n".join([*same[:900], "-old", "+new", *same[900:]])
    assert shortened(text).split("\n") == [
        " … 898 lines stay as they are", " 898", " 899", "-old", "+new", " 900", " 901",
        " … 1,098 lines stay as they are",
    ]  # fmt: skip
    added = shortened("\n".join(f"+{number}" for number in range(100))).split("\n")
    assert added[MOST_LINES - 1 :] == [f"+{MOST_LINES - 1}", f" … {100 - MOST_LINES} lines more, in the HTML report"]


def test_weasyprint_prints_what_a_browser_would(hostile_summary, tmp_path, monkeypatch):
    pytest.importorskip("weasyprint")
    monkeypatch.setattr("pipeline.report.printed.BROWSERS", ())
    monkeypatch.delenv("POLICYLAKE_BROWSER", raising=False)
    write_pdf(hostile_summary, tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF-")


def test_hostile_names_are_text_on_paper(hostile_summary, tmp_path):
    page = reading.Page(write_printed(hostile_summary, tmp_path))
    assert not {tag for tag, _ in page.elements} & {"script", "img", "iframe"}
    assert "broken <b>.json" in page.text


def test_a_part_on_paper_says_so_and_counts_its_own(sample_lake, tmp_path):
    lake = open_lake(sample_lake)
    part = part_of(lake, ("ml-dev",), (), ("iam:PassRole",))
    small = read_summary(lake, None, part, Checks())
    rows = lake.query(
        "select count(*) n from access_matrix where account_id = '333344445555' and action = 'iam:PassRole'"
        " and verdict = 'allowed'"
    )
    assert small.totals["allowed"] == rows["n"][0].as_py()
    assert "account ml-dev (333344445555)" in reading.Page(write_printed(small, tmp_path)).text
    assert "account `ml-dev (333344445555)`" in markdown(small)


def test_a_dash_is_standard_output_for_markdown_alone(sample_lake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ("--lake", str(sample_lake), "--out", "-")
    assert run(monkeypatch, "report", *options, "--format", "md").text.startswith("## Who can do what")
    for name in ("html", "pdf"):
        done = run(monkeypatch, "report", *options, "--format", name)
        assert done.code == 2
        assert "--out -: standard output takes Markdown alone" in done.err
    assert run(monkeypatch, "who-can", "sagemaker:CreateEndpoint", *options, "--format", "csv").text.startswith(
        "principal_arn"
    )
    assert list(tmp_path.iterdir()) == []


def test_paper_has_all_critical_and_high_findings_of_the_sample(summary, tmp_path):
    for finding in summary.findings:
        if finding.severity in ("critical", "high"):
            assert len(finding.table.rows) == finding.table.count
    text = " ".join(reading.Page(write_printed(summary, tmp_path)).text.split())
    assert text.count("Rejects") == 2, "in the contents and as a heading"


@in_browser
def test_the_command_prints_a_pdf_with_a_browser(sample_lake, tmp_path, monkeypatch):
    out = tmp_path / "report.pdf"
    options = ("--lake", str(sample_lake), "--format", "pdf", "--out", str(out), "--principal", "hana")
    done = run(monkeypatch, "report", *options)
    assert done.code == 0, done.err
    assert out.read_bytes().startswith(b"%PDF-")
    assert b"/Outlines" in out.read_bytes()  # its headings, as bookmarks
    assert done.text.strip() == str(out)


@in_browser
def test_nothing_on_paper_is_wider_than_the_sheet(summary, tmp_path):
    """A browser shrinks the whole document to its widest part, and every letter with it."""
    sheet = {"width": 688, "height": 1000}  # A4 without its margins, at 96 dots an inch
    with started() as browser:
        page = browser.new_page(viewport=sheet)
        page.emulate_media(media="print")
        page.goto(write_printed(summary, tmp_path).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == sheet["width"]


@in_browser
def test_on_paper_a_correction_goes_on_on_the_next_sheet_and_what_is_short_does_not(summary, tmp_path):
    path = write_printed(summary, tmp_path)
    with started() as browser:
        page = browser.new_page()
        page.goto(path.as_uri())
        page.emulate_media(media="print")
        whole = {
            place: page.locator(place).evaluate_all(
                "all => [...new Set(all.map(one => getComputedStyle(one).breakInside))]"
            )
            for place in ("tr:has(pre)", "tr:not(:has(pre))", "section[aria-label] > p:not(.minor)")
        }
    assert list(whole.values()) == [["auto"], ["avoid"], ["avoid"]]


def test_without_a_browser_and_weasyprint_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("pipeline.report.printed.BROWSERS", ())
    monkeypatch.setattr("pipeline.report.printed.LIBRARY", "no_such_library")
    monkeypatch.delenv("POLICYLAKE_BROWSER", raising=False)
    with pytest.raises(PolicylakeError, match=r"install Chromium or Chrome .* pip install 'policylake\[pdf\]'"):
        printer()
    monkeypatch.setenv("POLICYLAKE_BROWSER", str(tmp_path / "nothing"))
    with pytest.raises(PolicylakeError, match="no such program"):
        find_browser()


def test_a_browser_that_fails_is_told_with_its_last_words(summary, tmp_path, monkeypatch):
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\necho no display >&2\nexit 3\n")
    browser.chmod(0o755)
    monkeypatch.setenv("POLICYLAKE_BROWSER", str(browser))
    with pytest.raises(PolicylakeError, match="no display; name another browser"):
        printer()(write_printed(summary, tmp_path), tmp_path / "out.pdf")


def test_markdown_goes_to_standard_output_and_an_address_is_checked(sample_lake, monkeypatch):
    done = run(monkeypatch, "report", "--lake", str(sample_lake), "--format", "md", "--principal", "hana", "--url", URL)
    assert done.code == 0, done.err
    assert done.text.startswith("## Who can do what with SageMaker")
    assert URL in done.text
    assert run(monkeypatch, "report", "--lake", str(sample_lake), "--format", "md", "--url", "javascript:1").code == 2


@pytest.mark.parametrize(("text", "count"), [("{}", 0), ('{"UserDetailList": [', 1)], ids=["nothing", "rejected"])
def test_where_nobody_was_read_every_answer_says_so_and_no_heading_stands_over_nothing(
    text, count, tmp_path, monkeypatch
):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "111122223333.json").write_text(text)
    build_lake([tmp_path / "in"], tmp_path / "lake")
    lake = open_lake(tmp_path / "lake")
    empty = read_summary(lake, None, None, Checks())
    page = write_report(lake, tmp_path / "out").read_text(encoding="utf-8")
    for written in (page, write_printed(empty, tmp_path).read_text(encoding="utf-8"), markdown(empty)):
        assert "none was read, so nothing is said of anybody" in written
        assert "The actions that open most" not in written
        assert "nothing looks wrong" not in written
    assert re.search(r"^#.*\n+(#|Made by|\Z)", markdown(empty), re.M) is None
    told = run(monkeypatch, "who-can", "sagemaker:CreateModel", "--lake", str(tmp_path / "lake")).err
    assert "nobody is known, for no user, role or policy document was read" in told
    assert (f"rejected: {count}; see: policylake query rejects_by_file" in told) == bool(count)
