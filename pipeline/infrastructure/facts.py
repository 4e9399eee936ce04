"""Facts about the IAM of accounts, one a key, so that those of a plan can take the place of those of an export.

``None`` as a document is one that is known only after the change: whoever has it is incomplete, never without it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

Json: TypeAlias = dict[str, Any]
Kind = Literal["user", "role", "group"]
KINDS: tuple[Kind, ...] = ("user", "role", "group")
ACCOUNT_ID = re.compile(r"[0-9]{12}")
ARN_COLONS = 5
#: Name in ARNs of managed policies that stand for what is not known.
UNKNOWN = "known-only-after-the-change"


class Principal(NamedTuple):
    """A user, role or group. ``name`` tells it in its account, ``trust`` is the text of a role's trust policy."""

    account: str
    kind: Kind
    name: str


class Attributes(NamedTuple):
    """What is known of a principal besides its policies. ``principal_id`` is AWS's unique id, where it has one."""

    arn: str
    path: str = "/"
    trust: str | None = None
    boundary: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    principal_id: str | None = None


class ManagedPolicy(NamedTuple):
    """A managed policy, in whatever account."""

    arn: str


class Inline(NamedTuple):
    """An inline policy of a principal."""

    owner: Principal
    name: str


class Attached(NamedTuple):
    """A managed policy is attached to a principal."""

    owner: Principal
    arn: str


class Member(NamedTuple):
    """A user is in a group."""

    user: Principal
    group: str


class Unread(NamedTuple):
    """Something of a principal is known only after the change; ``what`` tells where it stands."""

    owner: Principal
    what: str


class Control(NamedTuple):
    """An SCP or RCP, by its id."""

    policy_id: str


class ControlValue(NamedTuple):
    """Name, AWS's type and text of an SCP or RCP; ``arn`` is None for a new one."""

    name: str
    policy_type: str
    content: str | None
    arn: str | None = None


class Target(NamedTuple):
    """An SCP or RCP is attached to a root, unit or account, by its id."""

    policy_id: str
    target_id: str


Key: TypeAlias = Principal | ManagedPolicy | Inline | Attached | Member | Unread | Control | Target
Facts: TypeAlias = dict[Key, Any]


