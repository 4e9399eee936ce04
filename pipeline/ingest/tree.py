"""Builds the organization tree and hangs SCPs and RCPs on it. What does not fit is told and left out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.errors import PolicylakeError, Reject
from pipeline.flatten.records import AccountRecord, Attachment
from pipeline.ingest.parts import NodePart, OrganizationPart, OrganizationPolicyPart
from pipeline.wording import some

SHOWN_ACCOUNTS = 5


class Broken(NamedTuple):
    """Why a node has no path from the root: ``node`` is where the path breaks."""

    node: NodePart
    code: str


NodePath = tuple[NodePart, ...] | Broken


@dataclass(slots=True)
class Tree:
    """What the organization files give. ``missing`` tells by account what is unknown about its SCPs and RCPs."""

    accounts: dict[str, AccountRecord] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    rejects: list[Reject] = field(default_factory=list)


def tree(organizations: Iterable[OrganizationPart], latest: bool) -> Tree:
    """Return the accounts, attachments and rejects of all organizations.

    Raises PolicylakeError where two files hold the same organization with different data, or two organizations the
    same account, unless ``latest``: then the file whose name sorts last counts.
    """
    result = Tree()
    owners: dict[str, OrganizationPart] = {}
    for organization in _distinct(organizations, latest):
        for node in organization.nodes:
            if node.is_account:
                other = owners.setdefault(node.node_id, organization)
                if other is not organization and not latest:
                    _refuse(f"account {node.node_id} in different organizations", other.source, organization.source)
        _grow(organization, result)
    return result


def _distinct(organizations: Iterable[OrganizationPart], latest: bool) -> list[OrganizationPart]:
    held: dict[str, OrganizationPart] = {}
    for organization in sorted(organizations, key=lambda o: (o.source, o.pointer)):
        other = held.get(organization.organization_id)
        if other and not latest and _content(other) != _content(organization):
            words = f"organization {organization.organization_id}, with different data"
            _refuse(words, other.source, organization.source)
        held[organization.organization_id] = organization
    return sorted(held.values(), key=lambda o: (o.source, o.pointer))


def _refuse(what: str, first: str, second: str) -> None:
    remedy = "leave one of them out, or give --latest to use the one whose name sorts last"
    raise PolicylakeError(f"{first} and {second} both hold {what}; {remedy}")


def _content(organization: OrganizationPart) -> tuple[object, ...]:
    nodes = sorted(str(node[1:]) for node in organization.nodes)
    policies = sorted(str((*policy[1:-2], sorted(policy.targets))) for policy in organization.policies)
    return (organization.management_account_id, nodes, policies)


def _grow(organization: OrganizationPart, result: Tree) -> None:
    nodes = _nodes(organization, result)
    paths = _paths(nodes)
    for node_id, node in nodes.items():
        if node.is_account:
            result.accounts[node_id] = _account(organization, node, paths[node_id])
    for broken in sorted({path for path in paths.values() if isinstance(path, Broken)}):
        _tell_broken(organization, broken, paths, nodes, result)
    result.rejects += [_without_scp(organization, node) for node in organization.without_scp()]
    for policy in organization.policies:
        result.attachments += _attachments(organization, policy, nodes, paths, result)


def _without_scp(organization: OrganizationPart, node: NodePart) -> Reject:
    """Return that the file has no SCP of a node: AWS leaves none without (OLIM)."""
    message = f"{_words(node)} has no SCP in this file, and AWS leaves none without; it is taken to limit nothing"
    remedy = "collect its SCPs too (list-policies-for-target); answers about the accounts below are marked incomplete"
    return _reject(organization, node.pointer, "no-scp", message, remedy)._replace(severity="warning")


def _nodes(organization: OrganizationPart, result: Tree) -> dict[str, NodePart]:
    nodes: dict[str, NodePart] = {}
    for node in organization.nodes:
        earlier = nodes.setdefault(node.node_id, node)
        if earlier[1:] != node[1:]:
            message = f"{_words(node)} stands twice, with different data; the first one counts"
            result.rejects.append(_reject(organization, node.pointer, "duplicate-node", message, "keep one of them"))
    return nodes


def _paths(nodes: dict[str, NodePart]) -> dict[str, NodePath]:
    """Return for each node the nodes from the root down to it, or where the way up breaks."""
    paths: dict[str, NodePath] = {}
    for node in nodes.values():
        way, path = _way_up(node, nodes, paths)
        for below in reversed(way):
            path = path if isinstance(path, Broken) else (*path, below)
            paths[below.node_id] = path
    return paths


def _way_up(node: NodePart, nodes: dict[str, NodePart], paths: dict[str, NodePath]) -> tuple[list[NodePart], NodePath]:
    """Return the nodes from ``node`` up to one whose path is known, and that path."""
    way: dict[str, NodePart] = {}
    while node.node_id not in paths:
        if node.node_id in way:
            circle = list(way.values())[list(way).index(node.node_id) :]
            return list(way.values()), Broken(min(circle), "organization-cycle")
        way[node.node_id] = node
        if node.parent_id is None:
            return list(way.values()), ()
        parent = nodes.get(node.parent_id)
        if parent is None or parent.is_account:
            return list(way.values()), Broken(node, "unknown-parent")
        node = parent
    return list(way.values()), paths[node.node_id]


def _account(organization: OrganizationPart, node: NodePart, path: NodePath) -> AccountRecord:
    is_management = node.node_id == organization.management_account_id
    if isinstance(path, Broken):
        return AccountRecord(node.node_id, node.name, None, None, is_management, None, False, ())
    ou_path = "/".join([organization.organization_id, *(above.node_id for above in path[:-1]), ""])
    ancestors = tuple((above.arn, above.name) for above in path)
    return AccountRecord(
        node.node_id, node.name, organization.organization_id, ou_path, is_management, None, False, ancestors
    )


def _tell_broken(
    organization: OrganizationPart, broken: Broken, paths: dict[str, NodePath], nodes: dict[str, NodePart], result: Tree
) -> None:
    affected = sorted(node_id for node_id, path in paths.items() if path == broken and nodes[node_id].is_account)
    for account_id in affected:
        result.missing[account_id].append(f"place of account {account_id} in its organization")
    shown = some(affected, SHOWN_ACCOUNTS) or "none"
    what = f"accounts without a known place, evaluated without SCPs and RCPs: {shown}"
    if broken.code == "unknown-parent":
        reason = f"has the unknown parent {broken.node.parent_id!r}" if broken.node.parent_id else "has no ParentId"
    else:
        reason = "is below itself"
    message = f"{_words(broken.node)} {reason}; {what}"
    remedy = "collect the organization again, with the parent of each unit and account"
    result.rejects.append(_reject(organization, broken.node.pointer, broken.code, message, remedy))


def _attachments(
    organization: OrganizationPart,
    policy: OrganizationPolicyPart,
    nodes: dict[str, NodePart],
    paths: dict[str, NodePath],
    result: Tree,
) -> Iterator[Attachment]:
    for index, target_id in enumerate(policy.targets):
        node = nodes.get(target_id)
        if node is None:
            message = f"{policy.kind.upper()} {policy.name}: the target {target_id!r} is not in the organization"
            place = f"{policy.pointer}/Targets/{policy.indexes[index]}"
            remedy = "collect the organization again; the policy's other targets were read"
            result.rejects.append(_reject(organization, place, "unknown-target", message, remedy))
            continue
        if policy.is_left_out:
            for account_id in _accounts_below(node, paths):
                result.missing[account_id].append(policy.arn)
        if policy.policy_id is not None:
            path = paths[target_id]
            level = None if isinstance(path, Broken) else len(path) - 1
            owner = node.node_id if node.is_account else None
            identity = (policy.policy_id, policy.name, policy.arn, level, organization.source)
            yield Attachment(node.arn, owner, policy.kind, *identity)


def _accounts_below(node: NodePart, paths: dict[str, NodePath]) -> Iterator[str]:
    for path in paths.values():
        if isinstance(path, tuple) and not isinstance(path, Broken) and node in path and path[-1].is_account:
            yield path[-1].node_id


def _words(node: NodePart) -> str:
    kind = "account" if node.is_account else "root" if node.parent_id is None else "organizational unit"
    return f"{kind} {node.name or ''} ({node.node_id})".replace("  ", " ")


def _reject(organization: OrganizationPart, pointer: str, code: str, message: str, remedy: str) -> Reject:
    return Reject(organization.source, None, None, pointer, "error", code, message, remedy)
