"""Resolves what files say of each other, after all of them are read: groups, managed policies, boundaries, targets."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar, cast

from pipeline.errors import PolicylakeError, Reject
from pipeline.flatten.records import (
    AccountRecord,
    Attachment,
    AttachmentKind,
    Document,
    Inputs,
    PrincipalRecord,
    SourceFile,
)
from pipeline.iam.grammar import account_in
from pipeline.ingest.accounts import Account, accounts, owners
from pipeline.ingest.arns import is_vpc_endpoint
from pipeline.ingest.doubts import doubts
from pipeline.ingest.endings import endings
from pipeline.ingest.parts import (
    ExportPart,
    LoosePolicyPart,
    ManagedPolicyPart,
    OrganizationPart,
    PagePart,
    Part,
    PrincipalPart,
    ResourcePart,
    ResourcePolicyPart,
    TrainingJobPart,
    UnreadNodePart,
)
from pipeline.ingest.tree import Tree, tree

T = TypeVar("T")
R = TypeVar("R", ResourcePart, TrainingJobPart, ResourcePolicyPart)

#: Parts whose account decides, with all others of it, what they mean.
OF_ACCOUNTS = (ExportPart, PrincipalPart, ManagedPolicyPart)
INCOMPLETE = "export the account again without --filter; answers about this principal are marked incomplete"


@dataclass(slots=True)
class Draft:
    """The rows so far. Attachments are held by their grain; ``missing`` tells by account what its principals lack.

    ``unresolved`` are the managed policies, by account, that are named and nowhere.
    """

    principals: list[PrincipalRecord] = field(default_factory=list)
    memberships: set[tuple[str, str]] = field(default_factory=set)
    attachments: dict[tuple[str, str, str, str, str], Attachment] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unresolved: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def attach(self, attachment: Attachment) -> None:
        """Add an attachment; of several that differ in nothing but their source the first in order stays."""
        a = attachment
        grain = (a.target_arn, a.attachment_kind, a.policy_id, a.policy_name, a.policy_arn or "")
        held = self.attachments.get(grain)
        if held is None or a.source < held.source:
            self.attachments[grain] = a

    def lack(self, missing: Mapping[str, Iterable[str]]) -> None:
        """Add what is missing, by account."""
        for account_id, what in missing.items():
            self.missing[account_id] += what


class Settled(NamedTuple):
    """What can be said of accounts by their own files alone, once no other file holds anything of them.

    ``sources`` are the files of each account; ``unresolved`` the managed policies that it names and its files lack.
    """

    accounts: tuple[Account, ...]
    sources: dict[str, frozenset[str]]
    unresolved: dict[str, frozenset[str]]
    inputs: Inputs


def settle(parts: Sequence[Part], latest: bool) -> tuple[Settled, list[Part]]:
    """Resolve the accounts of the parts of some files; return them, and the parts that wait for the other files.

    Nothing is settled where files contradict each other: whoever sees all files tells that.
    """
    owners = owners_of(parts)
    settled = {source for source, accounts in owners.items() if None not in accounts}
    of_accounts = [part for part in parts if isinstance(part, OF_ACCOUNTS) and part.source in settled]
    by_type = _by_type(of_accounts)
    try:
        found = accounts(*_of_accounts(by_type), latest)
    except PolicylakeError:
        return Settled((), {}, {}, Inputs()), list(parts)
    draft = Draft()
    for account in found:
        draft.rejects += account.rejects
        _Resolver(account, {}, (), draft).resolve()
    sources: dict[str, set[str]] = defaultdict(set)
    for source in settled:
        for account_id in owners[source]:
            sources[account_id or ""].add(source)
    inputs = Inputs(
        principals=tuple(draft.principals),
        memberships=tuple(draft.memberships),
        attachments=tuple(draft.attachments.values()),
        rejects=tuple(draft.rejects),
    )
    bare = tuple(account._replace(principals=(), policies={}, rejects=()) for account in found)
    waiting = [part for part in parts if not (isinstance(part, OF_ACCOUNTS) and part.source in settled)]
    return Settled(bare, _frozen(sources), _frozen(draft.unresolved), inputs), waiting


def owners_of(parts: Iterable[Part]) -> dict[str, set[str | None]]:
    """Return the accounts of each file of account exports; None stands for AWS's policies in a file of no account."""
    return owners(*_of_accounts(_by_type(parts)))