class Infrastructure(NamedTuple):
    """The facts before and after a change, and what could not be told, in words. A template has no ``before``."""

    before: Facts
    after: Facts
    remarks: tuple[str, ...]

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts whose principals and policies it has."""
        return frozenset(account for facts in (self.before, self.after) for account in accounts_in(facts))

    @property
    def has_controls(self) -> bool:
        """Whether SCPs or RCPs are among the facts."""
        return any(isinstance(key, Control | Target) for key in (*self.before, *self.after))


def overlaid(base: Mapping[Key, Any], change: Infrastructure) -> tuple[Facts, Facts]:
    """Return facts with those before a change, and with those after it: what only the change knows counts on both
    sides, so that an older export makes no difference."""
    before = {**base, **change.before}
    gone = {key for key in change.before if isinstance(key, Principal)} - change.after.keys()
    kept = {key: value for key, value in before.items() if key not in change.before and _owner(key) not in gone}
    return before, {**kept, **change.after}


def _owner(key: Key) -> Principal | None:
    """Return the principal that something belongs to, and goes with."""
    match key:
        case Inline() | Attached() | Unread():
            return key.owner
        case Member():
            return key.user
    return None


def accounts_in(facts: Iterable[Key]) -> set[str]:
    """Return the accounts of facts."""
    found = {account for key in facts if (account := _account(key))}
    return {account for account in found if ACCOUNT_ID.fullmatch(account)}


def _account(key: Key) -> str | None:
    match key:
        case Principal():
            return key.account
        case Inline() | Attached() | Unread():
            return key.owner.account
        case Member():
            return key.user.account
        case ManagedPolicy():
            return account_of(key.arn)
    return None


def account_of(arn: str) -> str:
    """Return the account field of an ARN, an empty text where there is none."""
    return (arn.split(":", ARN_COLONS) + [""] * ARN_COLONS)[4]


def account_details(facts: Mapping[Key, Any], account: str) -> Json:
    """Return the facts of an account in the shape of get-account-authorization-details.

    Principals that facts only name are there too, marked by a policy that nobody has: what else they have is unknown.
    """
    known: dict[Principal, Attributes] = {k: v for k, v in facts.items() if isinstance(k, Principal)}
    named = {k.owner for k in facts if isinstance(k, Inline | Attached | Unread)}
    named |= {k.user for k in facts if isinstance(k, Member)}
    details: dict[Kind, list[Json]] = {kind: [] for kind in KINDS}
    for owner in sorted(known.keys() | named):
        if owner.account == account:
            attributes = known.get(owner) or Attributes(arn_of(owner))
            details[owner.kind].append(_principal(owner, attributes, facts, owner not in known))
    policies = [
        _managed(key.arn, document)
        for key, document in sorted(_managed_policies(facts))
        if account_of(key.arn) in (account, "aws") and document is not None
    ]
    return {
        "UserDetailList": details["user"],
        "GroupDetailList": details["group"],
        "RoleDetailList": details["role"],
        "Policies": policies,
    }


def _managed_policies(facts: Mapping[Key, Any]) -> Iterable[tuple[ManagedPolicy, str | None]]:
    return ((key, document) for key, document in facts.items() if isinstance(key, ManagedPolicy))


def arn_of(owner: Principal, path: str = "/", partition: str = "aws") -> str:
    """Return the ARN of a principal that does not exist yet."""
    return f"arn:{partition}:iam::{owner.account}:{owner.kind}{path}{owner.name}"


def _principal(owner: Principal, attributes: Attributes, facts: Mapping[Key, Any], is_only_named: bool) -> Json:
    inline = {k: v for k, v in facts.items() if isinstance(k, Inline) and k.owner == owner}
    attached = [k.arn for k in facts if isinstance(k, Attached) and k.owner == owner]
    unread = [k.what for k in facts if isinstance(k, Unread) and k.owner == owner]
    unread += [f"inline/{key.name}" for key, document in inline.items() if document is None]
    unread += ["the-rest-of-this-principal"] if is_only_named else []
    attached += [_unknown(owner.account, what) for what in unread]
    title = owner.kind.capitalize()
    found: Json = {
        "Arn": attributes.arn,
        f"{title}Name": owner.name,
        "Path": attributes.path,
        f"{title}PolicyList": [
            {"PolicyName": key.name, "PolicyDocument": document}
            for key, document in sorted(inline.items())
            if document is not None
        ],
        "AttachedManagedPolicies": [
            {"PolicyArn": arn, "PolicyName": arn.rsplit("/", 1)[-1]} for arn in sorted(set(attached))
        ],
    }
    if attributes.principal_id:
        found[f"{title}Id"] = attributes.principal_id
    if owner.kind == "role" and attributes.trust:
        found["AssumeRolePolicyDocument"] = attributes.trust
    if owner.kind == "user":
        found["GroupList"] = sorted(k.group for k in facts if isinstance(k, Member) and k.user == owner)
    if owner.kind != "group":
        found["Tags"] = [{"Key": key, "Value": value} for key, value in attributes.tags]
        if attributes.boundary:
            found["PermissionsBoundary"] = {
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": attributes.boundary,
            }
    return found


def _unknown(account: str, what: str) -> str:
    return f"arn:aws:iam::{account}:policy/{UNKNOWN}/{what}"


def _managed(arn: str, document: str | None) -> Json:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document}
    return {"Arn": arn, "PolicyName": arn.rsplit("/", 1)[-1], "PolicyVersionList": [version]}


def text_of(document: Any) -> str | None:
    """Return a policy document as JSON text, given as text or as an object; None where there is none."""
    if document is None or document == "":
        return None
    return document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
