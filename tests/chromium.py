"""A headless Chromium for the tests of pages; they are skipped where none is installed, or Playwright is not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.report.printed import find_browser

BROWSER = find_browser()
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: apt-get install chromium"),
]


def in_browser(test: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a test that needs a browser."""
    for mark in MARKS:
        test = mark(test)
    return test


@contextmanager
def started() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=list(ARGUMENTS))
        yield browser
        browser.close()
