"""Reads the output of ``aws iam get-account-authorization-details``."""

from collections.abc import Generator, Iterator
from typing import NamedTuple

import msgspec
from msgspec import Raw

from pipeline.errors import Reject
from pipeline.flatten.records import PrincipalType, Tags
from pipeline.ingest.arns import account_in_name, iam_arn
from pipeline.ingest.dates import Date, undated, utc
from pipeline.ingest.decode import Page, each, unrepeated
from pipeline.ingest.documents import DocumentStore
from pipeline.ingest.endings import follows
from pipeline.ingest.parts import (
    ExportPart,
    ManagedPolicyPart,
    NamedPolicy,
    PagePart,
    Part,
    PolicyReference,
    PrincipalPart,
)
from pipeline.ingest.tags import Tag, distinct

CONTENT = "account-details"
RECOGNISES = "get-account-authorization-details: UserDetailList, GroupDetailList, RoleDetailList or Policies"
YIELDS = "users, groups, roles with their policies, managed policies (default version), the export itself"

PRINCIPAL_LISTS = frozenset({"UserDetailList", "GroupDetailList", "RoleDetailList"})
POLICIES_ALONE = frozenset({"Policies", "IsTruncated", "Marker", "NextToken"})

ABSENT = Raw(b"")


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
    tags: list[Tag] | None = None


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
    tags: list[Tag] | None = None
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
    page = yield from unrepeated(page)
    named = account_in_name(page.name)
    yield ExportPart(page.source, page.pointer, named)
    found: set[str] = set()
    for part in _parts(page, documents):
        if isinstance(part, (PrincipalPart, ManagedPolicyPart)) and part.account_id:
            found.add(part.account_id)
        yield part
    scopes = frozenset((account, "") for account in found or ({named} if named else ()))
    more = follows(page.members, "IsTruncated", "Marker", "NextToken")
    yield PagePart(page.source, page.pointer, CONTENT, scopes, more)


def _parts(page: Page, documents: DocumentStore) -> Iterator[Part]:
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
    tags: list[Tag] | None = None
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
    tags, missing = (yield from _tags(page, pointer, detail)) if detail.tags else ((), ())
    inline, doubts = (yield from _inline(page, documents, pointer, detail)) if detail.inline else ((), ())
    trust = None
    if detail.trust != ABSENT:
        outcome = documents.outcome(detail.trust, "trust")
        trust = NamedPolicy("", outcome.policy_id)
        if outcome.problems:
            yield from outcome.rejects(page, f"{pointer}/AssumeRolePolicyDocument", f"trust policy of {detail.arn}")
            doubts += outcome.doubts(f"trust policy of {detail.arn}")
    created, used = utc(detail.created), utc(detail.used)
    yield from undated(page, pointer, (("CreateDate", detail.created), ("RoleLastUsed/LastUsedDate", detail.used)))
    managed = tuple(PolicyReference(p.policy_name or _last(p.policy_arn), p.policy_arn) for p in detail.managed or ())
    yield PrincipalPart(
        page.source, page.pointer + pointer, detail.arn, arn.account_id, detail.kind, detail.name, detail.path,
        detail.principal_id, tags, tuple(detail.groups or ()), inline, managed,
        detail.boundary.permissions_boundary_arn if detail.boundary else None, trust, created, used,
        (*missing, *doubts),
    )  # fmt: skip


def _tags(page: Page, pointer: str, detail: Detail) -> Generator[Part, None, tuple[Tags, tuple[str, ...]]]:
    consequence = "answers about this principal are marked incomplete where the values differ"
    tags, doubtful = yield from distinct(page, pointer, detail.tags, str.lower, detail.arn, consequence)
    return tags, tuple(f"value of the tag {key} of {detail.arn}" for key in doubtful)


def _inline(
    page: Page, documents: DocumentStore, pointer: str, detail: Detail
) -> Generator[Part, None, tuple[tuple[NamedPolicy, ...], tuple[str, ...]]]:
    policies: list[NamedPolicy] = []
    doubts: list[str] = []
    for index, policy in enumerate(detail.inline or ()):
        outcome = documents.outcome(policy.policy_document, "identity")
        policies.append(NamedPolicy(policy.policy_name, outcome.policy_id))
        if outcome.problems:
            place = f"{pointer}/{detail.inline_list}/{index}/PolicyDocument"
            label = f"inline policy {policy.policy_name} of {detail.arn}"
            yield from outcome.rejects(page, place, label)
            doubts += outcome.doubts(label)
    return tuple(policies), tuple(doubts)


def _managed(page: Page, documents: DocumentStore, pointer: str, policy: ManagedPolicy) -> Iterator[Part]:
    arn = iam_arn(policy.arn)
    if arn is None or arn.kind != "policy":
        yield _bad_arn(page, pointer, "policy", policy.arn)
        return
    policy_id = None
    doubts: tuple[str, ...] = ()
    index = _default_version(policy)
    if isinstance(index, str):
        message = f"managed policy {policy.arn}: {index}"
        remedy = "export it again; this policy was left out, answers about those who have it are marked incomplete"
        yield page.reject(pointer, "error", "no-default-version", message, remedy)
    else:
        place = f"{pointer}/PolicyVersionList/{index}/Document"
        document = policy.policy_version_list[index].document
        label = f"managed policy {policy.arn}"
        policy_id = yield from documents.use(page, place, document, "identity", label)
        doubts = documents.doubts(document, "identity", label)
    yield from undated(page, pointer, (("CreateDate", policy.create_date), ("UpdateDate", policy.update_date)))
    changed = max(utc(policy.create_date) or "", utc(policy.update_date) or "") or None
    name = policy.policy_name or arn.name
    place = page.pointer + pointer
    yield ManagedPolicyPart(page.source, place, policy.arn, arn.account_id, name, policy_id, changed, doubts=doubts)


def _default_version(policy: ManagedPolicy) -> int | str:
    """Return the index of the default version, or in words why it is not known.

    AWS tells it twice: by DefaultVersionId and by IsDefaultVersion of one version. Where both stand they must agree.
    """
    versions = policy.policy_version_list
    marked = [index for index, version in enumerate(versions) if version.is_default_version]
    if len(marked) > 1:
        return f"{len(marked)} versions of it are marked as default"
    name = policy.default_version_id
    if name is None:
        return marked[0] if marked else "no version of it is marked as default"
    named = [index for index, version in enumerate(versions) if version.version_id == name]
    if len(named) != 1:
        return f"its DefaultVersionId {name} stands {'twice' if named else 'nowhere'} among its versions"
    if marked not in ([], named) or versions[named[0]].is_default_version is False:
        other = f"version {versions[marked[0]].version_id}" if marked else "none"
        return f"its DefaultVersionId is {name}, but {other} is marked as default"
    return named[0]


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _bad_arn(page: Page, pointer: str, kind: str, arn: str) -> Reject:
    message = f"{arn!r} is not the ARN of a {kind}"
    return page.reject(f"{pointer}/Arn", "error", "bad-arn", message, "export it again; this was left out")
