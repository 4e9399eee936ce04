"""Reads the output of ``aws iam get-account-authorization-details``."""

from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

import msgspec
from msgspec import Raw

from pipeline.errors import Reject
from pipeline.flatten.records import PrincipalType, Tags
from pipeline.ingest.arns import account_in_name, iam_arn
from pipeline.ingest.dates import Date, utc
from pipeline.ingest.decode import Page, each
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.parts import (
    ExportPart,
    ManagedPolicyPart,
    NamedPolicy,
    Part,
    PolicyReference,
    PrincipalPart,
)

CONTENT = "account-details"
RECOGNISES = "get-account-authorization-details: UserDetailList, GroupDetailList, RoleDetailList or Policies"
YIELDS = "users, groups, roles with their policies, managed policies (default version), the export itself"

PRINCIPAL_LISTS = frozenset({"UserDetailList", "GroupDetailList", "RoleDetailList"})
POLICIES_ALONE = frozenset({"Policies", "IsTruncated", "Marker"})

ABSENT = Raw(b"")


class TagDetail(msgspec.Struct, rename="pascal", gc=False):
    """One tag."""

    key: str
    value: str


class InlinePolicy(msgspec.Struct, rename="pascal", gc=False):
    """An inline policy; an absent document is a malformed one."""

    policy_name: str
    policy_document: Raw = Raw(b"null")


class AttachedPolicy(msgspec.Struct, rename="pascal", gc=False):
    """A reference to a managed policy."""

    policy_arn: str
    policy_name: str | None = None


class Boundary(msgspec.Struct, rename="pascal", gc=False):
    """A reference to a permissions boundary. Its type is not looked at: captures show several words."""

    permissions_boundary_arn: str


class LastUse(msgspec.Struct, rename="pascal", gc=False):
    """When a role was last used."""

    last_used_date: Date = None


class User(msgspec.Struct, rename="pascal", gc=False):
    """A member of UserDetailList."""

    arn: str
    user_name: str
    path: str | None = None
    user_id: str | None = None
    create_date: Date = None
    user_policy_list: list[InlinePolicy] | None = None
    group_list: list[str] | None = None
    attached_managed_policies: list[AttachedPolicy] | None = None
    permissions_boundary: Boundary | None = None
    tags: list[TagDetail] | None = None


class Group(msgspec.Struct, rename="pascal", gc=False):
    """A member of GroupDetailList."""

    arn: str
    group_name: str
    path: str | None = None
    group_id: str | None = None
    create_date: Date = None
    group_policy_list: list[InlinePolicy] | None = None
    attached_managed_policies: list[AttachedPolicy] | None = None


class Role(msgspec.Struct, rename="pascal", gc=False):
    """A member of RoleDetailList."""

    arn: str
    role_name: str
    path: str | None = None
    role_id: str | None = None
    create_date: Date = None
    assume_role_policy_document: Raw = ABSENT
    role_policy_list: list[InlinePolicy] | None = None
    attached_managed_policies: list[AttachedPolicy] | None = None
    permissions_boundary: Boundary | None = None
    tags: list[TagDetail] | None = None
    role_last_used: LastUse | None = None


class PolicyVersion(msgspec.Struct, rename="pascal", gc=False):
    """A version of a managed policy."""

    version_id: str | None = None
    is_default_version: bool | None = None
    document: Raw = Raw(b"null")
    create_date: Date = None


class ManagedPolicy(msgspec.Struct, rename="pascal", gc=False):
    """A member of Policies."""

    arn: str
    policy_version_list: list[PolicyVersion]
    policy_name: str | None = None
    default_version_id: str | None = None
    create_date: Date = None
    update_date: Date = None


def recognises(names: frozenset[str]) -> bool:
    """Whether an object with these members is a page of account details."""
    return bool(names & PRINCIPAL_LISTS) or ("Policies" in names and names <= POLICIES_ALONE)


def read(page: Page, documents: DocumentStore) -> Iterator[Part]:
    """Yield what the page holds; an item of the wrong shape is a reject and the others go on."""
    yield ExportPart(page.source, page.pointer, account_in_name(page.name))
    yield from each(
        page, "UserDetailList", User, "user", lambda at, user: _principal(page, documents, at, _of_user(user))
    )
    yield from each(
        page, "GroupDetailList", Group, "group", lambda at, group: _principal(page, documents, at, _of_group(group))
    )
    yield from each(
        page, "RoleDetailList", Role, "role", lambda at, role: _principal(page, documents, at, _of_role(role))
    )
    yield from each(
        page, "Policies", ManagedPolicy, "managed policy", lambda at, policy: _managed(page, documents, at, policy)
    )


class Detail(NamedTuple):
    """What users, groups and roles have in common. ``inline_list`` is the name of the list of inline policies."""

    kind: PrincipalType
    arn: str
    name: str
    path: str | None
    principal_id: str | None
    created: Date
    inline_list: str
    inline: list[InlinePolicy] | None
    managed: list[AttachedPolicy] | None
    boundary: Boundary | None = None
    tags: list[TagDetail] | None = None
    groups: list[str] | None = None
    trust: Raw = ABSENT
    used: Date = None


