"""What ingest hands to flatten: facts of the inputs with the shapes of their formats gone.

Values only. Every string may hold text from untrusted input.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pipeline.errors import Reject
from pipeline.iam.model import Policy

AttachmentKind = Literal["inline", "managed", "boundary", "trust", "scp", "rcp", "resource", "endpoint"]
PrincipalType = Literal["user", "role", "group", "policy"]
Tags = tuple[tuple[str, str], ...]


class SourceFile(NamedTuple):
    """One input file: ``size`` in bytes as stored, ``content`` the recognised kind ("unrecognised" for a reject)."""

    path: str
    sha256: str
    size: int
    content: str


class Document(NamedTuple):
    """A distinct policy document. ``canonical`` is its JSON with sorted keys and no white space; its hash is the id."""

    policy_id: str
    canonical: str
    policy: Policy


class Attachment(NamedTuple):
    """One policy on one target. ``level`` is the depth in the organization tree for SCPs and RCPs (0 is the root)."""

    target_arn: str
    account_id: str | None
    attachment_kind: AttachmentKind
    policy_id: str
    policy_name: str
    policy_arn: str | None
    level: int | None
    source: str


class PrincipalRecord(NamedTuple):
    """A user, role, group, or a loose document. ``missing`` names what the export mentions but does not hold."""

    principal_arn: str
    account_id: str | None
    principal_type: PrincipalType
    principal_name: str
    path: str | None
    principal_id: str | None
    tags: Tags
    boundary_policy_id: str | None
    created_at: str | None
    last_used_at: str | None
    missing: tuple[str, ...]
    source: str


class AccountRecord(NamedTuple):
    """An account. ``ou_path`` has the form of aws:PrincipalOrgPaths.

    ``ancestors`` are (ARN, name), the root first, the account last.
    """

    account_id: str
    account_name: str | None
    organization_id: str | None
    ou_path: str | None
    is_management_account: bool
    data_as_of: str | None
    is_exported: bool
    ancestors: tuple[tuple[str, str | None], ...]


class ResourceRecord(NamedTuple):
    """An AWS resource with its tags. ``owner`` is the account of one whose ARN names none, where that is known."""

    resource_arn: str
    tags: Tags
    owner: str | None = None


class TrainingJobRecord(NamedTuple):
    """A training job that a tuning job launched."""

    training_job_arn: str
    tuning_job_arn: str | None
    training_job_status: str | None
    created_at: str | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that was read. Tuples are sorted: equal inputs give equal bytes whatever order files came in.

    ``lacking`` tells, by account, what principals that were resolved apart from these inputs are missing besides.
    """

    sources: tuple[SourceFile, ...] = ()
    accounts: tuple[AccountRecord, ...] = ()
    principals: tuple[PrincipalRecord, ...] = ()
    memberships: tuple[tuple[str, str], ...] = ()
    documents: tuple[Document, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    inventory: tuple[ResourceRecord, ...] = ()
    training_jobs: tuple[TrainingJobRecord, ...] = ()
    rejects: tuple[Reject, ...] = field(default=())
    lacking: dict[str, tuple[str, ...]] = field(default_factory=dict)
