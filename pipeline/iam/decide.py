"""The concrete evaluator: decides one request as AWS documents it. The executable specification of the engine.

Source: Policy evaluation logic (DA), cross-account evaluation (XACC), and the pages named at each rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pipeline.iam.conditions import KeyTypes, holds
from pipeline.iam.matching import action_matches, resource_matches
from pipeline.iam.model import Policy, Statement
from pipeline.iam.principals import Caller, Naming, is_left_out, naming

Outcome = Literal["allowed", "explicitDeny", "implicitDeny"]
ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"

#: Named so, a principal of the same account needs no Allow of its own, and no layer's implicit deny counts.
GRANTED_OUTRIGHT: frozenset[Naming] = frozenset({"everyone", "user", "session", "federated user", "service", "root"})
#: Named so, it needs no identity Allow, but its boundary and session policy must allow.
GRANTED_WITHIN_LIMITS: frozenset[Naming] = frozenset({"role"})
#: KMS operations that work across accounts (KMSX).
KMS_ACROSS_ACCOUNTS = (
    "kms:encrypt", "kms:decrypt", "kms:reencrypt*", "kms:generate*", "kms:sign", "kms:verify*", "kms:derivesharedsecret",
    "kms:creategrant", "kms:describekey", "kms:getkeyrotationstatus", "kms:getpublickey", "kms:listgrants",
    "kms:retiregrant", "kms:revokegrant",
)  # fmt: skip


class AttachedPolicy(NamedTuple):
    """A policy with the name under which a decision cites it."""

    name: str
    policy: Policy


Level = tuple[AttachedPolicy, ...]


@dataclass(frozen=True, slots=True)
class Layers:
    """The policies that count. None means that there is no such layer; () that there is one and it is empty.

    ``scps`` and ``rcps`` are levels, the root first.
    """

    identity: Level = ()
    boundary: Level | None = None
    session: Level | None = None
    scps: tuple[Level, ...] | None = None
    rcps: tuple[Level, ...] | None = None
    resource: Level | None = None
    endpoint: Level | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``context`` maps condition keys in lower case to their values; an absent key is not in it.

    ``resource_account`` owns the resource. ``key_types`` tells a key's data type.
    """

    caller: Caller
    action: str
    resource: str
    resource_account: str | None
    context: Mapping[str, tuple[str, ...]]
    key_types: KeyTypes = field(default=lambda key: None)

    def lookup(self, key: str) -> tuple[str, ...]:
        """Return the values of a key; () if it is absent."""
        return self.context.get(key, ())


class StatementHit(NamedTuple):
    """A statement that applied: its layer, policy name, index, Sid and effect."""

    layer: str
    policy: str
    statement: int
    sid: str | None
    effect: str


class Decision(NamedTuple):
    """``blocked_by`` names the layers that stopped an access; ``statements`` are those that applied."""

    decision: Outcome
    blocked_by: tuple[str, ...]
    statements: tuple[StatementHit, ...]
    detail: str


class _Applied(NamedTuple):
    hit: StatementHit
    statement: Statement


def decide(request: Request, layers: Layers) -> Decision:
    """Decide a request: an explicit Deny ends it, then every layer that there is must allow."""
    applied = tuple(_applied(request, layers))
    hits = tuple(found.hit for found in applied)
    denying = tuple(dict.fromkeys(hit.layer for hit in hits if hit.effect == "Deny"))
    if request.action.lower() == "sts:getcalleridentity":
        return Decision("allowed", (), hits, "sts:GetCallerIdentity cannot be denied")
    if denying:
        return Decision("explicitDeny", denying, hits, f"an explicit Deny in {', '.join(denying)}")
    if _partition(request.caller.arn) != _partition(request.resource):
        return Decision("implicitDeny", ("partition",), hits, "nothing crosses partitions")
    missing = _missing(request, layers, applied)
    if missing:
        return Decision("implicitDeny", missing, hits, f"no Allow that applies in {', '.join(missing)}")
    return Decision("allowed", (), hits, "allowed by " + ", ".join(dict.fromkeys(hit.layer for hit in hits)))


def _levels(layers: Layers) -> Iterator[tuple[str, Level]]:
    yield "identity", layers.identity
    for name, level in (("boundary", layers.boundary), ("session", layers.session), ("resource", layers.resource), ("endpoint", layers.endpoint)):
        yield name, level or ()
    for name, levels in (("scp", layers.scps), ("rcp", layers.rcps)):
        for number, level in enumerate(levels or ()):
            yield f"{name}:{number}", level


