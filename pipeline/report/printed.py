"""The report on paper: one document that stands on its own, printed to PDF by a browser or by WeasyPrint."""

import importlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from pipeline import assets
from pipeline.errors import PolicylakeError
from pipeline.report.answers import MOST_TOLD
from pipeline.report.conditions import most_used
from pipeline.report.findings import Finding, by_severity
from pipeline.report.pages import Pages
from pipeline.report.provenance import ASSUMPTIONS, BLIND_SPOTS, days_of, told, versions_of
from pipeline.report.summary import Summary

VARIABLE = "POLICYLAKE_BROWSER"
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
ARGUMENTS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--no-pdf-header-footer", "--generate-pdf-document-outline",
)  # fmt: skip
LIBRARY = "weasyprint"
#: Entries of a PDF that hold a time.
PRINTED_AT = re.compile(rb"/(?:Creation|Mod)Date \(D:[^()\\]{4,40}\)")
#: Seconds that a browser may take.
PATIENCE = 300
#: Kinds of cells that are statements, line by line.
LINED = ("difference", "added")
MOST_CONDITIONS = 100
MOST_ACCOUNTS = 250
MOST_CHANGES = 100
MOST_INPUTS = 600
#: Lines of a statement, and those around a changed one that are left where there are more.
MOST_LINES = 40
AROUND = 2
NEITHER = (
    f"--format pdf: neither a browser nor WeasyPrint is here; install Chromium or Chrome (or name one with {VARIABLE}),"
    " or run: pip install 'policylake[pdf]'"
)


def write_pdf(summary: Summary, out: Path) -> None:
    """Print the report into the file ``out``. The same report and printer give the same bytes.

    Raises PolicylakeError where nothing can print here, where printing fails, and where ``out`` cannot be written.
    """
    way = printer()
    with tempfile.TemporaryDirectory(prefix="policylake-pdf-") as made:
        folder = Path(made)
        page = write_printed(summary, folder)
        way(page, folder / "report.pdf")
        _forget_when(folder / "report.pdf")
        try:
            shutil.copyfile(folder / "report.pdf", out)
        except OSError as error:
            raise PolicylakeError(f"{out}: {error.strerror}; give --out a file that can be written") from error


def _forget_when(file: Path) -> None:
    """Take out the times at which a browser printed; blanks in their place leave every offset as it is."""
    file.write_bytes(PRINTED_AT.sub(lambda found: b" " * len(found[0]), file.read_bytes()))


def write_printed(summary: Summary, folder: Path) -> Path:
    """Write the document as one page of HTML into a folder and return its file."""
    (folder / "report.css").write_text(assets.text("reports", "report.css") + _foot(summary), encoding="utf-8")
    pages = Pages(folder, {
        "scenario": told(summary.scenario) if summary.scenario else None,
        "part": summary.part.words if summary.part else None,
        "is_cut": bool(summary.part and (summary.part.accounts or summary.part.principals)),
    })  # fmt: skip
    pairs = most_used(summary.book, summary.whose)
    inputs = summary.inputs
    return pages.write(
        "printed.html",
        "printed",
        s=summary,
        severities=by_severity(map(_on_paper, summary.findings)),
        conditions=pairs[:MOST_CONDITIONS],
        more_conditions=max(0, len(pairs) - MOST_CONDITIONS),
        changes=summary.changes,
        told=pages.piece("group", "told", None),
        most_told=MOST_TOLD,
        days=days_of(summary.book),
        changed=summary.changes.rows[:MOST_CHANGES] if summary.changes else (),
        accounts=summary.accounts[:MOST_ACCOUNTS],
        more_accounts=max(0, len(summary.accounts) - MOST_ACCOUNTS),
        versions=versions_of(summary.manifest, summary.snapshot_id),
        inputs=inputs[:MOST_INPUTS],
        more_inputs=max(0, len(inputs) - MOST_INPUTS),
        assumptions=ASSUMPTIONS,
        blind_spots=BLIND_SPOTS,
    )


def _foot(summary: Summary) -> str:
    """Return the style for the line below each sheet, which pages of the report get by their script."""
    return f':root {{ --sheet: "Who can do what with SageMaker, snapshot {summary.snapshot_id}"; }}\n'


def _on_paper(finding: Finding) -> Finding:
    rows = [[cell._replace(text=shortened(cell.text)) if cell.kind in LINED else cell for cell in row]
            for row in finding.table.rows]  # fmt: skip
    return finding._replace(table=replace(finding.table, rows=rows))


def shortened(text: str) -> str:
    """Return a correction without most lines that it leaves as they are, where it has more than MOST_LINES.

    A statement may name every action of AWS: on paper that is some dozen sheets on which nothing changes.
    """
    lines = text.split("\n")
    if len(lines) <= MOST_LINES:
        return text
    changed = {number for number, line in enumerate(lines) if line.startswith(("+", "-"))}
    near = {number + step for number in changed for step in range(-AROUND, AROUND + 1)}
    kept: list[str] = []
    for is_near, run in groupby(range(len(lines)), near.__contains__):
        numbers = list(run)
        kept += [lines[number] for number in numbers] if is_near else [f" … {len(numbers):,} lines stay as they are"]
    if len(kept) > MOST_LINES:
        kept[MOST_LINES:] = [f" … {len(kept) - MOST_LINES:,} lines more, in the HTML report"]
    return "\n".join(kept)


def printer() -> Callable[[Path, Path], None]:
    """Return what prints a page to PDF: a browser, else WeasyPrint. Raises PolicylakeError where neither is here."""
    browser = find_browser()
    if browser is not None:
        return lambda page, out: _by_browser(browser, page, out)
    try:
        library = importlib.import_module(LIBRARY)
    except (ImportError, OSError) as error:
        raise PolicylakeError(NEITHER) from error
    return lambda page, out: library.HTML(filename=str(page)).write_pdf(str(out))


def find_browser() -> str | None:
    """Return the browser that POLICYLAKE_BROWSER names, else the first that is installed; None where there is none.

    Raises PolicylakeError where the variable names none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise PolicylakeError(
                f"{VARIABLE}={named}: no such program; name a Chromium or Chrome, or unset the variable"
            )
        return found
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def _by_browser(browser: str, page: Path, out: Path) -> None:
    # A browser that root starts has no sandbox; it opens only a page that was just written, without scripts.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if is_root else []), f"--user-data-dir={out.parent / 'profile'}"]
    command = [browser, *arguments, f"--print-to-pdf={out}", page.as_uri()]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PolicylakeError(f"{browser}: {_reason(error)}; name another browser with {VARIABLE}") from error
    if done.returncode or not out.is_file():
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no PDF was made"]
        raise PolicylakeError(f"{browser}: {last[0]}; name another browser with {VARIABLE}")


def _reason(error: OSError | subprocess.TimeoutExpired) -> str:
    return f"no PDF after {PATIENCE} s" if isinstance(error, subprocess.TimeoutExpired) else str(error.strerror)
