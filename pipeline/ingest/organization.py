"""Reads ``organization.json``: the members of AWS's organization lists, put together with their parents and targets."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from pipeline.errors import Reject
from pipeline.iam.model import CONTROL_TYPES
from pipeline.ingest.arns import ACCOUNT_ID
from pipeline.ingest.decode import Page, items, kind_of, one, unrepeated
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.endings import follows
from pipeline.ingest.parts import (
    NodePart,
    OrganizationPart,
    OrganizationPolicyPart,
    Part,
    UnreadControl,
    UnreadNodePart,
)
from pipeline.wording import counted

CONTENT = "organization"
RECOGNISES = "organization.json: Organization or Roots, with OrganizationalUnits, Accounts, Policies"
YIELDS = "the organization with its tree, SCPs and RCPs; policies of other types are skipped"

#: Types that decide nothing about access, of https://docs.aws.amazon.com/organizations/latest/APIReference/API_Policy.html
IRRELEVANT = frozenset({
    "AISERVICES_OPT_OUT_POLICY", "BACKUP_POLICY", "BEDROCK_POLICY", "CHATBOT_POLICY", "DECLARATIVE_POLICY_EC2",
    "INSPECTOR_POLICY", "NETWORK_SECURITY_DIRECTOR_POLICY", "S3_POLICY", "SECURITYHUB_POLICY", "TAG_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
})  # fmt: skip
NODES = {"Roots": "root", "OrganizationalUnits": "organizational unit", "Accounts": "account"}
PLACE = "place of the account in its organization"
MARKED = "answers about the accounts that it may concern are marked incomplete"


#: The feature set of organizations without policies.
CONSOLIDATED_BILLING = "CONSOLIDATED_BILLING"

#: Stands for an SCP that cannot be read: what only limits and is not known limits nothing, lest access stay hidden.
ALLOW_ALL = Raw(b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}')
NO_LIMIT = " (cannot be read: taken to allow everything)"


class Organization(msgspec.Struct, rename="pascal"):
    """The answer of describe-organization."""

    id: str | None = None
    arn: str | None = None
    master_account_id: str | None = None
    feature_set: str | None = None


class PolicyType(msgspec.Struct, rename="pascal"):
    """A policy type of a root and whether it is ENABLED there."""

    type: str
    status: str


class Root(msgspec.Struct, rename="pascal"):
    """What list-roots says of a root's policy types; they are decoded apart."""

    policy_types: Raw = Raw(b"null")


class SwitchedOff(NamedTuple):
    """Why policies of a kind have no effect, and where that is said."""

    pointer: str
    why: str


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
    """A policy with its content and targets, each decoded apart: what is wrong with one does not hide the others."""

    policy_summary: Raw
    content: Raw = Raw(b"null")
    targets: Raw = Raw(b"null")


class Targets(NamedTuple):
    """The targets that could be read, with their indexes, and whether these are all."""

    ids: tuple[str, ...]
    indexes: tuple[int, ...]
    are_all: bool

    @property
    def known(self) -> tuple[str, ...] | None:
        """The targets, None where not all could be read."""
        return self.ids if self.are_all else None


def recognises(names: frozenset[str]) -> bool:
    """Whether an object with these members is an organization."""
    return bool(names & {"Organization", "Roots"})