def _applied(request: Request, layers: Layers) -> Iterator[_Applied]:
    for layer, level in _levels(layers):
        for attached in level:
            for statement in attached.policy.statements:
                if _applies(statement, attached.policy, request, layer, layers.boundary is not None):
                    hit = StatementHit(layer, attached.name, statement.index, statement.sid, statement.effect)
                    yield _Applied(hit, statement)


def _applies(s: Statement, policy: Policy, request: Request, layer: str, has_boundary: bool) -> bool:
    """Whether a statement applies to the request: action, resource, principal and every condition match."""
    return (
        _action_applies(s, request)
        and _resource_applies(s, policy, request, layer)
        and _principal_applies(s, request, layer, has_boundary)
        and all(holds(c, policy.has_variables, request.lookup, request.key_types) for c in s.conditions)
    )


def _action_applies(s: Statement, request: Request) -> bool:
    if not s.actions:
        return False
    return action_matches(s.actions, request.action) != (s.action_element == "NotAction")


def _resource_applies(s: Statement, policy: Policy, request: Request, layer: str) -> bool:
    if s.resource_element is None:
        return True
    if not s.resources:
        return False
    matched = resource_matches(
        s.resources, request.resource, policy.has_variables, request.lookup, complete=layer in ("identity", "boundary")
    )
    return matched != (s.resource_element == "NotResource")


def _principal_applies(s: Statement, request: Request, layer: str, has_boundary: bool) -> bool:
    if s.principal_element is None or layer.startswith("rcp"):
        return True
    if s.principal_element == "NotPrincipal":
        return s.effect == "Deny" and not is_left_out(s, request.caller, has_boundary)
    return bool(naming(s, request.caller))


def _missing(request: Request, layers: Layers, applied: tuple[_Applied, ...]) -> tuple[str, ...]:
    """Return the layers that had to allow and did not."""
    allowing = {found.hit.layer for found in applied if found.hit.effect == "Allow"}
    named = frozenset(
        way
        for found in applied
        if found.hit.layer == "resource" and found.hit.effect == "Allow"
        for way in naming(found.statement, request.caller)
    )
    missing = [name for name, _ in _levels(layers) if name.startswith(("scp", "rcp")) and name not in allowing]
    missing = list(dict.fromkeys(name.split(":")[0] for name in missing))
    if layers.endpoint is not None and "endpoint" not in allowing:
        missing.append("endpoint")
    own = _own_side(request, layers, allowing)
    if request.caller.account_id is not None and request.caller.account_id != request.resource_account and request.resource_account:
        return (*missing, *own, *_other_side(request, named))
    return (*missing, *_same_account(request, layers, named, own))


def _own_side(request: Request, layers: Layers, allowing: set[str]) -> tuple[str, ...]:
    """Return which of identity, boundary and session policy do not allow. The root user is allowed by default."""
    wanted = [] if request.caller.kind == "root" else ["identity"]
    wanted += ["boundary"] if layers.boundary is not None else []
    wanted += ["session"] if layers.session is not None else []
    return tuple(name for name in wanted if name not in allowing)


def _same_account(request: Request, layers: Layers, named: frozenset[Naming], own: tuple[str, ...]) -> tuple[str, ...]:
    """Identity, boundary and session policy, or a resource policy that names the caller (DA, PRIN, POL)."""
    limits = tuple(name for name in own if name != "identity")
    if named & GRANTED_OUTRIGHT:
        if "user" in named and not named & {"everyone", "session"} and _is_role_assumption(request):
            return limits
        return ()
    if named & GRANTED_WITHIN_LIMITS or ("user" in named and request.caller.kind == "federated user"):
        return limits
    if _needs_resource_policy(request) and not named:
        return (*own, "resource")
    return own


def _other_side(request: Request, named: frozenset[Naming]) -> tuple[str, ...]:
    """Across accounts the resource's policy must allow as well, whoever it names; KMS by a few operations only."""
    if request.action.lower().startswith("kms:") and not action_matches(KMS_ACROSS_ACCOUNTS, request.action):
        return ("resource",)
    return () if named else ("resource",)


def _is_role_assumption(request: Request) -> bool:
    return request.action.lower().startswith("sts:assumerole")


def _needs_resource_policy(request: Request) -> bool:
    """Roles and KMS keys: without their own policy's consent no identity policy counts (ARAPI, KMSP)."""
    return _is_role_assumption(request) or request.action.lower().startswith("kms:")


def _partition(arn: str) -> str:
    fields = arn.split(":")
    return fields[1] if len(fields) > 1 and fields[0] == "arn" and "*" not in fields[1] else "aws"
