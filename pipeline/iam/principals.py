"""Whom an element Principal or NotPrincipal names. Source: AWS JSON policy elements: Principal, NotPrincipal."""

import re
from typing import Literal, NamedTuple

from pipeline.iam.model import PrincipalEntry, Statement

Naming = Literal["everyone", "account", "user", "role", "session", "federated user", "service", "root"]
_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?([0-9]{12})(?::root)?")


class Caller(NamedTuple):
    """Who makes a request.

    ``arn`` is what the request says: a user, role, role session, federated user or root ARN, or a service's name.
    ``principal_arn`` is the value of aws:PrincipalArn: the role's ARN for a session.
    """

    arn: str
    principal_arn: str
    account_id: str | None

    @property
    def kind(self) -> Naming:
        """What the caller is."""
        if not self.arn.startswith("arn:"):
            return "service"
        tail = self.arn.split(":", 5)[-1]
        if tail.startswith("assumed-role/"):
            return "session"
        if tail.startswith("federated-user/"):
            return "federated user"
        return "root" if tail == "root" else "role" if tail.startswith("role/") else "user"


def account_of(entry: PrincipalEntry) -> str | None:
    """Return the account that an entry means; a bare id and ``:root`` are the same."""
    found = _ACCOUNT.fullmatch(entry.value)
    return found.group(1) if found and entry.kind == "AWS" else None


def naming(statement: Statement, caller: Caller) -> frozenset[Naming]:
    """Return how the Principal element names the caller: the ways differ in what else must allow."""
    found: set[Naming] = set()
    for entry in statement.principals:
        if entry.value == "*" and entry.kind in ("*", "AWS"):
            found.add("everyone")
        elif entry.kind == "Service" and caller.kind == "service" and entry.value == caller.arn:
            found.add("service")
        elif entry.kind == "AWS" and caller.account_id and account_of(entry) == caller.account_id:
            found.add("account")
        elif entry.kind == "AWS" and entry.value == caller.arn:
            found.add(caller.kind)
        elif entry.kind == "AWS" and entry.value == caller.principal_arn:
            found.add("role" if caller.kind == "session" else caller.kind)
    return frozenset(found)


def is_left_out(statement: Statement, caller: Caller, has_boundary: bool) -> bool:
    """Whether NotPrincipal exempts the caller from a Deny (NPRIN).

    The list must hold the caller and its account, for a session the role too; whoever has a permissions
    boundary is never exempt.
    """
    if has_boundary:
        return False
    values = {entry.value for entry in statement.principals if entry.kind == "AWS"}
    accounts = {account_of(entry) for entry in statement.principals}
    if caller.account_id not in accounts:
        return False
    return caller.kind == "root" or {caller.arn, caller.principal_arn} <= values
