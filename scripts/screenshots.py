"""Takes pictures of the main pages of the sample's report for README and docs, with Chromium: make screenshots.

With --review FOLDER it takes every kind of page in light, dark and on a phone, and prints it, to be looked at.
"""

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pipeline.build import build_lake
from pipeline.lake import open_lake
from pipeline.report import write_report
from pipeline.report.printed import find_browser

SAMPLE = Path("samples/organization")
#: What was otherwise in the snapshot before, for the page of changes: file, text, text before.
EARLIER = (
    ("accounts/333344445555.json", '"sagemaker:CreateEndpoint"', '"sagemaker:DescribeEndpoint"'),
    ("accounts/333344445555.json", "192.0.2.0/24", "203.0.113.0/24"),
)

SIZE = {"width": 1200, "height": 760}
PHONE = {"width": 390, "height": 800}
ANA = "arn:aws:iam::333344445555:user/ana"
NOTEBOOK = "arn:aws:sagemaker:us-east-1:333344445555:notebook-instance/nlp-01"
STOP = "sagemaker:StopNotebookInstance"
POLICY = "a6fdd11645c95d5c2911b6c7"
#: Picture, page, and what to wait for.
MAIN = (
    ("report", "index.html", "h1"),
    ("report-matrix", "matrix.html#account=333344445555", "#grid[aria-busy=false]"),
    ("report-principal", f"principal.html#{ANA}&action={STOP}", "article"),
    ("report-findings", "findings.html", "section"),
    ("report-changes", "changes.html", "#changes td"),
)
OTHERS = (
    ("actions", "actions.html", "h1"),
    ("action", "actions/sagemaker-CreateEndpoint.html", "h1"),
    ("account", "accounts/333344445555.html", "h1"),
    ("conditions", "conditions.html", "h1"),
    ("condition", "condition.html#40214b0b08bd2e11", "h1"),
    ("inventory", f"inventory.html#account=333344445555&principal={ANA}&action={STOP}", "#answers td"),
    ("resource", f"resource.html#{NOTEBOOK}", "#resource details"),
    ("matrix-scenario", "matrix.html#account=333344445555&scenario=office-network", "#grid[aria-busy=false]"),
    ("matrix-what-if", "matrix.html#account=333344445555&if=aws:SourceIp=192.0.2.7", "#grid[aria-busy=false]"),
    ("policy", f"policy.html#{POLICY}", "#policy section, #policy article, #policy .statement"),
    ("rejects", "rejects.html", "h1"),
    ("provenance", "provenance.html", "h1"),
)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--review", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="screenshots-") as made:
        lake = _lake(Path(made))
        report = write_report(open_lake(lake), Path(made) / "out").parent
        _take_all(lake, report.as_uri(), given.out, given.review)


def _lake(folder: Path) -> Path:
    """Build a lake of the sample with a snapshot before it. Paths are those that a person at the checkout has."""
    before = folder / "before" / SAMPLE
    shutil.copytree(SAMPLE, before)
    for name, text, former in EARLIER:
        file = before / name
        file.write_text(file.read_text(encoding="utf-8").replace(text, former), encoding="utf-8")
    with contextlib.chdir(folder / "before"):
        build_lake([SAMPLE], folder / "lake")
    build_lake([SAMPLE], folder / "lake")
    return folder / "lake"


@contextlib.contextmanager
def _served(lake: Path) -> Iterator[str]:
    """Serve the lake; yield the address."""
    command = [Path(sys.executable).with_name("policylake"), "serve", "--lake", lake, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield str(server.stdout.readline()).strip().rstrip("/") if server.stdout else ""
        finally:
            server.terminate()


def _take_all(lake: Path, site: str, out: Path, review: Path | None) -> None:
    browser = find_browser()
    if browser is None:
        sys.exit("screenshots: no Chromium here; install it, on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        if review:
            review.mkdir(parents=True, exist_ok=True)
            pages = {f"-{scheme}": started.new_page(viewport=SIZE, color_scheme=scheme) for scheme in ("light", "dark")}
            pages["-phone"] = started.new_page(viewport=PHONE)
            with _served(lake) as address:
                for mark, page in pages.items():
                    _take(page, site, (*MAIN, *OTHERS), review, mark, whole=True)
                    _take(page, address, (("sql", "sql.html", "h1"),), review, mark, whole=True)
        else:
            _take(started.new_page(viewport=SIZE, color_scheme="light"), site, MAIN, out, "", whole=False)
        started.close()


def _take(
    page: Page, site: str, listed: tuple[tuple[str, str, str], ...], out: Path, mark: str, *, whole: bool
) -> None:
    for name, place, sign in listed:
        page.goto("about:blank")
        page.goto(f"{site}/{place}")
        page.locator(sign).first.wait_for()
        page.wait_for_timeout(300)
        clip = None
        if whole:
            if mark == "-light":
                page.pdf(path=out / f"{name}.pdf", prefer_css_page_size=True)
            height = min(page.evaluate("document.documentElement.scrollHeight"), 2600)
            clip = {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": height}
        page.screenshot(path=out / f"{name}{mark}.png", full_page=whole, clip=clip)


if __name__ == "__main__":
    main()