def _of_accounts(
    by_type: Mapping[type, list[Part]],
) -> tuple[list[ExportPart], list[PrincipalPart], list[ManagedPolicyPart]]:
    return _only(by_type, ExportPart), _only(by_type, PrincipalPart), _only(by_type, ManagedPolicyPart)


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(values) for key, values in sets.items()}


def _by_type(parts: Iterable[Part]) -> dict[type, list[Part]]:
    by_type: dict[type, list[Part]] = defaultdict(list)
    for part in parts:
        by_type[type(part)].append(part)
    return by_type


def assemble(
    parts: Sequence[Part],
    documents: tuple[Document, ...],
    sources: Sequence[SourceFile],
    latest: bool,
    settled: Sequence[Account] = (),
) -> Inputs:
    """Return the inputs, everything sorted; rejects have no lines yet.

    ``settled`` are accounts whose principals were resolved before; what they lack besides is in ``Inputs.lacking``.

    Raises PolicylakeError where files contradict each other and ``latest`` does not say which counts.
    """
    by_type = _by_type(parts)
    draft = Draft(rejects=_only(by_type, Reject))
    organization = tree(_only(by_type, OrganizationPart), latest)
    exported = (*accounts(*_of_accounts(by_type), latest), *settled)
    _add_organization(by_type, organization, exported, draft)
    cut_off = endings(_only(by_type, PagePart))
    draft.rejects += cut_off.rejects
    draft.lack(cut_off.missing)
    listed = {part.record.resource_arn: part.record.owner for part in _only(by_type, ResourcePart)}
    _attach_resources(_only(by_type, ResourcePolicyPart), listed, draft)
    _resolve(exported, draft)
    _attach_loose(_only(by_type, LoosePolicyPart), draft)
    resources = _latest_by_name(
        _only(by_type, ResourcePart), lambda p: p.record.resource_arn, lambda p: p.record, "list of tags", draft
    )
    jobs = _latest_by_name(
        _only(by_type, TrainingJobPart), lambda p: p.record.training_job_arn, lambda p: p.record, "entry", draft
    )
    return Inputs(
        sources=tuple(sorted(sources)),
        accounts=_account_records(exported, organization.accounts),
        principals=tuple(sorted(draft.principals, key=lambda p: p.principal_arn)),
        memberships=tuple(sorted(draft.memberships)),
        documents=documents,
        attachments=tuple(draft.attachments[grain] for grain in sorted(draft.attachments)),
        inventory=tuple(part.record for part in resources),
        training_jobs=tuple(part.record for part in jobs),
        rejects=tuple(draft.rejects),
        lacking={a.account_id: tuple(draft.missing[a.account_id]) for a in settled if a.account_id in draft.missing},
    )


def _add_organization(
    by_type: Mapping[type, list[Part]], organization: Tree, exported: Sequence[Account], draft: Draft
) -> None:
    """Attach its SCPs and RCPs, and add what is not known of its accounts."""
    draft.rejects += organization.rejects
    for attachment in organization.attachments:
        draft.attach(attachment)
    draft.lack(organization.missing)
    ids = [account.account_id for account in exported if account.account_id]
    draft.lack(doubts(_only(by_type, OrganizationPart), _only(by_type, UnreadNodePart), organization, ids))


