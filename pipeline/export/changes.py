"""What is different from the export before: findings by their ids, cells by verdict, input files by their hashes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.controls import OF_EXCEPTIONS
from pipeline.errors import PolicylakeError
from pipeline.export.publish import MANIFEST
from pipeline.export.records import NOT_CHECKED, Changes, Finding, Input, not_run

PREVIOUS = "findings.parquet"
#: What the manifest calls the content of a file of which nothing could be read.
UNRECOGNISED = "unrecognised"


def compared(
    findings: Sequence[Finding], verdicts: Mapping[str, int], inputs: Sequence[Input], previous: Path | None, today: str
) -> tuple[tuple[Finding, ...], Changes]:
    """Return the findings with the day that each was first seen, and what changed since the export in ``previous``.

    What a control found then that did not run now, or in a file that could not be read now, is neither gone nor open:
    it stays as it was, not checked.
    Raises PolicylakeError where that export cannot be read.
    """
    before, manifest = _read(previous)
    dated = tuple(_dated(finding, before.get(finding.finding_id), today) for finding in findings)
    ids = {finding.finding_id for finding in findings}
    unknown = not_run(findings)
    unread = {source.path for source in inputs if source.content == UNRECOGNISED}
    left = [finding for finding in before.values() if finding.finding_id not in ids]
    kept = [finding for finding in left if _control_of(finding) in unknown or finding.file in unread]
    names = {finding.finding_id for finding in kept}
    gone = tuple(finding for finding in left if finding.finding_id not in names)
    told = manifest.get("verdicts", {})
    changes = Changes(
        previous.name if previous else None,
        tuple(finding for finding in dated if finding.is_new),
        gone,
        sum(not finding.is_accepted and not finding.is_new for finding in dated),
        {name: (verdicts.get(name, 0), told.get(name, 0) if previous else None) for name in sorted({*verdicts, *told})},
        _inputs(inputs, manifest.get("inputs", ())) if previous else {},
    )
    return (*dated, *(finding._replace(status=NOT_CHECKED, is_new=False) for finding in kept)), changes


def _control_of(finding: Finding) -> str:
    """Return the control that has to run for a finding to be found again; of an exception it is the one it names."""
    return finding.subject.partition(": ")[0] if finding.control_id in OF_EXCEPTIONS else finding.control_id


def _dated(finding: Finding, before: Finding | None, today: str) -> Finding:
    return finding._replace(first_seen=before.first_seen if before else today, is_new=before is None)


def _read(previous: Path | None) -> tuple[dict[str, Finding], dict[str, Any]]:
    if previous is None:
        return {}, {}
    try:
        rows = pq.read_table(previous / PREVIOUS).to_pylist()
        manifest = json.loads((previous / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PolicylakeError(f"{previous}: the export before cannot be read ({error}); move it elsewhere") from error
    known = set(Finding._fields)
    kept = [Finding(**{name: value for name, value in row.items() if name in known}) for row in rows]
    return {finding.finding_id: finding for finding in kept}, manifest


def _inputs(now: Sequence[Input], before: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    new = {source.path: source.sha256 for source in now}
    old = {str(source["path"]): source["sha256"] for source in before}
    return {
        "added": tuple(sorted(new.keys() - old.keys())),
        "removed": tuple(sorted(old.keys() - new.keys())),
        "changed": tuple(sorted(path for path in new.keys() & old.keys() if new[path] != old[path])),
    }