def _of_user(u: User) -> Detail:
    return Detail(
        "user", u.arn, u.user_name, u.path, u.user_id, u.create_date, "UserPolicyList", u.user_policy_list,
        u.attached_managed_policies, u.permissions_boundary, u.tags, u.group_list,
    )  # fmt: skip


def _of_group(g: Group) -> Detail:
    return Detail(
        "group", g.arn, g.group_name, g.path, g.group_id, g.create_date, "GroupPolicyList", g.group_policy_list,
        g.attached_managed_policies,
    )  # fmt: skip


def _of_role(r: Role) -> Detail:
    return Detail(
        "role", r.arn, r.role_name, r.path, r.role_id, r.create_date, "RolePolicyList", r.role_policy_list,
        r.attached_managed_policies, r.permissions_boundary, r.tags, None, r.assume_role_policy_document,
        r.role_last_used.last_used_date if r.role_last_used else None,
    )  # fmt: skip


def _principal(page: Page, documents: DocumentStore, pointer: str, detail: Detail) -> Iterator[Part]:
    arn = iam_arn(detail.arn)
    if arn is None or arn.account_id is None or arn.kind != detail.kind:
        yield _bad_arn(page, pointer, detail.kind, detail.arn)
        return
    inline = (yield from _inline(page, documents, pointer, detail)) if detail.inline else ()
    trust = None
    if detail.trust != ABSENT:
        outcome = documents.outcome(detail.trust, "trust")
        trust = NamedPolicy("", outcome.policy_id)
        if outcome.problems:
            yield from outcome.rejects(page, f"{pointer}/AssumeRolePolicyDocument", f"trust policy of {detail.arn}")
    created, used = utc(detail.created), utc(detail.used)
    yield from _undated(page, pointer, (("CreateDate", detail.created), ("RoleLastUsed/LastUsedDate", detail.used)))
    managed = tuple(PolicyReference(p.policy_name or _last(p.policy_arn), p.policy_arn) for p in detail.managed or ())
    yield PrincipalPart(
        page.source, page.pointer + pointer, detail.arn, arn.account_id, detail.kind, detail.name, detail.path,
        detail.principal_id, _tags(detail.tags), tuple(detail.groups or ()), inline, managed,
        detail.boundary.permissions_boundary_arn if detail.boundary else None, trust, created, used,
    )  # fmt: skip


def _inline(
    page: Page, documents: DocumentStore, pointer: str, detail: Detail
) -> Generator[Part, None, tuple[NamedPolicy, ...]]:
    policies = []
    for index, policy in enumerate(detail.inline or ()):
        outcome = documents.outcome(policy.policy_document, "identity")
        policies.append(NamedPolicy(policy.policy_name, outcome.policy_id))
        if outcome.problems:
            place = f"{pointer}/{detail.inline_list}/{index}/PolicyDocument"
            yield from outcome.rejects(page, place, f"inline policy {policy.policy_name} of {detail.arn}")
    return tuple(policies)


def _managed(page: Page, documents: DocumentStore, pointer: str, policy: ManagedPolicy) -> Iterator[Part]:
    arn = iam_arn(policy.arn)
    if arn is None or arn.kind != "policy":
        yield _bad_arn(page, pointer, "policy", policy.arn)
        return
    policy_id = None
    index = _default_version(policy)
    if index is None:
        message = f"managed policy {policy.arn}: no version of it is marked as default"
        yield page.reject(pointer, "error", "no-default-version", message, "export it again; this policy was left out")
    else:
        place = f"{pointer}/PolicyVersionList/{index}/Document"
        document = policy.policy_version_list[index].document
        policy_id = yield from documents.use(page, place, document, "identity", f"managed policy {policy.arn}")
    yield from _undated(page, pointer, (("CreateDate", policy.create_date), ("UpdateDate", policy.update_date)))
    changed = max(utc(policy.create_date) or "", utc(policy.update_date) or "") or None
    name = policy.policy_name or arn.name
    yield ManagedPolicyPart(page.source, page.pointer + pointer, policy.arn, arn.account_id, name, policy_id, changed)


def _default_version(policy: ManagedPolicy) -> int | None:
    """Return the index of the default version: the one named so, else the one marked so."""
    versions = policy.policy_version_list
    named = [i for i, v in enumerate(versions) if v.version_id and v.version_id == policy.default_version_id]
    marked = [i for i, v in enumerate(versions) if v.is_default_version]
    return next(iter(named + marked), None)


def _tags(tags: list[TagDetail] | None) -> Tags:
    return tuple(sorted((tag.key, tag.value) for tag in tags)) if tags else ()


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _bad_arn(page: Page, pointer: str, kind: str, arn: str) -> Reject:
    message = f"{arn!r} is not the ARN of a {kind}"
    return page.reject(f"{pointer}/Arn", "error", "bad-arn", message, "export it again; this was left out")


def _undated(page: Page, pointer: str, dates: Iterable[tuple[str, Date]]) -> Iterator[Reject]:
    """Warn of dates that are none."""
    for place, date in dates:
        if date is not None and utc(date) is None:
            remedy = "nothing to do if the date does not matter; else export it again"
            message = f"{date!r} is no ISO 8601 date; it was left out"
            yield page.reject(f"{pointer}/{place}", "warning", "bad-date", message, remedy)
