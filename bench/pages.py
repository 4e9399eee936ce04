"""Measures how long pages of a report take in the installed Chromium, opened from disk until they can be used.

Prints JSON: what was done, and its seconds. Run by bench/run.py: python bench/pages.py REPORT PRINCIPAL, where
PRINCIPAL is the ARN of one whose page is opened.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

SIZE = {"width": 1200, "height": 800}
CELL = "#grid .cell"
READ_ALL = "#grid[aria-busy=false]"
#: Milliseconds after which a page counts as one that cannot be used.
LONGEST = 60_000
SCENARIO = "From the office network"


def measured(page: Page, report: Path, principal: str) -> dict[str, float]:
    """Open pages one after the other and return what each took, in seconds."""
    largest = max((report / "actions").iterdir(), key=lambda path: path.stat().st_size)
    took: dict[str, float] = {}

    def opened(what: str, place: str, sign: str) -> None:
        page.goto("about:blank")
        start = time.perf_counter()
        page.goto(f"{report.as_uri()}/{place}", wait_until="commit")
        page.locator(sign).first.wait_for()
        took[what] = time.perf_counter() - start

    opened("overview", "index.html", "footer, .bottom")
    opened("largest action page", f"actions/{largest.name}", "footer, .bottom")
    opened("a principal", f"principal.html#{quote(principal, safe=':/')}", "article, .group")
    opened("findings", "findings.html", "footer, .bottom")
    opened("matrix, first cells", "matrix.html", CELL)
    start = time.perf_counter()
    page.locator(READ_ALL).wait_for()
    took["matrix, all principals read"] = took["matrix, first cells"] + time.perf_counter() - start
    start = time.perf_counter()
    page.locator("select[name=scenario]").select_option(SCENARIO)
    page.get_by_text(f"Read again for requests: {SCENARIO}").wait_for()
    took["matrix, under a scenario"] = time.perf_counter() - start
    return took


def main() -> None:
    """Measure and print; an empty object where there is no Chromium."""
    report, principal = Path(sys.argv[1]).resolve(), sys.argv[2]
    browser = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        print("{}")
        return
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = started.new_page(viewport=SIZE)
        page.set_default_timeout(LONGEST)
        print(json.dumps(measured(page, report, principal)))
        started.close()


if __name__ == "__main__":
    main()