def read(page: Page, documents: DocumentStore) -> Iterator[Part]:
    """Yield the organization; a node or policy of the wrong shape is a reject and the others go on.

    What was left out and may be an SCP or RCP, or the place of an account, is told to whoever marks the accounts.
    """
    page = yield from unrepeated(page)
    described = page.members.get("Organization", Raw(b"{}"))
    organization = one(page, "/Organization", described, Organization, "organization")
    if isinstance(organization, Reject):
        yield organization
        organization = Organization()
    nodes = yield from _nodes(page)
    policies: list[OrganizationPolicyPart] = []
    unread: list[UnreadControl] = []
    off = yield from _switched_off(page, organization)
    for found in (*_policies(page, documents), *_cut_off(page)):
        if isinstance(found, OrganizationPolicyPart):
            policies.append(found)
        elif isinstance(found, UnreadControl):
            unread.append(found)
        else:
            yield found
    yield from _without_effect(page, off, policies)
    policies = [policy for policy in policies if policy.kind not in off]
    organization_id, management = _identity(organization, nodes)
    if organization_id is None:
        message = "neither Organization nor a root's ARN tells the organization's id"
        remedy = f"add the answer of describe-organization as Organization; all of it was left out, {MARKED}"
        yield page.reject("", "error", "no-organization-id", message, remedy)
        yield UnreadNodePart(page.source, PLACE)
        return
    yield OrganizationPart(
        page.source, page.pointer, organization_id, management, tuple(nodes), tuple(policies), tuple(unread)
    )


def _switched_off(page: Page, organization: Organization) -> Generator[Reject, None, dict[str, SwitchedOff]]:
    """Return the kinds of policies that the organization has switched off, as far as the file tells.

    Without all features there are no policies (describe-organization: FeatureSet); of a type that is not enabled in the
    root none has an effect (list-roots: PolicyTypes, AWS Organizations API Reference: DisablePolicyType).
    """
    if organization.feature_set == CONSOLIDATED_BILLING:
        found = SwitchedOff("/Organization/FeatureSet", f"FeatureSet is {CONSOLIDATED_BILLING}")
        return dict.fromkeys(CONTROL_TYPES.values(), found)
    off: dict[str, SwitchedOff] = {}
    for root in items(page, "Roots", Root, "root"):
        if isinstance(root, Reject) or kind_of(root[1].policy_types) == "null":
            continue
        pointer = f"{root[0]}/PolicyTypes"
        listed = one(page, pointer, root[1].policy_types, list[PolicyType], "root: PolicyTypes")
        if isinstance(listed, Reject):
            yield listed._replace(remedy=f"{listed.remedy}; every type is taken to be enabled")
            continue
        enabled = {policy.type for policy in listed if policy.status == "ENABLED"}
        off |= {
            kind: SwitchedOff(pointer, f"PolicyTypes of the root does not have {policy_type} as ENABLED")
            for policy_type, kind in CONTROL_TYPES.items()
            if policy_type not in enabled
        }
    return off


def _without_effect(
    page: Page, off: Mapping[str, SwitchedOff], policies: Sequence[OrganizationPolicyPart]
) -> Iterator[Reject]:
    """Tell of policies that are switched off."""
    for kind, found in off.items():
        count = sum(policy.kind == kind and bool(policy.targets) for policy in policies)
        if count:
            message = f"{found.why}: {counted(count, kind.upper())} with targets have no effect"
            remedy = "export it again if they are in use; they were left out, as AWS leaves them out"
            yield page.reject(found.pointer, "warning", "policies-switched-off", message, remedy)


def _cut_off(page: Page) -> Iterator[UnreadControl | UnreadNodePart | Reject]:
    """Tell of an organization that goes on elsewhere."""
    more = follows(page.members, "NextToken")
    if more is None:
        return
    message = "the organization ends in the middle: NextToken says that another page follows"
    remedy = f"export all pages and join their lists; {MARKED}"
    yield page.reject(more, "error", "truncated-list", message, remedy)
    yield UnreadNodePart(page.source, PLACE)
    yield UnreadControl("rest of the SCPs and RCPs of the organization", None)


def _nodes(page: Page) -> Generator[Part, None, list[NodePart]]:
    nodes: list[NodePart] = []
    are_all = page.unread.isdisjoint(NODES)
    for member, what in NODES.items():
        for found in items(page, member, Node, what):
            node = found if isinstance(found, Reject) else _node(page, *found, what)
            if isinstance(node, NodePart):
                nodes.append(node)
            else:
                yield node
                are_all = False
    if not are_all:
        yield UnreadNodePart(page.source, PLACE)
    return nodes