def _resolve(exported: Sequence[Account], draft: Draft) -> None:
    """Find the policies that the principals of all accounts name, AWS's in files of no account included."""
    unowned = next((account.policies for account in exported if account.account_id is None), {})
    for account in exported:
        draft.rejects += account.rejects
        _Resolver(account, unowned, tuple(draft.missing.get(account.account_id or "", ())), draft).resolve()


def _only(by_type: Mapping[type, list[Part]], kind: type[T]) -> list[T]:
    return cast(list[T], by_type.get(kind, []))


def _account_records(exported: Sequence[Account], members: dict[str, AccountRecord]) -> tuple[AccountRecord, ...]:
    records = dict(members)
    for account in exported:
        if account.account_id:
            bare = AccountRecord(account.account_id, None, None, None, False, None, False, ())
            known = records.get(account.account_id, bare)
            records[account.account_id] = known._replace(data_as_of=account.data_as_of, is_exported=True)
    return tuple(records[account_id] for account_id in sorted(records))


@dataclass(slots=True)
class _Resolver:
    """Resolves the references within one account. ``unowned`` are AWS's policies from files that name no account."""

    account: Account
    unowned: dict[str, ManagedPolicyPart]
    account_missing: tuple[str, ...]
    draft: Draft
    groups: dict[str, str] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)

    def resolve(self) -> None:
        """Resolve groups first: what they lack their members lack too."""
        by_kind = sorted(self.account.principals, key=lambda p: p.principal_type != "group")
        self.groups = {p.name.lower(): p.arn for p in by_kind if p.principal_type == "group"}
        for principal in by_kind:
            self._principal(principal)

    def _principal(self, p: PrincipalPart) -> None:
        missing = [*self.account_missing, *p.missing]
        self._inline(p, missing)
        for index, reference in enumerate(p.managed):
            place = f"/AttachedManagedPolicies/{index}"
            policy_id = self._managed(p, reference.arn, place, "missing-policy", "attached managed policy", missing)
            if policy_id:
                self._attach(p, "managed", policy_id, reference.name, reference.arn)
        boundary_id = self._boundary(p, missing)
        for index, name in enumerate(p.groups):
            self._join(p, index, name, missing)
        if missing and p.principal_type == "group":
            self.missing[p.arn] = missing
        record = PrincipalRecord(
            p.arn, p.account_id, p.principal_type, p.name, p.path, p.principal_id, p.tags, boundary_id,
            p.created_at, p.last_used_at, tuple(sorted(set(missing))), p.source,
        )  # fmt: skip
        self.draft.principals.append(record)

    def _inline(self, p: PrincipalPart, missing: list[str]) -> None:
        for policy in p.inline:
            if policy.policy_id:
                self._attach(p, "inline", policy.policy_id, policy.name, None)
            else:
                missing.append(f"inline policy {policy.name} of {p.arn}")
        if p.trust and p.trust.policy_id:
            self._attach(p, "trust", p.trust.policy_id, "", None)
        elif p.trust:
            missing.append(f"trust policy of {p.arn}")

    def _boundary(self, p: PrincipalPart, missing: list[str]) -> str | None:
        if p.boundary_arn is None:
            return None
        place = "/PermissionsBoundary/PermissionsBoundaryArn"
        policy_id = self._managed(p, p.boundary_arn, place, "missing-boundary", "permissions boundary", missing)
        if policy_id:
            name = self._policy(p.boundary_arn)
            self._attach(p, "boundary", policy_id, name.name if name else "", p.boundary_arn)
        return policy_id

    def _managed(self, p: PrincipalPart, arn: str, place: str, code: str, what: str, missing: list[str]) -> str | None:
        policy = self._policy(arn)
        if policy is None or policy.policy_id is None or policy.missing:
            missing.append(arn)
        missing += policy.doubts if policy else ()
        if policy is None:
            self.draft.unresolved[p.account_id].add(arn)
            self._tell(p, place, code, f"{p.arn}: its {what} {arn} is not in the export")
        return policy.policy_id if policy else None

    def _policy(self, arn: str) -> ManagedPolicyPart | None:
        return self.account.policies.get(arn) or self.unowned.get(arn)

    def _join(self, p: PrincipalPart, index: int, name: str, missing: list[str]) -> None:
        group_arn = self.groups.get(name.lower())
        if group_arn is None:
            missing.append(f"group {name}")
            self._tell(p, f"/GroupList/{index}", "missing-group", f"{p.arn}: its group {name} is not in the export")
        else:
            missing += self.missing.get(group_arn, ())
            self.draft.memberships.add((p.arn, group_arn))

    def _attach(
        self, p: PrincipalPart, kind: AttachmentKind, policy_id: str, name: str, policy_arn: str | None
    ) -> None:
        self.draft.attach(Attachment(p.arn, p.account_id, kind, policy_id, name, policy_arn, None, p.source))

    def _tell(self, p: PrincipalPart, place: str, code: str, message: str) -> None:
        self.draft.rejects.append(Reject(p.source, None, None, p.pointer + place, "error", code, message, INCOMPLETE))


