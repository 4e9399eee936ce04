"""What a control, its parameters and a finding are. Must not read files, nor run anything."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pyarrow as pa

from pipeline.wording import one_line

#: From the worst to the least.
SEVERITIES = ("critical", "high", "medium", "low", "info")
CATEGORIES = ("guide", "grants", "hygiene")
SUBJECT_KINDS = ("statement", "principal", "resource", "role", "policy", "job", "exception", "control")

ID_DIGITS = 32

#: Before each command of a remedy, at the beginning of its line.
PROMPT = "\n$ "

Value: TypeAlias = str | int | float | bool | list[str]


def remedy_parts(remedy: str) -> tuple[str, list[str]]:
    """Return what a remedy says, on one line, and its commands as they are: white space in them counts."""
    words, *commands = remedy.split(PROMPT)
    return one_line(words), commands


def digest(*parts: str) -> str:
    """Return the name of a finding: the same for the same parts."""
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()[:ID_DIGITS]


class NotRun(NamedTuple):
    """A control that did not run: what it would have found, nobody knows.

    ``control`` is its id, or the name of a file that has none. ``place`` is the file, with the line where that is
    known; ``problem`` says what is wrong and what to do, without folders of this machine.
    """

    control: str
    place: str
    problem: str


class Parameter(NamedTuple):
    """A value that a control takes as ``$name``; what ``default`` is tells the type of others."""

    name: str
    description: str
    default: Value


class Source(NamedTuple):
    """A named query whose rows a control reads as the relation ``name``.

    ``values`` are those of the query's parameters; one that begins with $ is the control's parameter of that name.
    ``without`` is the query whose principals are left out of the rows, if any.
    """

    name: str
    query: str
    values: Mapping[str, str]
    without: str | None = None


@dataclass(frozen=True)
class Control:
    """A control: what is looked for, why it counts, what to do. ``sql`` returns one row a finding.

    ``frameworks`` maps a framework's id to the ids of its requirements that the control bears on. ``avoid`` and
    ``prefer`` are examples, mostly of policies. ``path`` is the file that it was read from, and
    ``uncorrected`` says why no finding has a corrected statement.
    """

    id: str
    title: str
    severity: str
    category: str
    rationale: str
    remedy: str
    avoid: str
    prefer: str
    frameworks: Mapping[str, tuple[str, ...]]
    parameters: tuple[Parameter, ...]
    sources: tuple[Source, ...]
    sql: str
    path: Path
    uncorrected: str = ""


_TEXTS = (
    "subject", "subject_kind", "account_id", "principal_arn", "action", "resource_arn", "policy_id", "statement_id",
    "policy_name", "attachment_kind", "attached_to",
)  # fmt: skip

#: One row a finding, ordered by severity, control_id and finding_id.
FINDINGS = pa.schema(
    [
        *((name, pa.string()) for name in ("finding_id", "control_id", "title", "severity", *_TEXTS)),
        ("attachment_count", pa.int64()),
        *((name, pa.string()) for name in ("source", "message", "remedy", "corrected_statement", "status")),
        *((name, pa.string()) for name in ("exception_reason", "exception_approver", "exception_expiry")),
    ]
)

#: What the SQL of a control may return; ``subject_kind`` and ``message`` it must. ``aspect`` tells apart what a control
#: finds several times of one subject, such as by condition key; ``correction`` says how to correct the statement.
RETURNED = (
    "subject_kind", "message", "subject", "account_id", "principal_arn", "action", "resource_arn", "policy_id",
    "statement_id", "attached_to", "source", "aspect", "remedy", "corrected_statement",
    "correction",
)  # fmt: skip
REQUIRED = ("subject_kind", "message")
#: Those of it that say what a finding is about. They name it from run to run, with the statement and its policy.
STABLE = ("subject_kind", "account_id", "principal_arn", "action", "resource_arn", "attached_to", "aspect")
