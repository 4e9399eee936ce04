"""The report as Markdown and as PDF: short or complete, safe for where it goes, honest about what it leaves out."""

import re
import shutil

import pytest

from pipeline.build import build_lake
from pipeline.errors import PolicylakeError
from pipeline.lake import open_lake
from pipeline.report import Checks, markdown, part_of, read_summary, write_report
from pipeline.report.printed import find_browser, printer, write_pdf, write_printed
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
    assert f"{sum(account.principals for account in summary.accounts):,} users, roles and loose documents" in text


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
    (section,) = re.findall(r'<section aria-label="Presigned URLs for other .*?</section>', page, re.DOTALL)
    (finding,) = [one for one in summary.findings if one.name == "presigned-url-for-others"]
    texts = [cell.text for row in finding.table.rows for cell in row if cell.kind == "added"]
    distinct = list(dict.fromkeys(texts))
    assert len(texts) > len(distinct) > 1
    assert section.count("<pre") == len(distinct)
    told = [int(number) for number in re.findall(r'<td class="word">statement to add: (\d+)', section)]
    assert told == [distinct.index(text) + 1 for text in texts]
    assert "no older than 2026-09-18 to 2026-09-20" in page


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


@pytest.mark.browser
@pytest.mark.skipif(not any(map(shutil.which, ("chromium", "google-chrome"))), reason="no Chromium on this machine")
def test_the_command_prints_a_pdf_with_a_browser(sample_lake, tmp_path, monkeypatch):
    out = tmp_path / "report.pdf"
    options = ("--lake", str(sample_lake), "--format", "pdf", "--out", str(out), "--principal", "hana")
    done = run(monkeypatch, "report", *options)
    assert done.code == 0, done.err
    assert out.read_bytes().startswith(b"%PDF-")
    assert done.text.strip() == str(out)


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
