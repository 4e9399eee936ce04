"""Makes an export: the tables, the findings in every format asked for, the summary and the manifest, then publishes it.

The same lake, findings and day give the same bytes, and no second folder. The clock is the caller's.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline import __version__, assets
from pipeline.controls import FINDINGS, Control
from pipeline.errors import FAILED, SOME_REJECTED, UNREADABLE, PolicylakeError
from pipeline.export import publish
from pipeline.export.asff import write_asff
from pipeline.export.changes import compared
from pipeline.export.junit import write_junit
from pipeline.export.markdown import rank, write_markdown
from pipeline.export.ocsf import write_ocsf
from pipeline.export.places import inputs_of, placed
from pipeline.export.records import (
    ACCEPTED,
    NOT_CHECKED,
    Changes,
    Contents,
    Finding,
    cards_of,
    counts_by_severity,
    findings_of,
    not_run,
    table_of,
)
from pipeline.export.sarif import write_sarif
from pipeline.export.summary import not_run_told, write_summary
from pipeline.export.tables import WRITERS, write_tables
from pipeline.export.workbook import write_workbook
from pipeline.lake import Lake
from pipeline.progress import Progress, Step, silent

#: Writers of findings by format, each with the name of its file.
FINDING_FILES: dict[str, tuple[str, Callable[[Contents, Path], None]]] = {
    "sarif": ("findings.sarif", write_sarif),
    "ocsf": ("findings.ocsf.jsonl", write_ocsf),
    "junit": ("findings.junit.xml", write_junit),
    "md": ("findings.md", write_markdown),
}
XLSX, ASFF, HTML, PDF = "xlsx", "asff", "html", "pdf"
#: What is written unless formats are named.
USUAL = (*WRITERS, XLSX, *FINDING_FILES, ASFF, HTML)
#: Names that ``--format`` takes. A PDF needs a printer, so it is to be asked for.
FORMATS = (*USUAL, PDF)
WORKBOOK, ASFF_FOLDER, REPORT_FOLDER, DOCUMENT = "findings.xlsx", "asff", "report", "report.pdf"
DEFAULT_REGION = "us-east-1"
#: Raise it where the files get another meaning under the same names.
FORMAT_NUMBER = 1
#: What is told of an export that is compared with nothing.
NOTHING = Changes(None, (), (), 0, {}, {})


class Options(NamedTuple):
    """What an export is to hold. ``keep`` exports stay, None is all; ``fail_on`` is a severity or None.

    ``region`` is that of the Security Hub that is to import the findings.
    """

    formats: tuple[str, ...]
    today: date
    keep: int | None = None
    fail_on: str | None = None
    region: str = DEFAULT_REGION


class Exported(NamedTuple):
    """An export: its folder, whether it is new or was there, its exit status, and how its findings changed."""

    folder: Path
    is_fresh: bool
    status: int
    changes: Changes
    left_out: tuple[str, ...]
    removed: tuple[str, ...]


def contents_of(
    lake: Lake, findings: pa.Table, controls: Sequence[Control], today: date, region: str = DEFAULT_REGION
) -> Contents:
    """Return findings with their places in the inputs, ready for a writer; compared with nothing."""
    found = placed(lake, findings_of(findings))
    return Contents(today, __version__, lake.snapshot_id, lake.manifest, found, cards_of(controls),
                    inputs_of(lake.manifest), NOTHING, region, not_run(found))  # fmt: skip


def write_export(
    lake: Lake,
    findings: pa.Table,
    controls: Sequence[Control],
    to: Path,
    options: Options,
    *,
    report: Callable[[Path], object] | None = None,
    document: Callable[[Path], object] | None = None,
    progress: Progress = silent,
) -> Exported:
    """Write an export of the lake's current snapshot into a dated folder of ``to``; the caller holds its lock.

    ``report`` writes the HTML report into a folder, ``document`` prints it into a file. Raises PolicylakeError where
    something cannot be read or written; the former exports are as they were.
    """
    status = exit_status(findings_of(findings), lake.manifest, options.fail_on)
    job = _Job(lake, findings, tuple(controls), options, status, report, document, progress)
    key = _key(job)
    try:
        folder = publish.equal_export(to, options.today, key)
        done = _new(job, to, key) if folder is None else Exported(folder, False, status, NOTHING, (), ())
        publish.point(to)
        return done._replace(removed=tuple(publish.prune(to, options.keep, done.folder)))
    except OSError as error:
        what = f"{error.filename or to}: {error.strerror or error}"
        raise PolicylakeError(f"{what}; make room or check its rights, the former exports are as they were") from error


class _Job(NamedTuple):
    """What an export is made from, and how."""

    lake: Lake
    findings: pa.Table
    controls: tuple[Control, ...]
    options: Options
    status: int
    report: Callable[[Path], object] | None
    document: Callable[[Path], object] | None
    progress: Progress


def exit_status(findings: Sequence[Finding], manifest: Mapping[str, Any], fail_on: str | None) -> int:
    """Return 2 where a control did not run, 1 where an open finding is at least as bad as ``fail_on``, 3 where inputs
    were rejected, else 0."""
    if not_run(findings):
        return UNREADABLE
    if fail_on and any(not f.is_accepted and rank(f.severity) <= rank(fail_on) for f in findings):
        return FAILED
    return SOME_REJECTED if manifest.get("rejects", {}).get("error") else 0


def _key(job: _Job) -> str:
    """Return the hash of everything that an export is made from, but for the export before."""
    names = [name for name in FINDINGS.names if name in job.findings.column_names]
    whole = [FORMAT_NUMBER, __version__, job.lake.snapshot_id, job.options.today.isoformat(),
             sorted(job.options.formats), job.options.region, job.status, [_told(card) for card in job.controls],
             ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode())
    for row in job.findings.select(names).to_pylist():
        digest.update(json.dumps(row, sort_keys=True).encode())
    return digest.hexdigest()


def _told(card: Control) -> list[object]:
    frameworks = {name: list(requirements) for name, requirements in card.frameworks.items()}
    return [card.id, card.title, card.severity, card.category, card.rationale, card.remedy, frameworks]


def _new(job: _Job, to: Path, key: str) -> Exported:
    """Write an export and publish it."""
    before = publish.export_before(to, job.options.today, key)
    with publish.new_folder(to) as fresh:
        contents, left_out = _write(job, fresh, before, key)
        job.progress(Step("publishing"))
        folder = publish.publish(fresh, to, job.options.today, key)
    return Exported(folder, True, job.status, contents.changes, tuple(left_out), ())


def _write(job: _Job, folder: Path, before: Path | None, key: str) -> tuple[Contents, Sequence[str]]:
    lake, options = job.lake, job.options
    job.progress(Step("places of findings"))
    contents = contents_of(lake, job.findings, job.controls, options.today, options.region)
    verdicts = _verdicts(lake)
    dated, changes = compared(contents.findings, verdicts, contents.inputs, before, options.today.isoformat())
    contents = contents._replace(findings=dated, changes=changes)
    written = write_tables(lake, table_of(dated), folder, options.formats, job.progress)
    left_out = [*written.left_out, *_write_findings(contents, lake, folder, options.formats, job.progress)]
    if HTML in options.formats and job.report:
        job.progress(Step("report"))
        job.report(folder / REPORT_FOLDER)
    if PDF in options.formats and job.document:
        job.progress(Step("report as pdf"))
        job.document(folder / DOCUMENT)
    job.progress(Step("summary"))
    write_summary(contents, folder, job.status, left_out)
    told = _manifest(contents, options, written.rows, left_out)
    publish.write_manifest(folder, {**told, "exit_status": job.status, "key": key})
    return contents, left_out


def _write_findings(
    contents: Contents, lake: Lake, folder: Path, formats: Sequence[str], progress: Progress
) -> Sequence[str]:
    """Write the findings in the formats asked for; return in words what some could not hold."""
    left_out: list[str] = []
    for name, (file, write) in FINDING_FILES.items():
        if name in formats:
            progress(Step(f"findings as {name}"))
            write(contents, folder / file)
    if XLSX in formats:
        progress(Step("findings as xlsx"))
        left_out += write_workbook(contents, lake, folder / WORKBOOK)
    if ASFF in formats:
        progress(Step("findings as asff"))
        without = write_asff(contents, folder / ASFF_FOLDER)
        if without:
            left_out.append(f"asff: {without:,} findings of no account, which Security Hub cannot hold")
    return left_out


def _verdicts(lake: Lake) -> dict[str, int]:
    rows = lake.query(assets.text("sql", "export/verdict_counts.sql")).to_pylist()
    return {row["verdict"]: row["cell_count"] for row in rows}


def _manifest(contents: Contents, options: Options, rows: Mapping[str, int], left_out: Sequence[str]) -> dict[str, Any]:
    """Return what the manifest tells besides its key, the exit status and the hashes of the outputs."""
    return {
        "format": FORMAT_NUMBER,
        "date": contents.today.isoformat(),
        "snapshot": contents.snapshot_id,
        "previous": contents.changes.previous,
        "formats": sorted(options.formats),
        "versions": {
            "policylake": contents.version,
            "lake": contents.manifest.get("policylake_version"),
            "service_reference": contents.manifest.get("reference"),
        },
        "services": contents.manifest.get("services"),
        "inputs": [source._asdict() for source in contents.inputs],
        "rejects": contents.manifest.get("rejects"),
        "controls": [control.id for control in contents.controls if contents.has_run(control.id)],
        "not_run": not_run_told(contents),
        "findings": {
            "open": counts_by_severity(contents.open_findings),
            "accepted": len(contents.of_status(ACCEPTED)),
            "not_checked": len(contents.of_status(NOT_CHECKED)),
        },
        "verdicts": {verdict: now for verdict, (now, _) in contents.changes.verdicts.items()},
        "rows": dict(rows),
        "left_out": list(left_out),
    }
