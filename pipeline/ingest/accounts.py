"""Puts the files of each account together. Data that contradict each other are refused, or the newest file wins."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn, TypeAlias, TypeVar

from pipeline.errors import PolicylakeError, Reject
from pipeline.ingest.parts import ExportPart, ManagedPolicyPart, PrincipalPart

T = TypeVar("T", PrincipalPart, ManagedPolicyPart)
Items: TypeAlias = Mapping[str, PrincipalPart] | Mapping[str, ManagedPolicyPart]


@dataclass(slots=True)
class Share:
    """What one file holds of one account, by ARN."""

    account_id: str | None
    source: str
    principals: dict[str, PrincipalPart] = field(default_factory=dict)
    policies: dict[str, ManagedPolicyPart] = field(default_factory=dict)
    aws_policies: dict[str, ManagedPolicyPart] = field(default_factory=dict)

    @property
    def newest(self) -> str:
        """The latest date in the data, empty where there is none."""
        dates = [date for p in self.principals.values() for date in (p.created_at, p.last_used_at)]
        dates += [policy.changed_at for held in (self.policies, self.aws_policies) for policy in held.values()]
        return max((date for date in dates if date), default="")


class Account(NamedTuple):
    """An exported account. ``account_id`` None holds AWS's own policies from files that name no account."""

    account_id: str | None
    principals: tuple[PrincipalPart, ...]
    policies: dict[str, ManagedPolicyPart]
    data_as_of: str | None
    rejects: tuple[Reject, ...]


def accounts(
    exports: Iterable[ExportPart],
    principals: Iterable[PrincipalPart],
    policies: Iterable[ManagedPolicyPart],
    latest: bool,
) -> tuple[Account, ...]:
    """Return the accounts sorted by id, each put together from its files.

    Raises PolicylakeError where two files hold the same account with different data, unless ``latest``: then of two
    such files the one with the newest date in it counts, on a tie the one whose name sorts last.
    """
    shares = _shares(exports, principals, policies, latest)
    return tuple(
        _joined(account_id, shares[account_id], latest) for account_id in sorted(shares, key=lambda a: a or "")
    )


def _shares(
    exports: Iterable[ExportPart],
    principals: Iterable[PrincipalPart],
    policies: Iterable[ManagedPolicyPart],
    latest: bool,
) -> dict[str | None, list[Share]]:
    principals, policies = list(principals), list(policies)
    owners = _owners(exports, principals, policies)
    shares = {(source, account): Share(account, source) for source, found in owners.items() for account in found}
    for principal in principals:
        _add(shares[principal.source, principal.account_id].principals, principal, latest)
    for policy in policies:
        if policy.account_id:
            _add(shares[policy.source, policy.account_id].policies, policy, latest)
        else:
            for account in owners[policy.source]:
                held = shares[policy.source, account].aws_policies
                held[policy.arn] = max(policy, held.get(policy.arn, policy), key=_age)
    by_account: dict[str | None, list[Share]] = defaultdict(list)
    for share in shares.values():
        by_account[share.account_id].append(share)
    return by_account


def _owners(
    exports: Iterable[ExportPart], principals: Iterable[PrincipalPart], policies: Iterable[ManagedPolicyPart]
) -> dict[str, set[str | None]]:
    """Return the accounts of each file: those that its ARNs name, else the one that its name tells."""
    owners: dict[str, set[str | None]] = defaultdict(set)
    for principal in principals:
        owners[principal.source].add(principal.account_id)
    for policy in policies:
        if policy.account_id:
            owners[policy.source].add(policy.account_id)
    for export in exports:
        if not owners[export.source]:
            owners[export.source].add(export.account_id)
    return owners


def _age(policy: ManagedPolicyPart) -> tuple[str, str, str]:
    return (policy.changed_at or "", policy.source, policy.pointer)


def _add(held: dict[str, T], item: T, latest: bool) -> None:
    earlier = held.get(item.arn)
    if earlier is not None and not latest and _content(earlier) != _content(item):
        raise PolicylakeError(
            f"{item.source}: {item.arn} stands twice, with different data; "
            "keep one of them, or give --latest to use the last"
        )
    held[item.arn] = item


