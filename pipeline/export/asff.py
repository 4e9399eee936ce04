"""Findings in the AWS Security Finding Format: files that ``aws securityhub batch-import-findings`` takes as they are.

The account that a finding is of must import it, so each account has a folder; a call takes at most 100 findings.
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.controls import Control
from pipeline.export.arns import arn_of, resource_type
from pipeline.export.records import Contents, Finding
from pipeline.export.standards import requirements
from pipeline.wording import shortened

#: Findings that one call takes.
BATCH = 100
#: Most characters of a field, and most requirements.
TITLE, DESCRIPTION, RECOMMENDATION, FIELD, REQUIREMENTS = 256, 1024, 512, 1024, 32
TYPES = ["Software and Configuration Checks/AWS Security Best Practices"]
LABELS = {"critical": "CRITICAL", "high": "HIGH", "medium": "MEDIUM", "low": "LOW", "info": "INFORMATIONAL"}
ACCOUNT_DIGITS = 12
Json = dict[str, Any]


def write_asff(contents: Contents, folder: Path) -> int:
    """Write ``ACCOUNT/NUMBER.json`` files into a folder; return how many findings have no account and are left out."""
    cards = {control.id: control for control in contents.controls}
    whole = [(finding, False) for finding in contents.findings] + [(f, True) for f in contents.changes.gone]
    by_account: dict[str, list[Json]] = {}
    left_out = 0
    for finding, is_gone in whole:
        account = account_of(finding)
        if account is None:
            left_out += not is_gone
            continue
        by_account.setdefault(account, []).append(
            asff(contents, finding, cards.get(finding.control_id), account, is_gone=is_gone)
        )
    folder.mkdir()
    for account, findings in sorted(by_account.items()):
        _write(folder / account, findings)
    return left_out


def _write(folder: Path, findings: Sequence[Json]) -> None:
    folder.mkdir()
    for number, start in enumerate(range(0, len(findings), BATCH), start=1):
        text = json.dumps(findings[start : start + BATCH], indent=1, ensure_ascii=True)
        (folder / f"{number:04}.json").write_text(text + "\n", encoding="utf-8")


def account_of(finding: Finding) -> str | None:
    """Return the account that a finding is of, None where it is of none, such as one of a loose document."""
    candidates = (finding.account_id, arn_of(finding).account_id)
    return next((one for one in candidates if one and len(one) == ACCOUNT_DIGITS and one.isdigit()), None)


def asff(contents: Contents, finding: Finding, card: Control | None, account: str, *, is_gone: bool) -> Json:
    """Return one finding; one that is gone since the last export is archived, an accepted one suppressed."""
    resource = arn_of(finding)
    partition = resource.partition or "aws"
    severity = {"Label": LABELS.get(finding.severity, "MEDIUM"), "Original": finding.severity}
    status = "RESOLVED" if is_gone else "SUPPRESSED" if finding.is_suppressed else "NEW"
    has_run = finding.is_checked if not is_gone else contents.has_run(finding.control_id)
    found: Json = {
        "SchemaVersion": "2018-10-08",
        "Id": f"policylake/{finding.finding_id}",
        "ProductArn": f"arn:{partition}:securityhub:{contents.region}:{account}:product/{account}/default",
        "ProductName": "policylake",
        "CompanyName": "policylake",
        "GeneratorId": f"policylake/{finding.control_id}",
        "AwsAccountId": account,
        "Types": TYPES,
        "FirstObservedAt": _time(finding.first_seen or contents.today.isoformat()),
        "LastObservedAt": _time(contents.today.isoformat()),
        "CreatedAt": _time(finding.first_seen or contents.today.isoformat()),
        "UpdatedAt": _time(contents.today.isoformat()),
        "Severity": severity,
        "Title": _filled(finding.title, TITLE),
        "Description": _filled(f"{finding.subject}: {finding.message}", DESCRIPTION),
        "Remediation": {"Recommendation": {"Text": _filled(_remedy(finding, card), RECOMMENDATION)}},
        "ProductFields": _fields(finding),
        "Resources": [
            {"Type": resource_type(finding), "Id": resource.text or f"arn:{partition}:iam::{account}:root",
             "Partition": partition, "Region": resource.region or contents.region}
        ],
        "Compliance": _compliance(card, "NOT_AVAILABLE" if not has_run else "PASSED" if is_gone else "FAILED"),
        "Workflow": {"Status": status},
        "RecordState": "ARCHIVED" if is_gone else "ACTIVE",
        "FindingProviderFields": {"Severity": severity, "Types": TYPES},
    }  # fmt: skip
    if finding.is_suppressed:
        found["Note"] = {
            "Text": _filled(finding.acceptance, RECOMMENDATION),
            "UpdatedBy": _filled(finding.exception_approver or "policylake", RECOMMENDATION),
            "UpdatedAt": _time(contents.today.isoformat()),
        }
    return found


def _time(day: str) -> str:
    return f"{day}T00:00:00.000Z"


def _remedy(finding: Finding, card: Control | None) -> str:
    return finding.remedy or (card.remedy if card else "") or finding.title


def _compliance(card: Control | None, status: str) -> Json:
    frameworks: Mapping[str, Sequence[str]] = card.frameworks if card else {}
    related = requirements(frameworks)
    return {"Status": status} | ({"RelatedRequirements": related[:REQUIREMENTS]} if related else {})


def _fields(finding: Finding) -> Json:
    names = ("subject", "statement_id", "policy_name", "attachment_kind", "attached_to", "action", "file", "line")
    values = {f"policylake/{name}": getattr(finding, name) for name in names}
    return {name: _filled(str(value), FIELD) for name, value in values.items() if value}


def _filled(text: str, most: int) -> str:
    """Return a text of at most so many characters, never an empty one."""
    return shortened(text.strip() or "-", most)
