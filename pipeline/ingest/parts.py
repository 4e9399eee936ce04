"""What adapters yield: facts of one file, before references between them are resolved. Values only.

``source`` and ``pointer`` tell where a part stands. A ``policy_id`` of None is a document that was rejected.
"""

from typing import Literal, NamedTuple, TypeAlias

from pipeline.errors import Reject
from pipeline.flatten.records import PrincipalType, ResourceRecord, Tags, TrainingJobRecord


class NamedPolicy(NamedTuple):
    """A policy that stands in its principal: an inline policy, or a trust policy with no name."""

    name: str
    policy_id: str | None


class PolicyReference(NamedTuple):
    """A managed policy that a principal names."""

    name: str
    arn: str


class PrincipalPart(NamedTuple):
    """A user, role or group of an account export. ``groups`` are names; ``pointer`` leads to the principal's object."""

    source: str
    pointer: str
    arn: str
    account_id: str
    principal_type: PrincipalType
    name: str
    path: str | None
    principal_id: str | None
    tags: Tags
    groups: tuple[str, ...]
    inline: tuple[NamedPolicy, ...]
    managed: tuple[PolicyReference, ...]
    boundary_arn: str | None
    trust: NamedPolicy | None
    created_at: str | None
    last_used_at: str | None


class ManagedPolicyPart(NamedTuple):
    """The default version of a managed policy. ``account_id`` is None for AWS's own policies."""

    source: str
    pointer: str
    arn: str
    account_id: str | None
    name: str
    policy_id: str | None
    changed_at: str | None


class ExportPart(NamedTuple):
    """A page of an account export. ``account_id`` is what the file's name says, used where no ARN tells."""

    source: str
    pointer: str
    account_id: str | None


class NodePart(NamedTuple):
    """A root (no parent), organizational unit or account of an organization."""

    pointer: str
    node_id: str
    arn: str
    name: str | None
    parent_id: str | None
    is_account: bool


class OrganizationPolicyPart(NamedTuple):
    """An SCP or RCP with the ids of its targets; ``kind`` is scp or rcp.

    ``is_left_out`` where its document cannot be read; ``policy_id`` is then that of what stands for it, if anything.
    """

    pointer: str
    arn: str
    name: str
    kind: Literal["scp", "rcp"]
    policy_id: str | None
    is_left_out: bool
    targets: tuple[str, ...]


class OrganizationPart(NamedTuple):
    """One organization file."""

    source: str
    pointer: str
    organization_id: str
    management_account_id: str | None
    nodes: tuple[NodePart, ...]
    policies: tuple[OrganizationPolicyPart, ...]


class ResourcePolicyPart(NamedTuple):
    """The policy of a resource or of a VPC endpoint."""

    source: str
    resource_arn: str
    policy_id: str


class LoosePolicyPart(NamedTuple):
    """A policy document by itself; ``name`` is the file's path without ending."""

    source: str
    name: str
    policy_id: str


class ResourcePart(NamedTuple):
    """A resource of the inventory."""

    source: str
    pointer: str
    record: ResourceRecord


class TrainingJobPart(NamedTuple):
    """A training job of a tuning job."""

    source: str
    pointer: str
    record: TrainingJobRecord


Part: TypeAlias = (
    PrincipalPart
    | ManagedPolicyPart
    | ExportPart
    | OrganizationPart
    | ResourcePolicyPart
    | LoosePolicyPart
    | ResourcePart
    | TrainingJobPart
    | Reject
)
