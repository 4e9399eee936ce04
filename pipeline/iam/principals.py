"""Whom an element Principal or NotPrincipal names. Source: AWS JSON policy elements: Principal, NotPrincipal."""

import re
from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

from pipeline.iam.model import PrincipalEntry

Kind = Literal["user", "role", "session", "federated user", "root", "service", "provider", "anonymous", "document"]
Naming = Literal[
    "everyone", "account", "user", "role", "session", "federated user", "user behind it", "service", "provider"
]
ANONYMOUS = ("*", "anonymous")
_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?([0-9]{12})(?::root)?")
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("assumed-role/", "session"),
    ("federated-user/", "federated user"),
    ("saml-provider/", "provider"),
    ("oidc-provider/", "provider"),
    ("role/", "role"),
    ("root", "root"),
)


class Caller(NamedTuple):
    """Who makes a request.

    ``arn`` is what the request says: a user, role, role session, federated user, root or identity provider ARN, a
    service's name, ``*`` for nobody signed, or ``policy/...`` for a loose document. ``principal_arn`` is the value of
    aws:PrincipalArn: the role's ARN for a session. ``account_id`` is None for who belongs to no account.
    ``federated_by`` is the user who made a federated user's session, where that is known.
    """

    arn: str
    principal_arn: str
    account_id: str | None
    federated_by: str | None = None

    @property
    def kind(self) -> Kind:
        """What the caller is."""
        return kind_of(self.arn)


def kind_of(arn: str) -> Kind:
    """Return what a caller of this name is."""
    if arn in ANONYMOUS:
        return "anonymous"
    if arn.startswith("policy/"):
        return "document"
    if not arn.startswith("arn:"):
        return "service" if ".amazonaws.com" in arn else "provider"
    tail = arn.split(":", 5)[-1]
    return next((kind for start, kind in _KINDS if tail.startswith(start)), "user")


def sessions_of(partition: str, account_id: str | None, role_name: str) -> str:
    """Return what the ARNs of a role's sessions begin with."""
    return f"arn:{partition}:sts::{account_id}:assumed-role/{role_name}/"


def account_of(entry: PrincipalEntry) -> str | None:
    """Return the account that an entry means; a bare id and ``:root`` are the same."""
    found = _ACCOUNT.fullmatch(entry.value)
    return found.group(1) if found and entry.kind == "AWS" else None


def naming(entries: Iterable[PrincipalEntry], caller: Caller) -> frozenset[Naming]:
    """Return how the entries of Principal name the caller: the ways differ in what else must allow."""
    ways = (named_by(entry, caller) for entry in entries)
    return frozenset(way for way in ways if way is not None)


def named_by(entry: PrincipalEntry, caller: Caller) -> Naming | None:
    """Return how one entry names the caller; None where it does not."""
    if entry.value == "*" and entry.kind in ("*", "AWS"):
        return "everyone"
    if entry.kind == "Service":
        return "service" if caller.kind == "service" and entry.value == caller.arn else None
    if entry.kind == "Federated":
        return "provider" if caller.kind in ("provider", "service") and entry.value == caller.arn else None
    if entry.kind != "AWS" or caller.account_id is None:
        return None
    if account_of(entry) == caller.account_id:
        return "account"
    if caller.kind == "session":
        return "session" if entry.value == caller.arn else "role" if entry.value == caller.principal_arn else None
    if caller.kind == "federated user":
        by_user = entry.value == caller.federated_by
        return "federated user" if entry.value == caller.arn else "user behind it" if by_user else None
    if entry.value != caller.arn:
        return None
    return "role" if caller.kind == "role" else "user"


def is_left_out(entries: Collection[PrincipalEntry], caller: Caller, has_boundary: bool) -> bool:
    """Whether the entries of NotPrincipal exempt the caller from a Deny (NPRIN).

    The list must hold the caller and its account, for a session the role too; whoever has a permissions
    boundary is never exempt. A role acts in sessions: one that nobody names is not in the list.
    """
    if has_boundary:
        return False
    ways = naming(entries, caller)
    if caller.kind == "role":
        return "everyone" in ways
    if caller.kind in ("user", "session", "federated user"):
        values = {entry.value for entry in entries if entry.kind == "AWS"}
        return "everyone" in ways or ("account" in ways and {caller.arn, caller.principal_arn} <= values)
    return bool(ways)