def _node(page: Page, pointer: str, node: Node, what: str) -> NodePart | Reject:
    if what == "account" and not ACCOUNT_ID.fullmatch(node.id):
        message = f"account: {node.id!r} is no account id, which has twelve digits"
        return page.reject(f"{pointer}/Id", "error", "bad-account-id", message, "export it again; this was left out")
    parent_id = None if what == "root" else node.parent_id or ""
    return NodePart(page.pointer + pointer, node.id, node.arn, node.name, parent_id, what == "account")


def _policies(page: Page, documents: DocumentStore) -> Iterator[OrganizationPolicyPart | UnreadControl | Reject]:
    if "Policies" in page.unread:
        yield UnreadControl("SCPs and RCPs of the organization", None)
    for found in items(page, "Policies", Policy, "policy"):
        if isinstance(found, Reject):
            yield found
            yield UnreadControl(f"policy of the organization at {found.pointer}", None)
        else:
            yield from _policy(page, documents, *found)


def _policy(
    page: Page, documents: DocumentStore, pointer: str, policy: Policy
) -> Iterator[OrganizationPolicyPart | UnreadControl | Reject]:
    summary = one(page, f"{pointer}/PolicySummary", policy.policy_summary, Summary, "policy: PolicySummary")
    if isinstance(summary, Reject):
        yield summary._replace(remedy=f"{summary.remedy}, {MARKED}")
        targets = yield from _targets(page, pointer, policy.targets, "policy")
        yield UnreadControl(f"policy of the organization at {page.pointer}{pointer}", targets.known)
        return
    if summary.type in IRRELEVANT:
        return
    kind = CONTROL_TYPES.get(summary.type)
    name = summary.name or summary.id
    label = f"{kind.upper() if kind else 'policy'} {name} ({summary.id})"
    targets = yield from _targets(page, pointer, policy.targets, label)
    if kind is None or not targets.are_all:
        yield UnreadControl(summary.arn, targets.known)
    if kind is None:
        message = f"{label}: {summary.type!r} is no type of policy that AWS has"
        remedy = f"write {' or '.join(CONTROL_TYPES)} if it is one; this policy was left out, {MARKED}"
        yield page.reject(f"{pointer}/PolicySummary/Type", "error", "unknown-policy-type", message, remedy)
        return
    policy_id = yield from documents.use(page, f"{pointer}/Content", policy.content, kind, label)
    is_left_out = policy_id is None
    if is_left_out and kind == "scp":
        name, policy_id = name + NO_LIMIT, documents.outcome(ALLOW_ALL, kind).policy_id
    for doubt in documents.doubts(policy.content, kind, label):
        yield UnreadControl(doubt, targets.known)
    place = page.pointer + pointer
    yield OrganizationPolicyPart(place, summary.arn, name, kind, policy_id, is_left_out, targets.ids, targets.indexes)


def _targets(page: Page, pointer: str, raw: Raw, label: str) -> Generator[Reject, None, Targets]:
    """Read the targets one by one."""
    place = page._replace(pointer=page.pointer + pointer, members={"Targets": raw})
    ids, indexes, are_all = [], [], True
    for found in items(place, "Targets", Target, f"{label}: target"):
        if isinstance(found, Reject):
            yield found._replace(remedy=f"{found.remedy}, {MARKED}")
            are_all = False
        else:
            at, target = found
            ids.append(target.target_id)
            indexes.append(int(at.rsplit("/", 1)[-1]))
    return Targets(tuple(ids), tuple(indexes), are_all)


def _identity(organization: Organization, nodes: list[NodePart]) -> tuple[str | None, str | None]:
    """Return the ids of the organization and of its management account, from a root's ARN where they are not given."""
    fields = next((node.arn.replace("/", ":").split(":") for node in nodes if node.parent_id is None), [])
    from_root = (fields[6], fields[4]) if len(fields) > 7 else (None, None)
    return organization.id or from_root[0], organization.master_account_id or from_root[1]
