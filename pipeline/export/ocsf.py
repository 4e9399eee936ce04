"""Findings as OCSF compliance findings (class 2003), one JSON object a line, with an event for what is gone.

https://schema.ocsf.io/1.5.0/classes/compliance_finding
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline.controls import Control
from pipeline.export.arns import arn_of, resource_type
from pipeline.export.records import Contents, Finding
from pipeline.export.standards import requirements, standards

VERSION = "1.5.0"
CATEGORY, CLASS = 2, 2003
CREATE, UPDATE, CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
NEW, IN_PROGRESS, SUPPRESSED, RESOLVED = (1, "New"), (2, "In Progress"), (3, "Suppressed"), (4, "Resolved")
UNKNOWN, PASS, FAIL = (0, "Unknown"), (1, "Pass"), (3, "Fail")
SEVERITIES = {"critical": (5, "Critical"), "high": (4, "High"), "medium": (3, "Medium"), "low": (2, "Low"),
              "info": (1, "Informational")}  # fmt: skip
AWS_ACCOUNT = 10
Json = dict[str, Any]


def write_ocsf(contents: Contents, path: Path) -> None:
    """Write one event a finding, then one a finding that is gone since the last export."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event, ensure_ascii=True) + "\n" for event in events(contents))


def events(contents: Contents) -> Iterator[Json]:
    """Yield the events in the order of the findings."""
    cards = {control.id: control for control in contents.controls}
    for finding in contents.findings:
        yield _event(contents, finding, cards.get(finding.control_id), is_gone=False)
    for finding in contents.changes.gone:
        yield _event(contents, finding, cards.get(finding.control_id), is_gone=True)


def _event(contents: Contents, finding: Finding, card: Control | None, *, is_gone: bool) -> Json:
    activity = CLOSE if is_gone else CREATE if finding.is_new else UPDATE
    status = RESOLVED if is_gone else SUPPRESSED if finding.is_suppressed else NEW if finding.is_new else IN_PROGRESS
    has_run = finding.is_checked if not is_gone else contents.has_run(finding.control_id)
    severity = SEVERITIES.get(finding.severity, (99, finding.severity))
    event: Json = {
        "activity_id": activity[0],
        "activity_name": activity[1],
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + activity[0],
        "type_name": f"Compliance Finding: {activity[1]}",
        "time": milliseconds(contents.today),
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": status[0],
        "status": status[1],
        "message": finding.message,
        "metadata": _metadata(contents, finding),
        "finding_info": _info(contents, finding, card),
        "compliance": _compliance(finding, card, UNKNOWN if not has_run else PASS if is_gone else FAIL),
        "remediation": {"desc": finding.remedy or (card.remedy if card else "") or finding.message},
        "resources": [_resource(finding)],
        "unmapped": _unmapped(finding),
    }
    if finding.is_suppressed and not is_gone:
        event["comment"] = finding.acceptance
    if finding.account_id:
        event["cloud"] = {
            "provider": "AWS",
            "account": {"uid": finding.account_id, "name": finding.account_id, "type_id": AWS_ACCOUNT,
                        "type": "AWS Account"},
        }  # fmt: skip
    return event


def milliseconds(day: date | str) -> int:
    """Return the beginning of a day in UTC, in milliseconds of Unix time."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _metadata(contents: Contents, finding: Finding) -> Json:
    return {
        "version": VERSION,
        "product": {"name": "policylake", "vendor_name": "policylake", "version": contents.version},
        "uid": f"{finding.finding_id}-{contents.snapshot_id}",
        "event_code": finding.control_id,
        "profiles": ["cloud"] if finding.account_id else [],
    }


def _info(contents: Contents, finding: Finding, card: Control | None) -> Json:
    return {
        "uid": finding.finding_id,
        "title": finding.title,
        "desc": finding.message,
        "types": [card.category if card else finding.control_id],
        "created_time": milliseconds(finding.first_seen or contents.today),
        "first_seen_time": milliseconds(finding.first_seen or contents.today),
        "last_seen_time": milliseconds(contents.today),
        "data_sources": [finding.file] if finding.file else [],
    }


def _compliance(finding: Finding, card: Control | None, status: tuple[int, str]) -> Json:
    frameworks: Mapping[str, Any] = card.frameworks if card else {}
    return {
        "control": finding.control_id,
        "desc": card.rationale if card else finding.title,
        "standards": standards(frameworks) or ["policylake"],
        "requirements": requirements(frameworks),
        "status_id": status[0],
        "status": status[1],
        "status_code": status[1].upper(),
    }


def _resource(finding: Finding) -> Json:
    arn = arn_of(finding)
    resource = {
        "uid": arn.text or finding.subject,
        "name": finding.subject,
        "type": resource_type(finding),
        "cloud_partition": arn.partition,
        "region": arn.region,
    }
    return {name: value for name, value in resource.items() if value} | {"labels": [f"kind:{finding.subject_kind}"]}


def _unmapped(finding: Finding) -> Json:
    names = (
        "statement_id", "policy_name", "attachment_kind", "attached_to", "attachment_count", "action", "line", "column",
        "pointer", "corrected_statement",
    )  # fmt: skip
    return {name: value for name in names if (value := getattr(finding, name)) is not None}
