"""Findings as SARIF 2.1.0, for code scanning and for viewers: one rule a control, one result a finding.

Locations are those of the statement in the input files, relative to the folder that ``uriBaseId`` INPUTS stands for.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline.controls import NOT_RUN, Control
from pipeline.export.records import Contents, Finding, Input

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "INPUTS"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
#: What GitHub's code scanning sorts by: the middle of the CVSS band of that name.
SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "info": "0.0"}
FINGERPRINT = "policylakeFindingId/v1"
Json = dict[str, Any]


def write_sarif(contents: Contents, path: Path) -> None:
    """Write the findings as one SARIF log with one run."""
    path.write_text(sarif_text(contents), encoding="utf-8", errors="backslashreplace")


def sarif_text(contents: Contents) -> str:
    """Return the SARIF log of all findings; accepted ones are suppressed results."""
    frameworks = _frameworks(contents.controls)
    rules = {control.id: number for number, control in enumerate(contents.controls)}
    artifacts = {source.path: number for number, source in enumerate(contents.inputs)}
    run: Json = {
        "tool": {
            "driver": {
                "name": "policylake",
                "version": contents.version,
                "rules": [_rule(control, frameworks) for control in contents.controls],
                "supportedTaxonomies": [{"name": name, "index": n} for n, name in enumerate(frameworks)],
            }
        },
        "automationDetails": {"id": f"policylake/{contents.today.isoformat()}"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            BASE: {"description": {"text": "The folder that the build ran in, or that its inputs have in common."}}
        },
        "artifacts": [_artifact(source) for source in contents.inputs],
        "taxonomies": [_taxonomy(name, requirements) for name, requirements in frameworks.items()],
        "results": [_result(finding, rules, artifacts, contents.changes.previous) for finding in contents.findings],
        "properties": {"snapshot": contents.snapshot_id},
    }
    if missing := [finding for finding in contents.findings if finding.control_id == NOT_RUN]:
        run["invocations"] = [
            {"executionSuccessful": False, "toolConfigurationNotifications": [*map(_notification, missing)]}
        ]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=True) + "\n"


def _notification(finding: Finding) -> Json:
    """Return what the tool says of a control that did not run."""
    text = f"{finding.message} {finding.remedy or ''}".strip()
    return {"level": "error", "message": {"text": text}, "associatedRule": {"id": finding.subject}}


def _frameworks(controls: Sequence[Control]) -> dict[str, list[str]]:
    """Return the requirements that any control names, by framework."""
    found: dict[str, set[str]] = {}
    for control in controls:
        for name, requirements in control.frameworks.items():
            found.setdefault(name, set()).update(requirements)
    return {name: sorted(requirements) for name, requirements in sorted(found.items())}


def _taxonomy(name: str, requirements: Sequence[str]) -> Json:
    return {"name": name, "taxa": [{"id": requirement} for requirement in requirements]}


def _rule(control: Control, frameworks: Mapping[str, Sequence[str]]) -> Json:
    name = "".join(part.capitalize() for part in control.id.replace("_", "-").split("-"))
    rule: Json = {
        "id": control.id,
        # A name is to say more than the id does.
        **({"name": name} if name.lower() != control.id.lower() else {}),
        "shortDescription": {"text": control.title},
        "fullDescription": {"text": control.rationale or control.title},
        "help": {"text": control.remedy or control.title},
        "defaultConfiguration": {"level": LEVELS.get(control.severity, "warning")},
        "properties": {
            "tags": ["security", control.category],
            "severity": control.severity,
            "security-severity": SCORES.get(control.severity, SCORES["medium"]),
        },
    }
    related = [
        {"target": _requirement(requirement, name, frameworks), "kinds": ["relevant"]}
        for name, requirements in sorted(control.frameworks.items())
        for requirement in requirements
    ]
    return rule | ({"relationships": related} if related else {})


def _requirement(requirement: str, name: str, frameworks: Mapping[str, Sequence[str]]) -> Json:
    return {
        "id": requirement,
        "index": frameworks[name].index(requirement),
        "toolComponent": {"name": name, "index": list(frameworks).index(name)},
    }


def _artifact(source: Input) -> Json:
    location = _artifact_location(source.path)
    return {"location": location, "length": source.size, "hashes": {"sha-256": source.sha256}}


def _artifact_location(path: str) -> Json:
    if "://" in path:
        return {"uri": path}
    return {"uri": quote(path.encode("utf-8", "surrogateescape")), "uriBaseId": BASE}


def _result(finding: Finding, rules: Mapping[str, int], artifacts: Mapping[str, int], previous: str | None) -> Json:
    result: Json = {
        "ruleId": finding.control_id,
        # Of what was not checked nobody knows whether it still fails.
        "kind": "fail" if finding.is_checked else "open",
        "level": LEVELS.get(finding.severity, "warning") if finding.is_checked else "none",
        "message": {"text": _message(finding)},
        "locations": [_location(finding, artifacts)],
        "partialFingerprints": {FINGERPRINT: finding.finding_id},
        "properties": _properties(finding),
    }
    if previous is not None:
        result["baselineState"] = "new" if finding.is_new else "unchanged"
    if finding.control_id in rules:
        result["ruleIndex"] = rules[finding.control_id]
    if finding.is_suppressed:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.acceptance}]
    return result


def _message(finding: Finding) -> str:
    remark = f"(Line {finding.line}: {finding.remark}.)" if finding.remark and finding.line else ""
    told = (f"{finding.subject}: {finding.message.rstrip('.')}.", remark, finding.remedy)
    return " ".join(part for part in told if part)


def _location(finding: Finding, artifacts: Mapping[str, int]) -> Json:
    """Return where a finding is: file and line where they are known, and always what it is about."""
    location: Json = {"logicalLocations": [_logical_location(finding)]}
    if finding.file:
        physical: Json = {"artifactLocation": _artifact_location(finding.file)}
        if finding.file in artifacts:
            physical["artifactLocation"]["index"] = artifacts[finding.file]
        # Lines of a packed file are those of what is in it, which no viewer can show.
        if finding.line and "unpacked" not in (finding.remark or ""):
            physical["region"] = {"startLine": finding.line, "startColumn": finding.column or 1}
        location["physicalLocation"] = physical
    return location


def _logical_location(finding: Finding) -> Json:
    name = finding.statement_id or finding.principal_arn or finding.subject
    return {"fullyQualifiedName": name, "name": finding.subject, "kind": finding.subject_kind}


def _properties(finding: Finding) -> Json:
    """Return what of a finding has no place of its own in the format."""
    names = (
        "severity", "account_id", "principal_arn", "action", "resource_arn", "policy_name", "attachment_kind",
        "attached_to", "attachment_count", "corrected_statement", "first_seen", "pointer", "remark",
    )  # fmt: skip
    values = {name: getattr(finding, name) for name in names}
    return {name: value for name, value in values.items() if value is not None and value != ""}
