"""Tells which accounts the unreadable parts of an organization may concern: SCPs and RCPs that act on them unseen."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pipeline.flatten.records import AccountRecord
from pipeline.ingest.parts import OrganizationPart, UnreadControl, UnreadNodePart
from pipeline.ingest.tree import Tree


def doubts(
    organizations: Iterable[OrganizationPart], lost: Sequence[UnreadNodePart], grown: Tree, exported: Iterable[str]
) -> dict[str, list[str]]:
    """Return by account what is not known about its SCPs and RCPs, and about its place in an organization.

    What was left out of an organization's policies concerns the accounts below its targets, all accounts where these
    are not known. What was left out of its nodes concerns exported accounts that stand in no organization.
    """
    missing: dict[str, list[str]] = defaultdict(list)
    latest = {o.organization_id: o for o in sorted(organizations, key=lambda o: (o.source, o.pointer))}
    for organization in latest.values():
        nodes = {node.node_id for node in organization.nodes}
        members = [account for account_id, account in grown.accounts.items() if account_id in nodes]
        for control in _unread(organization):
            for account in members:
                if not account.is_management_account and _concerns(control, account, nodes):
                    missing[account.account_id].append(control.name)
    for account_id in exported:
        if account_id not in grown.accounts:
            missing[account_id] += [part.what for part in lost]
    return missing


def _unread(organization: OrganizationPart) -> Iterator[UnreadControl]:
    """Yield what was left out, the policies of which a target is not in the organization, and levels without SCPs."""
    yield from organization.unread
    nodes = {node.node_id for node in organization.nodes}
    for policy in organization.policies:
        if not nodes.issuperset(policy.targets):
            yield UnreadControl(policy.arn, None)
    for node in organization.without_scp():
        yield UnreadControl(f"SCPs of {node.name or node.node_id} ({node.node_id})", (node.node_id,))


def _concerns(control: UnreadControl, account: AccountRecord, nodes: set[str]) -> bool:
    if control.targets is None or not nodes.issuperset(control.targets):
        return True
    above = {account.account_id, *(account.ou_path or "").split("/")}
    return not above.isdisjoint(control.targets)
