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
    """A user, role or group of an account export. ``groups`` are names; ``pointer`` leads to the principal's object.

    ``missing`` tells what of it could not be read.
    """

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
    missing: tuple[str, ...] = ()


class ManagedPolicyPart(NamedTuple):
    """The default version of a managed policy. ``account_id`` is None for AWS's own policies.

    ``missing`` tells what is not known about it: those who have the policy lack that. ``doubts`` does of its document.
    """

    source: str
    pointer: str
    arn: str
    account_id: str | None
    name: str
    policy_id: str | None
    changed_at: str | None
    missing: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


class ExportPart(NamedTuple):
    """A page of an account export. ``account_id`` is what the file's name says, used where no ARN tells."""

    source: str
    pointer: str
    account_id: str | None


class PagePart(NamedTuple):
    """A page of a list that AWS prints in pages: ``content`` is the format.

    ``scopes`` are what its items belong to, each an account id and what the list is of in it (a region, a tuning job,
    or nothing). ``more`` is the pointer to the member that says that another page follows, None on the last page.
    """

    source: str
    pointer: str
    content: str
    scopes: frozenset[tuple[str, str]]
    more: str | None


class NodePart(NamedTuple):
    """A root (no parent), organizational unit or account of an organization."""

    pointer: str
    node_id: str
    arn: str
    name: str | None
    parent_id: str | None
    is_account: bool


class OrganizationPolicyPart(NamedTuple):
    """An SCP or RCP with the ids of its targets and the indexes at which these stand; ``kind`` is scp or rcp.

    ``is_left_out`` where its document cannot be read; ``policy_id`` is then that of what stands for it, if anything.
    """

    pointer: str
    arn: str
    name: str
    kind: Literal["scp", "rcp"]
    policy_id: str | None
    is_left_out: bool
    targets: tuple[str, ...]
    indexes: tuple[int, ...]


class UnreadControl(NamedTuple):
    """What was left out of an organization and may be an SCP or RCP. ``targets`` is None where they are not known."""

    name: str
    targets: tuple[str, ...] | None


class OrganizationPart(NamedTuple):
    """One organization file."""

    source: str
    pointer: str
    organization_id: str
    management_account_id: str | None
    nodes: tuple[NodePart, ...]
    policies: tuple[OrganizationPolicyPart, ...]
    unread: tuple[UnreadControl, ...] = ()

    def without_scp(self) -> list[NodePart]:
        """Return the nodes that the SCPs of others show to lack theirs: AWS leaves no root, unit or account without one
        (OLIM). Not the management account, which none limits."""
        limited = {target for policy in self.policies if policy.kind == "scp" for target in policy.targets}
        nodes = {node.node_id: node for node in reversed(self.nodes)} if limited else {}
        exempt = {*limited, self.management_account_id}
        return [node for node_id, node in reversed(nodes.items()) if node_id not in exempt]


class UnreadNodePart(NamedTuple):
    """Tells that an account may belong to an organization whose file does not say so readably."""

    source: str
    what: str


class ResourcePolicyPart(NamedTuple):
    """The policy of a resource or of a VPC endpoint. ``doubts`` tells what is not known of it, ``owner`` whose a bucket
    is, where the file's name does."""

    source: str
    pointer: str
    resource_arn: str
    policy_id: str | None
    doubts: tuple[str, ...] = ()
    owner: str | None = None


class LoosePolicyPart(NamedTuple):
    """A policy document by itself; ``name`` is the file's path without ending. ``doubts`` tells what is not known of
    it."""

    source: str
    name: str
    policy_id: str
    doubts: tuple[str, ...] = ()


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
    | PagePart
    | OrganizationPart
    | UnreadNodePart
    | ResourcePolicyPart
    | LoosePolicyPart
    | ResourcePart
    | TrainingJobPart
    | Reject
)
