"""Reads ``organization.json``: the members of AWS's organization lists, put together with their parents and targets."""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Raw

from pipeline.errors import Reject
from pipeline.ingest.decode import Page, each, one
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.parts import NodePart, OrganizationPart, OrganizationPolicyPart, Part

CONTENT = "organization"
RECOGNISES = "organization.json: Organization or Roots, with OrganizationalUnits, Accounts, Policies"
YIELDS = "the organization with its tree, SCPs and RCPs; policies of other types are skipped"

KINDS: dict[str, Literal["scp", "rcp"]] = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}

#: Stands for an SCP that cannot be read: what only limits and is not known limits nothing, lest access stay hidden.
ALLOW_ALL = Raw(b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}')
NO_LIMIT = " (cannot be read: taken to allow everything)"


class Organization(msgspec.Struct, rename="pascal"):
    """The answer of describe-organization."""

    id: str | None = None
    arn: str | None = None
    master_account_id: str | None = None


class Node(msgspec.Struct, rename="pascal"):
    """A root, organizational unit or account."""

    id: str
    arn: str
    name: str | None = None
    parent_id: str | None = None


class Summary(msgspec.Struct, rename="pascal"):
    """What list-policies says of a policy."""

    id: str
    arn: str
    type: str
    name: str | None = None


class Target(msgspec.Struct, rename="pascal"):
    """A member of list-targets-for-policy."""

    target_id: str


class Policy(msgspec.Struct, rename="pascal"):
    """A policy with its content and targets."""

    policy_summary: Summary
    content: Raw = Raw(b"null")
    targets: list[Target] | None = None


def recognises(names: frozenset[str]) -> bool:
    """Whether an object with these members is an organization."""
    return bool(names & {"Organization", "Roots"})


def read(page: Page, documents: DocumentStore) -> Iterator[Part]:
    """Yield the organization; a node or policy of the wrong shape is a reject and the others go on."""
    described = page.members.get("Organization", Raw(b"{}"))
    organization = one(page, "/Organization", described, Organization, "organization")
    if isinstance(organization, Reject):
        yield organization
        organization = Organization()
    nodes: list[NodePart] = []
    policies: list[OrganizationPolicyPart] = []
    for found in _members(page, documents):
        if isinstance(found, NodePart):
            nodes.append(found)
        elif isinstance(found, OrganizationPolicyPart):
            policies.append(found)
        else:
            yield found
    organization_id, management = _identity(organization, nodes)
    if organization_id is None:
        message = "neither Organization nor a root's ARN tells the organization's id"
        remedy = "add the answer of describe-organization as Organization"
        yield page.reject("", "error", "no-organization-id", message, remedy)
        return
    yield OrganizationPart(page.source, page.pointer, organization_id, management, tuple(nodes), tuple(policies))


def _members(page: Page, documents: DocumentStore) -> Iterator[NodePart | OrganizationPolicyPart | Reject]:
    yield from each(page, "Roots", Node, "root", lambda at, root: [_node(page, at, root, None, False)])
    yield from each(
        page, "OrganizationalUnits", Node, "organizational unit",
        lambda at, unit: [_node(page, at, unit, unit.parent_id or "", False)],
    )  # fmt: skip
    yield from each(
        page, "Accounts", Node, "account", lambda at, node: [_node(page, at, node, node.parent_id or "", True)]
    )
    yield from each(page, "Policies", Policy, "policy", lambda at, policy: _policy(page, documents, at, policy))


def _node(page: Page, pointer: str, node: Node, parent_id: str | None, is_account: bool) -> NodePart:
    return NodePart(page.pointer + pointer, node.id, node.arn, node.name, parent_id, is_account)


def _policy(
    page: Page, documents: DocumentStore, pointer: str, policy: Policy
) -> Iterator[OrganizationPolicyPart | Reject]:
    summary = policy.policy_summary
    kind = KINDS.get(summary.type)
    if kind is None:
        return
    label = f"{kind.upper()} {summary.name or summary.id} ({summary.id})"
    policy_id = yield from documents.use(page, f"{pointer}/Content", policy.content, kind, label)
    name, is_left_out = summary.name or summary.id, policy_id is None
    if is_left_out and kind == "scp":
        name, policy_id = name + NO_LIMIT, documents.outcome(ALLOW_ALL, kind).policy_id
    targets = tuple(target.target_id for target in policy.targets or ())
    yield OrganizationPolicyPart(page.pointer + pointer, summary.arn, name, kind, policy_id, is_left_out, targets)


def _identity(organization: Organization, nodes: list[NodePart]) -> tuple[str | None, str | None]:
    """Return the ids of the organization and of its management account, from a root's ARN where they are not given."""
    fields = next((node.arn.replace("/", ":").split(":") for node in nodes if node.parent_id is None), [])
    from_root = (fields[6], fields[4]) if len(fields) > 7 else (None, None)
    return organization.id or from_root[0], organization.master_account_id or from_root[1]