def _attach_resources(policies: Iterable[ResourcePolicyPart], listed: Mapping[str, str | None], draft: Draft) -> None:
    """Attach one policy to each resource: AWS keeps no second one. One that was rejected marks its owner's account.

    ``listed`` has the owners of buckets.
    """
    readable = []
    for policy in policies:
        if policy.policy_id:
            readable.append(policy)
        elif owner := _owner(policy, listed):
            draft.missing[owner].append(f"policy of {policy.resource_arn}")
    for policy in _latest_by_name(readable, lambda p: p.resource_arn, lambda p: p.policy_id, "policy", draft):
        arn = policy.resource_arn
        owner = _owner(policy, listed)
        if policy.doubts and owner:
            draft.missing[owner] += policy.doubts
        kind: AttachmentKind = "endpoint" if is_vpc_endpoint(arn) else "resource"
        draft.attach(Attachment(arn, owner, kind, policy.policy_id or "", "", None, None, policy.source))


def _owner(policy: ResourcePolicyPart, listed: Mapping[str, str | None]) -> str | None:
    return account_in(policy.resource_arn) or listed.get(policy.resource_arn) or policy.owner


def _attach_loose(policies: Iterable[LoosePolicyPart], draft: Draft) -> None:
    """Make a principal of each loose document; where two have one name, the later file's gets ``~2`` and so on."""
    taken: set[str] = set()
    for policy in sorted(policies, key=lambda p: (p.name, p.source)):
        name = policy.name
        copy = 1
        while name in taken:
            copy += 1
            name = f"{policy.name}~{copy}"
        taken.add(name)
        arn, stem = f"policy/{name}", name.rsplit("/", 1)[-1]
        draft.principals.append(
            PrincipalRecord(arn, None, "policy", stem, None, None, (), None, None, None, policy.doubts, policy.source)
        )
        draft.attach(Attachment(arn, None, "inline", policy.policy_id, stem, None, None, policy.source))


def _latest_by_name(
    parts: list[R], key: Callable[[R], str], content: Callable[[R], object], what: str, draft: Draft
) -> list[R]:
    """Return one part for each ARN, sorted; where two differ, the file whose name sorts last counts, with a warning."""
    held: dict[str, R] = {}
    for part in sorted(parts, key=lambda p: p.source):
        arn = key(part)
        earlier = held.get(arn)
        if earlier and content(earlier) != content(part):
            message = f"{arn} has another {what} in {part.source}, which counts"
            if earlier.source == part.source:
                message = f"{arn} has another {what} further down, which counts"
            place = (earlier.source, None, None, earlier.pointer)
            draft.rejects.append(Reject(*place, "warning", "conflicting-data", message, "leave out the older one"))
        held[arn] = part
    return [held[arn] for arn in sorted(held)]
