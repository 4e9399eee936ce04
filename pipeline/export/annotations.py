"""Writes findings as GitHub's workflow commands, which mark the lines of a pull request. Must not read files."""

from collections.abc import Iterable, Sequence

from pipeline.export.records import Finding

#: The command for each severity; accepted findings are notices.
COMMANDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice", "info": "notice"}


def annotations_text(findings: Sequence[Finding]) -> str:
    """Return one workflow command a finding; one of no known place has no file."""
    return "".join(f"{_command(finding)}\n" for finding in findings)


def _command(finding: Finding) -> str:
    command = "notice" if finding.is_accepted else COMMANDS[finding.severity]
    words = f"{finding.subject}: {finding.message}"
    told = f"{words} ({finding.acceptance})" if finding.is_accepted else f"{words}\n{finding.remedy or ''}".strip()
    return f"::{command} {','.join(_properties(finding))}::{_data(told)}"


def _properties(finding: Finding) -> Iterable[str]:
    if finding.file:
        yield f"file={_property(finding.file)}"
    for name, value in (("line", finding.line), ("col", finding.column)):
        if finding.file and value:
            yield f"{name}={value}"
    yield f"title={_property(f'{finding.control_id}: {finding.title}')}"


def _data(text: str) -> str:
    """Return the text as GitHub's runner reads it back: its own escapes, no line break and no control character."""
    held = "".join(c if c.isprintable() or c in "\r\n" else f"\\u{ord(c):04x}" for c in text)
    return held.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
