"""Facts about the IAM of accounts, one a key, so that those of a plan can take the place of those of an export.

A document that is known only after the change is ``Unresolved``: whoever has it is incomplete, never without it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from pipeline.iam import written
from pipeline.iam.grammar import account_in

Json: TypeAlias = dict[str, Any]
Kind = Literal["user", "role", "group"]
KINDS: tuple[Kind, ...] = ("user", "role", "group")
#: Account and region where nothing tells them.
NO_ACCOUNT = "000000000000"
REGION = "us-east-1"
ACCOUNT_ID = re.compile(r"[0-9]{12}")
#: Name in ARNs of policies and principals that stand for what is not known.
UNKNOWN = "known-only-after-the-change"
#: Marks a principal of which nothing but its name is known.
REST = "the-rest-of-this-principal"
#: Stands before what a lake already lacks of a principal.
LACKING = "lacking/"
#: Stands before what tells one unknown from another.
DETAIL = "#"
#: Digits of a detail.
DIGITS = 12


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
    """Something of a principal is known only after the change; ``what`` tells where it stands, ``detail`` what it
    refers to, as a :func:`digest`: another detail is another unknown."""

    owner: Principal
    what: str
    detail: str = ""


class Unresolved(NamedTuple):
    """Stands for a document that is known only after the change; ``detail`` as in :class:`Unread`."""

    detail: str = ""


class Doubt(NamedTuple):
    """Something that may change who may do what, and of which the change tells too little to compare it.

    ``where`` is its place in the plan or template, ``why`` a sentence for people, ``detail`` what it says: a doubt that
    stays as it is changes nothing.
    """

    where: str
    why: str
    detail: str = ""


class Setting(NamedTuple):
    """What of a resource lets others do something without a policy, such as the role that it runs with. Its value is
    the set of what it has there: one more is a doubt, one less is not."""

    where: str
    what: str


class ResourcePolicy(NamedTuple):
    """The policy of a resource or VPC endpoint."""

    arn: str


class Control(NamedTuple):
    """An SCP or RCP, by its id."""

    policy_id: str


class ControlValue(NamedTuple):
    """Name, AWS's type and text of an SCP or RCP; ``arn`` is None for a new one."""

    name: str
    policy_type: str
    content: "str | Unresolved"
    arn: str | None = None


class Target(NamedTuple):
    """An SCP or RCP is attached to a root, unit or account, by its id."""

    policy_id: str
    target_id: str


Key: TypeAlias = (
    Principal
    | ManagedPolicy
    | Inline
    | Attached
    | Member
    | Unread
    | ResourcePolicy
    | Control
    | Target
    | Doubt
    | Setting
)
Facts: TypeAlias = dict[Key, Any]


class Infrastructure(NamedTuple):
    """The facts before and after a change, and what could not be told, in words. A template has no ``before``.

    ``replaced`` principals are deleted and made anew: of what they had only what the change says is there afterwards.
    ``unnamed`` ones get a name at deployment, and are called otherwise here. Of ``listed`` ones ``before`` has all
    managed policies that were attached.
    """

    before: Facts
    after: Facts
    remarks: tuple[str, ...]
    replaced: frozenset[Principal] = frozenset()
    unnamed: frozenset[Principal] = frozenset()
    listed: frozenset[Principal] = frozenset()

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts whose principals and policies it has."""
        return frozenset(account for facts in (self.before, self.after) for account in accounts_in(facts))

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What the change may do and is not read."""
        return tuple(sorted(key for key in self.after if isinstance(key, Doubt)))

    @property
    def has_controls(self) -> bool:
        """Whether SCPs or RCPs are among the facts."""
        return any(isinstance(key, Control | Target) for key in (*self.before, *self.after))


def overlaid(base: Mapping[Key, Any], change: Infrastructure) -> tuple[Facts, Facts]:
    """Return facts with those before a change, and with those after it: what only the change knows counts on both
    sides, so that an older export makes no difference. Nor does what it still has and the change knows to be gone."""
    stale = {k for k in base if isinstance(k, Attached) and k.owner in change.listed and k not in change.before}
    base = {key: value for key, value in base.items() if key not in stale}
    before = {**base, **change.before}
    gone = {key for key in change.before if isinstance(key, Principal)} - change.after.keys() | change.replaced
    kept = {key: value for key, value in before.items() if key not in change.before and gone.isdisjoint(_owners(key))}
    return before, {**kept, **change.after}


def _owners(key: Key) -> tuple[Principal, ...]:
    """Return the principals that something belongs to, and goes with."""
    match key:
        case Inline() | Attached() | Unread():
            return (key.owner,)
        case Member():
            return key.user, Principal(key.user.account, "group", key.group)
    return ()


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
        case ManagedPolicy() | ResourcePolicy():
            return account_in(key.arn)
    return None


