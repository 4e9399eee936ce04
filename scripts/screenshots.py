"""Takes pictures of the main pages of a report for README and docs, with the installed Chromium: make screenshots.

With --review FOLDER it takes every kind of page in light, dark, print and on a phone, to be looked at.
"""

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SIZE = {"width": 1200, "height": 760}
PHONE = {"width": 390, "height": 800}
#: A4 without its margins, at 96 dots an inch.
PRINTED = {"width": 720, "height": 1020}
ANA = "arn:aws:iam::333344445555:user/ana"
NOTEBOOK = "arn:aws:sagemaker:us-east-1:333344445555:notebook-instance/nlp-01"
STOP = "sagemaker:StopNotebookInstance"
#: Picture, page, and what to wait for.
MAIN = (
    ("report", "index.html", "h1"),
    ("report-matrix", "matrix.html#account=333344445555", "#grid[aria-busy=false]"),
    ("report-principal", f"principal.html#{ANA}&action={STOP}", "article"),
    ("report-findings", "findings.html", "section"),
)
OTHERS = (
    ("actions", "actions.html", "h1"),
    ("action", "actions/sagemaker-CreateEndpoint.html", "h1"),
    ("account", "accounts/333344445555.html", "h1"),
    ("conditions", "conditions.html", "h1"),
    ("condition", "condition.html#40214b0b08bd2e11", "h1"),
    ("inventory", f"inventory.html#account=333344445555&principal={ANA}&action={STOP}", "#answers td"),
    ("resource", f"resource.html#{NOTEBOOK}", "#resource details"),
    ("rejects", "rejects.html", "h1"),
    ("provenance", "provenance.html", "h1"),
)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="folder of a report")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--review", type=Path)
    given = parser.parse_args()
    browser = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("screenshots: no Chromium here; install it, on Debian: apt-get install chromium")
    site = given.report.resolve().as_uri()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        if given.review:
            given.review.mkdir(parents=True, exist_ok=True)
            for scheme in ("light", "dark"):
                page = started.new_page(viewport=SIZE, color_scheme=scheme)
                _take(page, site, (*MAIN, *OTHERS), given.review, f"-{scheme}", whole=True)
            printed = started.new_page(viewport=PRINTED)
            printed.emulate_media(media="print")
            _take(printed, site, (*MAIN, *OTHERS), given.review, "-print", whole=True)
            _take(started.new_page(viewport=PHONE), site, (*MAIN, *OTHERS), given.review, "-phone", whole=True)
        else:
            _take(started.new_page(viewport=SIZE, color_scheme="light"), site, MAIN, given.out, "", whole=False)
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
            height = min(page.evaluate("document.documentElement.scrollHeight"), 2600)
            clip = {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": height}
        page.screenshot(path=out / f"{name}{mark}.png", full_page=whole, clip=clip)


if __name__ == "__main__":
    main()
