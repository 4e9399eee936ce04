"""What is known of a request's context: of every request, of the principal and of the resource.

Reads neither lake nor clock. Source: AWS global condition context keys (KEYS).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.errors import PolicylakeError
from pipeline.iam import grammar
from pipeline.iam.grammar import partition_in, region_in
from pipeline.iam.principals import Caller, kind_of
from pipeline.iam.request_keys import (
    CALLED_FIRST,
    CALLED_LAST,
    CALLED_VIA,
    HOME_REGIONS,
    NEVER_OF_PRINCIPALS,
    NOW,
    REGION,
    TOKEN,
    chain_of,
    ends_of,
)

Facts = dict[str, tuple[str, ...]]
#: What stands for what a line leaves out and every request has: the caller's word for itself, a session's name, an id.
USER_AGENT, SESSION, ROLE_ID, USER_ID = "policylake", "policylake", "AROAIOSFODNN7EXAMPLE", "AIDAIOSFODNN7EXAMPLE"
PRINCIPAL_TYPES = {
    "user": "User", "role": "AssumedRole", "session": "AssumedRole", "federated user": "FederatedUser",
    "root": "Account", "anonymous": "Anonymous",
}  # fmt: skip
_START = datetime(1970, 1, 1, tzinfo=UTC)


class Organization(NamedTuple):
    """An account's place: organization id and path in the form of aws:PrincipalOrgPaths; None where unknown."""

    organization_id: str | None
    ou_path: str | None
    is_management_account: bool


NOWHERE = Organization(None, None, False)


def caller_of(principal: str, role_arn: str | None = None, federated_by: str | None = None) -> Caller:
    """Return the caller of a name. ``role_arn`` is that of a session's role, whose path a session's ARN lacks."""
    kind = kind_of(principal)
    fields = principal.split(":", 5)
    if kind in ("service", "provider", "anonymous", "document"):
        return Caller(principal, principal, None)
    if kind == "session":
        name = fields[5].split("/")[1]
        return Caller(principal, role_arn or f"arn:{fields[1]}:iam::{fields[4]}:role/{name}", fields[4])
    return Caller(principal, principal, fields[4], federated_by)


def request_facts(
    line: Mapping[str, tuple[str, ...]], resource: str, action: str, principal: str, now: datetime
) -> Facts:
    """Return the keys that every request has, as a line says or by default.

    By default the connection is encrypted, the call is made by the caller itself at ``now``, in the region of the
    resource's ARN; where it has none, and for IAM, in that of IAM in the principal's partition. A role acts with
    temporary credentials: by default they were issued at the time of the call. The services that a call came through
    follow from each other. Raises PolicylakeError where these contradict each other.
    """
    region = region_in(resource)
    kind = kind_of(principal)
    if kind == "anonymous":
        facts: Facts = {"aws:securetransport": ("true",)}
    else:
        called = called_facts(line)
        facts = {"aws:securetransport": ("true",), "aws:viaawsservice": ("true" if called else "false",), **called}
        facts["aws:principalisawsservice"] = ("true" if kind == "service" else "false",)
    home = HOME_REGIONS.get(partition_in(principal), HOME_REGIONS["aws"])
    facts[REGION] = (home if action.lower().startswith("iam:") or not region else region,)
    facts |= {"aws:useragent": (USER_AGENT,), **_time(line, now)}
    if kind in ("role", "session", "federated user") and "aws:currenttime" in facts:
        facts["aws:tokenissuetime"] = facts["aws:currenttime"]
    return facts


def called_facts(line: Mapping[str, tuple[str, ...]]) -> Facts:
    """Return the services that a call came through as all three keys tell them; nothing where a line names none.

    Raises PolicylakeError where it names two chains.
    """
    chain = chain_of(line)
    if not chain:
        return {}
    ends = ends_of(chain)
    for key, name in ((CALLED_FIRST, "First"), (CALLED_LAST, "Last")):
        if line.get(key, ends[key]) != ends[key]:
            told = f"{', '.join(line[key])}, but aws:CalledVia is {', '.join(chain)}"
            raise PolicylakeError(f"context aws:CalledVia{name} is {told}; leave one of them out")
    return {CALLED_VIA: chain, **ends}


