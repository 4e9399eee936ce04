"""Gives findings the file and line of their statements, and files names without folders of this machine.

Lines are found by reading the inputs again, which holds only for the very bytes that were built from.
"""

import os
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline import assets
from pipeline.export.records import Finding, Input, table_of
from pipeline.flatten.records import SourceFile
from pipeline.ingest import Occurrence, Position, positions, principal_positions
from pipeline.lake import Lake

ASKED = ["finding_id", "attached_to", "attachment_kind", "policy_id", "policy_name", "statement_id"]


def inputs_of(manifest: Mapping[str, Any]) -> tuple[Input, ...]:
    """Return the input files of a snapshot under the names of :func:`portable_names`."""
    sources = [SourceFile(**source) for source in manifest.get("inputs", ())]
    names = portable_names([source.path for source in sources])
    return tuple(Input(names[s.path], s.content, s.size, s.sha256) for s in sources)


def portable_names(paths: Sequence[str]) -> dict[str, str]:
    """Return the paths without what is of this machine alone: absolute ones from the folder that they share.

    Relative ones stay but for leading steps upward, URLs as they are.
    """
    absolute = [path for path in paths if os.path.isabs(path)]
    shared = os.path.commonpath([os.path.dirname(path) for path in absolute]) if absolute else ""
    return {path: _portable(path, shared) for path in paths}


def _portable(path: str, shared: str) -> str:
    if "://" in path:
        return path
    if os.path.isabs(path):
        return posixpath.join(*os.path.relpath(path, shared).split(os.sep))
    steps = posixpath.normpath(path.replace(os.sep, "/")).split("/")
    while steps[:1] == [".."]:
        del steps[0]
    return "/".join(steps)


def placed(lake: Lake, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings with file, line, column and pointer, as far as the inputs are still there."""
    sources = [SourceFile(**source) for source in lake.manifest.get("inputs", ())]
    names = portable_names([source.path for source in sources])
    findings = _with_files(lake, findings)
    found = _positions(lake, findings, sources)
    others = [finding for finding in findings if finding.finding_id not in found]
    wanted = {(f.principal_arn, f.source) for f in others if f.principal_arn and f.source}
    principals = principal_positions(wanted, sources)
    places = (found.get(f.finding_id) or principals.get(f.principal_arn or "") for f in findings)
    return tuple(_placed(finding, place, names) for finding, place in zip(findings, places, strict=True))


def _with_files(lake: Lake, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Give findings about no policy the file that their principal was read from, or the policy of their resource."""
    asked = [finding for finding in findings if not finding.source]
    if not asked:
        return findings
    lake.lend("asked", table_of(asked).select(["finding_id", "principal_arn", "resource_arn", "source"]))
    rows = lake.query(assets.text("sql", "export/finding_files.sql")).to_pylist()
    files = {row["finding_id"]: row["source"] for row in rows}
    return [f if f.source else f._replace(source=files.get(f.finding_id)) for f in findings]


def _placed(finding: Finding, place: Position | None, names: Mapping[str, str]) -> Finding:
    if place is None:
        return finding._replace(file=names.get(finding.source or "", None))
    remark = place.remark
    for path, name in names.items() if remark else ():
        remark = remark and remark.replace(path, name)
    pointer = None if place.document_pointer is None else place.document_pointer + place.statement_pointer
    return finding._replace(
        file=names.get(place.file), line=place.line, column=place.column, pointer=pointer, remark=remark
    )


def _positions(lake: Lake, findings: Sequence[Finding], sources: Sequence[SourceFile]) -> dict[str, Position]:
    asked = [f for f in findings if f.statement_id and f.attached_to and f.source]
    if not asked:
        return {}
    lake.lend("asked", table_of(asked).select(ASKED))
    rows = lake.query(assets.text("sql", "export/finding_places.sql")).to_pylist()
    occurrences = {row.pop("finding_id"): Occurrence(**row) for row in rows}
    found = positions(occurrences.values(), sources)
    return {finding_id: found[occurrence] for finding_id, occurrence in occurrences.items()}
