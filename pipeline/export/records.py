"""What an export is made of: findings, controls, places and what changed. Must not read or write files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.controls import FINDINGS, NOT_RUN, OF_EXCEPTIONS, PROMPT, SEVERITIES, Control, remedy_parts
from pipeline.wording import one_line

#: What is found of the run itself, by no control.
OWN = (NOT_RUN, *OF_EXCEPTIONS)
OPEN, ACCEPTED, NOT_CHECKED = "open", "accepted", "not_checked"
NOT_CHECKED_NOW = (
    "not checked: its control did not run, or its input could not be read; this is what the export before said"
)


class Finding(NamedTuple):
    """One finding: the columns of the shared table, then what the exports add.

    ``first_seen`` is the day of the export that first had it (ISO 8601), ``is_new`` whether that is this one. ``file``
    is the input file by a name without folders of this machine, ``line`` and ``column`` are where its statement begins,
    from 1, None where ``remark`` says why, or where the finding is about no statement. ``pointer`` leads to the
    statement within the file (RFC 6901).
    """

    finding_id: str
    control_id: str
    title: str
    severity: str
    subject: str
    subject_kind: str
    account_id: str | None
    principal_arn: str | None
    action: str | None
    resource_arn: str | None
    policy_id: str | None
    statement_id: str | None
    policy_name: str | None
    attachment_kind: str | None
    attached_to: str | None
    attachment_count: int | None
    source: str | None
    message: str
    remedy: str | None
    corrected_statement: str | None
    status: str
    exception_reason: str | None
    exception_approver: str | None
    exception_expiry: str | None
    first_seen: str = ""
    is_new: bool = False
    file: str | None = None
    line: int | None = None
    column: int | None = None
    pointer: str | None = None
    remark: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether somebody accepted the risk: it stays in every export, marked."""
        return self.status == ACCEPTED

    @property
    def is_checked(self) -> bool:
        """Whether its control ran, over an input that was read; else it is as the export before had it, and nobody
        knows whether it still holds."""
        return self.status != NOT_CHECKED

    @property
    def is_suppressed(self) -> bool:
        """Whether somebody accepted the risk, when its control last ran."""
        return self.is_accepted or (not self.is_checked and bool(self.exception_reason) and self.control_id not in OWN)

    @property
    def acceptance(self) -> str:
        """Who accepted it, why and until when."""
        who = f"accepted by {self.exception_approver or 'nobody named'}"
        until = f" until {self.exception_expiry}" if self.exception_expiry else ""
        return f"{who}{until}: {self.exception_reason or 'no reason given'}"


def cards_of(controls: Sequence[Control]) -> tuple[Control, ...]:
    """Return controls with each text that exports read on one line: its file breaks them where the line ends."""
    return tuple(
        replace(c, title=one_line(c.title), rationale=one_line(c.rationale), remedy=one_line(c.remedy))
        for c in controls
    )


class Input(NamedTuple):
    """An input file under the name that the exports give it; ``size`` in bytes."""

    path: str
    content: str
    size: int
    sha256: str


class Changes(NamedTuple):
    """What is different from the export before; ``previous`` is its folder's name, None for the first export.

    ``new`` and ``gone`` are findings, ``verdicts`` the number of cells of access_matrix now and before, by verdict;
    ``inputs`` are names of input files that were added, removed or changed.
    """

    previous: str | None
    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    still_open: int
    verdicts: Mapping[str, tuple[int, int | None]]
    inputs: Mapping[str, tuple[str, ...]]


class Contents(NamedTuple):
    """Everything that the writers of findings are given. ``manifest`` is that of the lake's snapshot.

    ``not_run`` are the controls that did not run.
    """

    today: date
    version: str
    snapshot_id: str
    manifest: Mapping[str, Any]
    findings: tuple[Finding, ...]
    controls: tuple[Control, ...]
    inputs: tuple[Input, ...]
    changes: Changes
    region: str
    not_run: frozenset[str] = frozenset()

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that nobody accepted."""
        return self.of_status(OPEN)

    def of_status(self, status: str) -> tuple[Finding, ...]:
        """Return the findings of a status."""
        return tuple(finding for finding in self.findings if finding.status == status)

    def has_run(self, control: str) -> bool:
        """Whether a control looked: one that is not among them, or failed, did not."""
        is_known = control in OWN or any(card.id == control for card in self.controls)
        return is_known and control not in self.not_run


def not_run(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the controls that did not run."""
    return frozenset(finding.subject for finding in findings if finding.control_id == NOT_RUN)


def findings_of(table: pa.Table) -> tuple[Finding, ...]:
    """Return the rows of a table of findings; columns that it lacks are null."""
    names = FINDINGS.names
    present = [table[name].to_pylist() if name in table.column_names else [None] * table.num_rows for name in names]
    found = (Finding(*row) for row in zip(*present, strict=True))
    return tuple(f._replace(message=one_line(f.message), remedy=f.remedy and _lined(f.remedy)) for f in found)


def _lined(remedy: str) -> str:
    words, commands = remedy_parts(remedy)
    return PROMPT.join([words, *commands])


def table_of(findings: Sequence[Finding]) -> pa.Table:
    """Return findings as a table of all fields of :class:`Finding`."""
    kinds = {"attachment_count": pa.int64(), "line": pa.int64(), "column": pa.int64(), "is_new": pa.bool_()}
    columns = list(zip(*findings, strict=True)) or [()] * len(Finding._fields)
    arrays = [
        pa.array(column, kinds.get(name, pa.string())) for name, column in zip(Finding._fields, columns, strict=True)
    ]
    return pa.table(arrays, names=list(Finding._fields))


def counts_by_severity(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings there are of each severity, the worst first; severities without any are left out."""
    found = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        found[finding.severity] = found.get(finding.severity, 0) + 1
    return {severity: count for severity, count in found.items() if count}
