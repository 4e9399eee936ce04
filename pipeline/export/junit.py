"""Findings as JUnit XML for what shows test results: a suite a control, a failure a finding, a skip if accepted."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from pipeline.controls import NOT_RUN, Control
from pipeline.export.records import NOT_CHECKED_NOW, Contents, Finding

#: What XML 1.0 cannot hold, not even escaped.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What of a case is counted, by the name of the count.
TAGS = {"failures": "failure", "errors": "error", "skipped": "skipped"}
COUNTS = ("tests", *TAGS)


def write_junit(contents: Contents, path: Path) -> None:
    """Write all controls and findings."""
    path.write_text(junit_text(contents), encoding="utf-8")


def junit_text(contents: Contents) -> str:
    """Return the XML: a control without findings is one test that passed."""
    by_control: dict[str, list[Finding]] = {control.id: [] for control in contents.controls}
    for finding in contents.findings:
        by_control.setdefault(finding.control_id, []).append(finding)
    root = ET.Element("testsuites", name="policylake")
    cards = {control.id: control for control in contents.controls}
    totals = dict.fromkeys(COUNTS, 0)
    for control_id, findings in by_control.items():
        suite, counts = _suite(control_id, cards.get(control_id), findings, has_run=contents.has_run(control_id))
        root.append(suite)
        totals = {name: total + counts[name] for name, total in totals.items()}
    for name, total in totals.items():
        root.set(name, str(total))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(
    control_id: str, card: Control | None, findings: Sequence[Finding], *, has_run: bool
) -> tuple[ET.Element, dict[str, int]]:
    suite = ET.Element("testsuite", name=_legal(control_id))
    for finding in findings:
        suite.append(_case(finding))
    if not findings:
        name = _legal(card.title if card else control_id)
        case = ET.SubElement(suite, "testcase", classname=_legal(control_id), name=name)
        if not has_run:
            ET.SubElement(case, "skipped", message="The control did not run.")
    counts = {"tests": len(suite), **{name: len(suite.findall(f"*/{tag}")) for name, tag in TAGS.items()}}
    for name, count in counts.items():
        suite.set(name, str(count))
    return suite, counts


def _case(finding: Finding) -> ET.Element:
    """Return a test whose name tells findings of one subject apart."""
    name = f"{finding.subject} ({finding.finding_id[:8]})"
    case = ET.Element("testcase", classname=_legal(finding.control_id), name=_legal(name))
    if finding.file:
        case.set("file", _legal(finding.file))
    if finding.line:
        case.set("line", str(finding.line))
    if finding.is_suppressed or not finding.is_checked:
        why = finding.acceptance if finding.is_accepted else NOT_CHECKED_NOW
        ET.SubElement(case, "skipped", message=_legal(why))
        return case
    tag = "error" if finding.control_id == NOT_RUN else "failure"
    failure = ET.SubElement(case, tag, type=_legal(finding.severity), message=_legal(finding.message))
    failure.text = _legal("\n".join(_lines(finding)))
    return case


def _lines(finding: Finding) -> list[str]:
    place = ":".join(str(part) for part in (finding.file, finding.line, finding.column) if part is not None)
    told = (finding.title, place, finding.attached_to, finding.remedy, finding.corrected_statement, finding.finding_id)
    return [line for line in told if line]


def _legal(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