def _time(line: Mapping[str, tuple[str, ...]], now: datetime) -> Facts:
    """Return the two keys of the time: one follows from the other where a line gives one of them. A call whose
    credentials are issued later is made then."""
    given = line.get(NOW) or line.get("aws:epochtime") or (now.isoformat(),)
    seconds, issued = grammar.instant(given[0]), grammar.instant((*line.get(TOKEN, ()), "")[0])
    is_given = bool(line.get(NOW) or line.get("aws:epochtime"))
    if seconds is not None and issued is not None and issued > seconds and not is_given:
        given, seconds = line[TOKEN], issued
    if seconds is None:
        return {}
    moment = _START + timedelta(seconds=float(seconds)) if abs(seconds) < 10**11 else None
    written = moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else given[0]
    return {"aws:currenttime": (written,), "aws:epochtime": (str(int(seconds)),)}


def principal_facts(caller: Caller, principal_id: str | None, place: Organization) -> Facts:
    """Return the keys about the principal but its tags; () is known to be absent."""
    if caller.kind == "service":
        return {"aws:principalservicename": (caller.arn,)}
    if caller.kind not in PRINCIPAL_TYPES:
        return {}
    facts: Facts = {"aws:principaltype": (PRINCIPAL_TYPES[caller.kind],), "aws:username": ()}
    facts.update(dict.fromkeys(sorted(NEVER_OF_PRINCIPALS), ()))
    if caller.account_id is None:
        return {**facts, "aws:principalaccount": ("anonymous",), "aws:userid": ("anonymous",)}
    facts |= {"aws:principalarn": (caller.principal_arn,), "aws:principalaccount": (caller.account_id,)}
    name = caller.arn.rsplit("/", 1)[-1]
    if caller.kind == "user":
        facts["aws:username"] = (name,)
    user_id = _user_id(caller, principal_id, name)
    if user_id:
        facts["aws:userid"] = (user_id,)
    return {**facts, **_organization("principal", place)}


def _user_id(caller: Caller, principal_id: str | None, name: str) -> str | None:
    if caller.kind == "root":
        return caller.account_id
    if caller.kind == "federated user":
        return f"{caller.account_id}:{name}"
    if caller.kind == "session":
        return f"{principal_id}:{name}" if principal_id else None
    return principal_id if caller.kind == "user" else None


def resource_facts(account_id: str | None, place: Organization) -> Facts:
    """Return the keys about the resource's owner."""
    if account_id is None:
        return {}
    return {"aws:resourceaccount": (account_id,), **_organization("resource", place)}


def default_user_id(caller: Caller, principal_id: str | None) -> Facts:
    """Return aws:userid where it is not known whole: of a role some session's, of a user an id in its place."""
    if caller.kind in ("role", "session"):
        name = caller.arn.rsplit("/", 1)[-1] if caller.kind == "session" else SESSION
        return {"aws:userid": (f"{principal_id or ROLE_ID}:{name}",)}
    return {"aws:userid": (USER_ID,)} if caller.kind == "user" else {}


def strange_user_ids(line: Mapping[str, tuple[str, ...]], caller: Caller, principal_id: str | None) -> Iterator[str]:
    """Yield that a line gives a role an aws:userid that no session of it has: its own id, a colon and the session's
    name (VARS)."""
    given = line.get("aws:userid", ())
    if caller.kind == "role" and principal_id and not all(text.startswith(f"{principal_id}:") for text in given):
        expected = f"sessions of {caller.arn} have {principal_id}: and their name"
        yield f"context aws:userid is {', '.join(given)}, but {expected}; mend it or leave it out"


def _organization(whose: str, place: Organization) -> Facts:
    if place.organization_id is None:
        return {}
    paths = (place.ou_path,) if place.ou_path else ()
    return {f"aws:{whose}orgid": (place.organization_id,), f"aws:{whose}orgpaths": paths}


def disagreements(
    line: Mapping[str, tuple[str, ...]], known: Facts, source: str, whose: str, *, name: Callable[[str], str]
) -> Iterator[str]:
    """Yield where a line's context contradicts what is known of a principal or resource. ``source`` begins what tells
    it, such as "by the lake "; ``name`` tells how to write a key."""
    for key, values in known.items():
        if key in line and line[key] != values:
            says = f"is {', '.join(values)}" if values else "is not there"
            given = ", ".join(line[key]) or "empty"
            yield f"context {name(key)} is {given}, but {source}it {says} for {whose}; leave it out"
