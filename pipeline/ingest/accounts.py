"""Puts the files of each account together. Data that contradict each other are refused, or the newest file wins."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn, TypeAlias, TypeVar

from pipeline.errors import PolicylakeError, Reject, Severity
from pipeline.ingest.parts import ExportPart, ManagedPolicyPart, PrincipalPart
from pipeline.wording import some

T = TypeVar("T", PrincipalPart, ManagedPolicyPart)
#: Names that a message shows at most.
SHOWN = 5
Items: TypeAlias = Mapping[str, PrincipalPart] | Mapping[str, ManagedPolicyPart]


@dataclass(slots=True)
class Share:
    """What one file holds of one account, by ARN."""

    account_id: str | None
    source: str
    principals: dict[str, PrincipalPart] = field(default_factory=dict)
    policies: dict[str, ManagedPolicyPart] = field(default_factory=dict)
    aws_policies: dict[str, ManagedPolicyPart] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

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
    such files the one with the newest date in it counts, on a tie the one whose name sorts last, and a warning tells
    what is lost with the other. Within one file the first of two entries with one ARN counts, and is marked.
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
    held = owners(exports, principals, policies)
    shares = {(source, account): Share(account, source) for source, found in held.items() for account in found}
    for principal in principals:
        share = shares[principal.source, principal.account_id]
        _add(share.principals, principal, latest, share.rejects)
    for policy in policies:
        if policy.account_id:
            share = shares[policy.source, policy.account_id]
            _add(share.policies, policy, latest, share.rejects)
        else:
            for account in held[policy.source]:
                _add_aws(shares[policy.source, account], policy)
    by_account: dict[str | None, list[Share]] = defaultdict(list)
    for share in shares.values():
        by_account[share.account_id].append(share)
    return by_account


def owners(
    exports: Iterable[ExportPart], principals: Iterable[PrincipalPart], policies: Iterable[ManagedPolicyPart]
) -> dict[str, set[str | None]]:
    """Return the accounts of each file: those that its ARNs name, else the one that its name tells."""
    found: dict[str, set[str | None]] = defaultdict(set)
    for principal in principals:
        found[principal.source].add(principal.account_id)
    for policy in policies:
        if policy.account_id:
            found[policy.source].add(policy.account_id)
    for export in exports:
        if not found[export.source]:
            found[export.source].add(export.account_id)
    return found


def _age(policy: ManagedPolicyPart) -> tuple[str, str, str]:
    return (policy.changed_at or "", policy.source, policy.pointer)


def _add(held: dict[str, T], item: T, latest: bool, rejects: list[Reject]) -> None:
    """Add an entry of a file. Where one with its ARN stands in it with other data, which is right is not known."""
    earlier: T = held.setdefault(item.arn, item)
    if earlier is item or _content(earlier) == _content(item):
        return
    if latest:
        message = f"{item.arn} stands twice in this file, with different data; the last one counts"
        rejects.append(_reject(earlier, "warning", "duplicate-entry", message, "keep one of them"))
        held[item.arn] = item
        return
    message = f"{item.arn} stands twice in this file, with different data; the first one counts"
    remedy = "keep one of them, or give --latest to use the last; answers that depend on it are marked incomplete"
    rejects.append(_reject(item, "error", "duplicate-entry", message, remedy))
    held[item.arn] = earlier._replace(missing=(*earlier.missing, f"second entry of {item.arn}"))


def _add_aws(share: Share, policy: ManagedPolicyPart) -> None:
    earlier = share.aws_policies.get(policy.arn, policy)
    if earlier is policy:
        share.aws_policies[policy.arn] = policy
        return
    older, newer = sorted((earlier, policy), key=_age)
    if _content(older) != _content(newer):
        share.rejects.append(_superseded(older, newer))
    share.aws_policies[policy.arn] = newer


def _content(item: PrincipalPart | ManagedPolicyPart) -> tuple[object, ...]:
    """Return what must be the same of two entries; the order of lists does not count."""
    if isinstance(item, ManagedPolicyPart):
        return (item.name, item.policy_id)
    return tuple(sorted(value, key=repr) if type(value) is tuple else value for value in item[2:-1])


def _joined(account_id: str | None, shares: Sequence[Share], latest: bool) -> Account:
    accepted: list[Share] = []
    left_out: list[tuple[Share, Share, str]] = []
    for share in sorted(shares, key=lambda s: (s.newest, s.source), reverse=True):
        conflict = next(((other, arn) for other in accepted for arn in _conflicts(share, other)), None)
        if conflict and not latest:
            _refuse(share, *conflict)
        if conflict:
            left_out.append((share, *conflict))
        else:
            accepted.append(share)
    principals: dict[str, PrincipalPart] = {}
    policies: dict[str, ManagedPolicyPart] = {}
    for share in sorted(accepted, key=lambda s: s.source, reverse=True):
        principals.update(share.principals)
        policies.update(share.policies)
    aws_policies, rejects = _aws_policies(accepted)
    rejects += tuple(reject for share in accepted for reject in share.rejects)
    rejects += tuple(_left_out(*found, principals.keys() | policies.keys()) for found in left_out)
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


def _left_out(share: Share, other: Share, arn: str, kept: set[str]) -> Reject:
    lost = sorted((share.principals.keys() | share.policies.keys()) - kept)
    what = f"lost with it: {some(lost, SHOWN)}" if lost else "no principal or policy is lost with it"
    difference = _difference(share, other, arn)
    message = f"{other.source} counts instead: it holds account {share.account_id} too, {difference}; {what}"
    remedy = "export the account again; what this file holds of the account was left out"
    return Reject(share.source, None, None, "", "warning", "left-out", message, remedy)


def _nameless(share: Share) -> Reject:
    message = "neither an ARN nor the file's name tells the account; AWS's own policies in it count for every account"
    remedy = "put the twelve digits of the account id into the file's name"
    return Reject(share.source, None, None, "", "warning", "no-account", message, remedy)


def _superseded(policy: ManagedPolicyPart, newest: ManagedPolicyPart) -> Reject:
    where = f"in {newest.source}" if newest.source != policy.source else "elsewhere in this file"
    message = f"{policy.arn} is newer {where}, which counts for the account"
    return _reject(policy, "warning", "conflicting-data", message, "export the account again")


def _reject(item: T, severity: Severity, code: str, message: str, remedy: str) -> Reject:
    return Reject(item.source, None, None, item.pointer, severity, code, message, remedy)


def _refuse(share: Share, other: Share, arn: str) -> NoReturn:
    first, second = sorted((share.source, other.source))
    account = f"account {share.account_id}" if share.account_id else "the same policies"
    raise PolicylakeError(
        f"{first} and {second} both hold {account}, {_difference(share, other, arn)}; "
        "leave one of them out, or give --latest to use the newest"
    )


def _difference(share: Share, other: Share, arn: str) -> str:
    holders = [one.source for one in (share, other) if arn in one.principals or arn in one.policies]
    return f"with different data ({arn})" if len(holders) > 1 else f"but {arn} stands only in {holders[0]}"


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