def resource_policies(facts: Mapping[Key, Any]) -> list[Json]:
    """Return the policies of resources in the shape of resource-policies.json."""
    found = sorted((key.arn, text) for key, text in facts.items() if isinstance(key, ResourcePolicy))
    return [{"ResourceArn": arn, "ResourcePolicy": text} for arn, text in found]


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
        if account_in(key.arn) in (account, "aws")
    ]
    return {
        "UserDetailList": details["user"],
        "GroupDetailList": details["group"],
        "RoleDetailList": details["role"],
        "Policies": policies,
    }


def _managed_policies(facts: Mapping[Key, Any]) -> Iterable[tuple[ManagedPolicy, str]]:
    return ((k, text) for k, text in facts.items() if isinstance(k, ManagedPolicy) and not isinstance(text, Unresolved))


def arn_of(owner: Principal, path: str = "/", partition: str = "aws") -> str:
    """Return the ARN of a principal that does not exist yet."""
    return f"arn:{partition}:iam::{owner.account}:{owner.kind}{path}{owner.name}"


def _principal(owner: Principal, attributes: Attributes, facts: Mapping[Key, Any], is_only_named: bool) -> Json:
    inline = {k: v for k, v in facts.items() if isinstance(k, Inline) and k.owner == owner}
    attached = {k.arn: facts.get(ManagedPolicy(k.arn)) for k in facts if isinstance(k, Attached) and k.owner == owner}
    unread = [(k.what, k.detail) for k in facts if isinstance(k, Unread) and k.owner == owner]
    unread += [(f"inline/{key.name}", text.detail) for key, text in inline.items() if isinstance(text, Unresolved)]
    unread += [(f"managed/{arn}", text.detail) for arn, text in attached.items() if isinstance(text, Unresolved)]
    unread += [(REST, "")] if is_only_named else []
    arns = {arn for arn, text in attached.items() if not isinstance(text, Unresolved)}
    arns |= {_unknown(owner.account, *one) for one in unread}
    title = owner.kind.capitalize()
    found: Json = {
        "Arn": attributes.arn,
        f"{title}Name": owner.name,
        "Path": attributes.path,
        f"{title}PolicyList": [
            {"PolicyName": key.name, "PolicyDocument": document}
            for key, document in sorted(inline.items(), key=lambda one: one[0])
            if not isinstance(document, Unresolved)
        ],
        "AttachedManagedPolicies": [{"PolicyArn": arn, "PolicyName": arn.rsplit("/", 1)[-1]} for arn in sorted(arns)],
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


def _unknown(account: str, what: str, detail: str) -> str:
    return f"arn:aws:iam::{account}:policy/{UNKNOWN}/{what}" + (f"{DETAIL}{detail}" if detail else "")


def digest(value: Any) -> str:
    """Return a short text that is equal for equal JSON values."""
    text = json.dumps(value, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def unknown_of(missing: str) -> str | None:
    """Return what an entry of ``principals.missing`` that :func:`account_details` made is about; None for others."""
    head, found, what = missing.partition(f":policy/{UNKNOWN}/")
    return re.sub(rf"{DETAIL}[0-9a-f]{{{DIGITS}}}$", "", what) if found and head.startswith("arn:") else None


def nobody(account: str, kind: Kind, where: str) -> tuple[Principal, Attributes]:
    """Return a principal that stands for one that is known only after the change, called after its place."""
    owner = Principal(account, kind, where)
    return owner, Attributes(arn_of(owner, f"/{UNKNOWN}/"), f"/{UNKNOWN}/")


def _managed(arn: str, document: str) -> Json:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document}
    return {"Arn": arn, "PolicyName": arn.rsplit("/", 1)[-1], "PolicyVersionList": [version]}


def denials(text: Any) -> frozenset[str]:
    """Return the Deny statements of a document, each as JSON that is equal for equal ones."""
    try:
        document = written.with_texts(written.loads(text))
    except (TypeError, ValueError, RecursionError):
        return frozenset()
    listed = document.get("Statement") if isinstance(document, dict) else None
    held = listed if isinstance(listed, list) else [listed]
    return frozenset(json.dumps(one, sort_keys=True) for one in held if _is_denial(one))


def _is_denial(statement: Any) -> bool:
    return isinstance(statement, dict) and statement.get("Effect") == "Deny"


def text_of(document: Any) -> str | None:
    """Return a policy document as JSON text, given as text or as an object; None where there is none."""
    if document is None or document == "":
        return None
    return document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)


def as_object(value: Any) -> Json:
    """Return a JSON object as it is, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return a JSON array as it is, an empty one for anything else."""
    return value if isinstance(value, list) else []