def _content(item: PrincipalPart | ManagedPolicyPart) -> tuple[object, ...]:
    """Return what must be the same in two files; the order of lists does not count."""
    if isinstance(item, ManagedPolicyPart):
        return (item.name, item.policy_id)
    return tuple(sorted(value, key=repr) if type(value) is tuple else value for value in item[2:])


def _joined(account_id: str | None, shares: Sequence[Share], latest: bool) -> Account:
    accepted: list[Share] = []
    for share in sorted(shares, key=lambda s: (s.newest, s.source), reverse=True):
        conflict = next(((other, arn) for other in accepted for arn in _conflicts(share, other)), None)
        if conflict and not latest:
            _refuse(share, *conflict)
        if not conflict:
            accepted.append(share)
    principals: dict[str, PrincipalPart] = {}
    policies: dict[str, ManagedPolicyPart] = {}
    for share in sorted(accepted, key=lambda s: s.source, reverse=True):
        principals.update(share.principals)
        policies.update(share.policies)
    aws_policies, rejects = _aws_policies(accepted)
    newest = max((share.newest for share in accepted), default="") or None
    if account_id is None:
        rejects += tuple(_nameless(share) for share in accepted)
    sorted_principals = tuple(principals[arn] for arn in sorted(principals))
    return Account(account_id, sorted_principals, policies | aws_policies, newest, rejects)


def _aws_policies(shares: Iterable[Share]) -> tuple[dict[str, ManagedPolicyPart], tuple[Reject, ...]]:
    """Return AWS's own policies by ARN. AWS changes them for all accounts at once, so the newest is right for all."""
    found: dict[str, list[ManagedPolicyPart]] = defaultdict(list)
    for share in shares:
        for arn, policy in share.aws_policies.items():
            found[arn].append(policy)
    newest = {arn: max(policies, key=_age) for arn, policies in found.items()}
    rejects = tuple(
        _superseded(policy, newest[policy.arn])
        for policies in found.values()
        for policy in policies
        if _content(policy) != _content(newest[policy.arn])
    )
    return newest, rejects


def _nameless(share: Share) -> Reject:
    message = "neither an ARN nor the file's name tells the account; AWS's own policies in it count for every account"
    remedy = "put the twelve digits of the account id into the file's name"
    return Reject(share.source, None, None, "", "warning", "no-account", message, remedy)


def _superseded(policy: ManagedPolicyPart, newest: ManagedPolicyPart) -> Reject:
    message = f"{policy.arn} is newer in {newest.source}, which counts for the account"
    remedy = "export the account again"
    return Reject(policy.source, None, None, policy.pointer, "warning", "conflicting-data", message, remedy)


def _refuse(share: Share, other: Share, arn: str) -> NoReturn:
    first, second = sorted((share.source, other.source))
    account = f"account {share.account_id}" if share.account_id else "the same policies"
    raise PolicylakeError(
        f"{first} and {second} both hold {account}, with different data ({arn}); "
        "leave one of them out, or give --latest to use the newest"
    )


def _conflicts(one: Share, other: Share) -> Iterator[str]:
    """Yield the ARNs in which two files of an account contradict each other.

    Files may complete each other: lists without a common member do. Lists with one must be the same, because one of
    them is older.
    """
    for mine, theirs in _lists(one, other):
        common = mine.keys() & theirs.keys()
        if common:
            differing = {arn for arn in common if _content(mine[arn]) != _content(theirs[arn])}
            yield from sorted(differing | (mine.keys() ^ theirs.keys()))


def _lists(one: Share, other: Share) -> Iterator[tuple[Items, Items]]:
    for kind in ("user", "group", "role"):
        yield _of_kind(one, kind), _of_kind(other, kind)
    yield one.policies, other.policies


def _of_kind(share: Share, kind: str) -> Items:
    return {arn: part for arn, part in share.principals.items() if part.principal_type == kind}
