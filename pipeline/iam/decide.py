"""The concrete evaluator: decides one request as AWS documents it. The executable specification of the engine.

Which layers count for a request is the caller's to say: see :mod:`pipeline.simulate`. Source: Policy evaluation logic
(DA), cross-account evaluation (XACC), and the pages named at each rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipeline.iam.conditions import holds
from pipeline.iam.context import Context
from pipeline.iam.grammar import partition_in
from pipeline.iam.matching import action_matches, resource_matches
from pipeline.iam.model import Policy, Statement
from pipeline.iam.principals import Caller, Naming, is_left_out, naming
from pipeline.iam.services import is_assumption, is_trusted, needs_consent, works_across_accounts

Outcome = Literal["allowed", "explicitDeny", "implicitDeny"]
Layer = Literal["identity", "boundary", "session", "scp", "rcp", "resource", "endpoint"]

#: Named so, a principal of the same account needs no Allow of its own, and no layer's implicit deny counts.
GRANTED_OUTRIGHT: frozenset[Naming] = frozenset({"everyone", "user", "session", "federated user"})
#: Named so, it needs no identity Allow, but its boundary and session policy must allow.
GRANTED_WITHIN_LIMITS: frozenset[Naming] = frozenset({"role", "user behind it"})
#: Callers that belong to no account: only the resource's policy can allow them.
OF_NO_ACCOUNT = ("service", "provider", "anonymous")


class AttachedPolicy(NamedTuple):
    """A policy with the name under which a decision cites it."""

    name: str
    policy: Policy


Level = tuple[AttachedPolicy, ...]


@dataclass(frozen=True, slots=True)
class Layers:
    """The policies that count. None means that there is no such layer; () that there is one and it is empty.

    ``scps`` and ``rcps`` are levels, the root first. Every SCP level must allow; an RCP only denies: its one Allow is
    the policy RCPFullAWSAccess that nobody can detach (RCP).
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
    """One request. ``resource_account`` owns the resource; None where nobody knows: then it counts as the caller's."""

    caller: Caller
    action: str
    resource: str
    resource_account: str | None
    context: Context

    @property
    def is_cross_account(self) -> bool:
        """Whether the resource belongs to another account than the caller."""
        accounts = (self.caller.account_id, self.resource_account)
        return None not in accounts and accounts[0] != accounts[1]

    @property
    def is_role_assumption(self) -> bool:
        """Whether a role is to be assumed."""
        return is_assumption(self.action.lower())

    @property
    def is_kms(self) -> bool:
        """Whether KMS is asked."""
        return self.action.lower().startswith("kms:")

    @property
    def needs_consent(self) -> bool:
        """Whether the resource's policy must agree before identity policies count."""
        return needs_consent(self.action.lower(), self.resource)


class StatementHit(NamedTuple):
    """A statement that applied: its layer, policy name, index, Sid and effect."""

    layer: Layer
    policy: str
    statement: int
    sid: str | None
    effect: str


class Decision(NamedTuple):
    """``blocked_by`` names what stopped an access: layers, or ``partition``; ``statements`` are those that applied."""

    decision: Outcome
    blocked_by: tuple[str, ...]
    statements: tuple[StatementHit, ...]
    detail: str


class _Applied(NamedTuple):
    hit: StatementHit
    statement: Statement
    level: int


def decide(request: Request, layers: Layers) -> Decision:
    """Decide a request: an explicit Deny ends it, then every layer that there is must allow."""
    applied = tuple(_applied(request, layers))
    hits = tuple(found.hit for found in applied)
    if request.action.lower() == "sts:getcalleridentity" and request.caller.kind != "anonymous":
        return Decision("allowed", (), hits, "sts:GetCallerIdentity cannot be denied")
    denying = tuple(dict.fromkeys(hit.layer for hit in hits if hit.effect == "Deny"))
    if denying:
        return Decision("explicitDeny", denying, hits, f"an explicit Deny in {', '.join(denying)}")
    if _crosses_partitions(request):
        return Decision("implicitDeny", ("partition",), hits, "nothing crosses partitions")
    missing = tuple(dict.fromkeys((*_missing_controls(layers, applied), *_missing_grants(request, layers, applied))))
    if missing:
        return Decision("implicitDeny", missing, hits, f"no Allow that applies in {', '.join(missing)}")
    allowing = dict.fromkeys(hit.layer for hit in hits if hit.effect == "Allow")
    return Decision("allowed", (), hits, "allowed by " + (", ".join(allowing) or "default: the account's root user"))


def _levels(layers: Layers) -> Iterator[tuple[Layer, int, Level]]:
    """Yield the layers with their levels, in AWS's order of evaluation."""
    yield from (("rcp", number, level) for number, level in enumerate(layers.rcps or ()))
    yield from (("scp", number, level) for number, level in enumerate(layers.scps or ()))
    yield "endpoint", 0, layers.endpoint or ()
    yield "resource", 0, layers.resource or ()
    yield "identity", 0, layers.identity
    yield "boundary", 0, layers.boundary or ()
    yield "session", 0, layers.session or ()


def _applied(request: Request, layers: Layers) -> Iterator[_Applied]:
    has_boundary = layers.boundary is not None
    for layer, number, level in _levels(layers):
        for attached in level:
            for statement in attached.policy.statements:
                if _applies(statement, attached.policy, request, layer, has_boundary):
                    hit = StatementHit(layer, attached.name, statement.index, statement.sid, statement.effect)
                    yield _Applied(hit, statement, number)


def _applies(s: Statement, policy: Policy, request: Request, layer: Layer, has_boundary: bool) -> bool:
    """Whether a statement applies to the request: action, resource, principal and every condition match."""
    return (
        _action_applies(s, request)
        and _resource_applies(s, policy, request, layer)
        and _principal_applies(s, request, layer, has_boundary)
        and all(holds(c, policy.has_variables, request.context) for c in s.conditions)
    )


def _action_applies(s: Statement, request: Request) -> bool:
    """Whether Action or NotAction takes the action in. An empty list leaves a statement without effect (CHECKS)."""
    return bool(s.actions) and action_matches(s.actions, request.action) != (s.action_element == "NotAction")


def _resource_applies(s: Statement, policy: Policy, request: Request, layer: Layer) -> bool:
    """Whether Resource or NotResource takes the resource in; a trust policy has neither, a key policy must (KMSO)."""
    if s.resource_element is None:
        return not (request.is_kms and layer == "resource")
    complete = layer in ("identity", "boundary")
    matched = resource_matches(
        s.resources, request.resource, policy.has_variables, request.context.variable, complete=complete
    )
    return bool(s.resources) and matched != (s.resource_element == "NotResource")


def _principal_applies(s: Statement, request: Request, layer: Layer, has_boundary: bool) -> bool:
    """Whether the Principal element takes the caller in. RCPs are for everyone; NotPrincipal only denies (NPRIN)."""
    if s.principal_element is None or layer == "rcp":
        return True
    if not s.principals:
        return False
    if s.principal_element == "NotPrincipal":
        return s.effect == "Deny" and not is_left_out(s.principals, request.caller, has_boundary)
    ways = naming(s.principals, request.caller)
    return bool(ways - {"provider"}) or ("provider" in ways and _provider_fits(request))


def _provider_fits(request: Request) -> bool:
    """A SAML provider goes with AssumeRoleWithSAML, another one with AssumeRoleWithWebIdentity (CHECKS)."""
    action = request.action.lower()
    if not request.is_role_assumption:
        return True
    return action.endswith("withsaml" if ":saml-provider/" in request.caller.arn else "withwebidentity")


def _missing_controls(layers: Layers, applied: tuple[_Applied, ...]) -> Iterator[str]:
    """Yield scp where a level has no Allow that applies (SCPE), endpoint where its policy has none (VPCE)."""
    allowing = {(found.hit.layer, found.level) for found in applied if found.hit.effect == "Allow"}
    if any(("scp", number) not in allowing for number, _ in enumerate(layers.scps or ())):
        yield "scp"
    if layers.endpoint is not None and ("endpoint", 0) not in allowing:
        yield "endpoint"


def _missing_grants(request: Request, layers: Layers, applied: tuple[_Applied, ...]) -> tuple[str, ...]:
    """Return which of identity, boundary, session and resource policy had to allow and did not."""
    allowing = [found for found in applied if found.hit.effect == "Allow"]
    consenting = [found.statement for found in allowing if found.hit.layer == "resource"]
    named = frozenset(way for statement in consenting for way in naming(statement.principals, request.caller))
    if request.caller.kind in OF_NO_ACCOUNT:
        return () if named else ("resource",)
    own = _own_side(request, layers, {found.hit.layer for found in allowing})
    if request.is_cross_account:
        return (*own, *_other_side(request, named))
    return _same_account(request, named, own)


def _own_side(request: Request, layers: Layers, allowing: set[Layer]) -> tuple[str, ...]:
    """Return which of identity, boundary and session policy do not allow.

    The root user is allowed by default and takes no boundary (DA); a federated user gets no more than its session
    policies allow (PRIN).
    """
    if request.caller.kind == "root":
        return ()
    has_session = layers.session is not None or request.caller.kind == "federated user"
    there: tuple[tuple[Layer, bool], ...] = (
        ("identity", True), ("boundary", layers.boundary is not None), ("session", has_session),
    )  # fmt: skip
    return tuple(name for name, is_there in there if is_there and name not in allowing)


def _same_account(request: Request, named: frozenset[Naming], own: tuple[str, ...]) -> tuple[str, ...]:
    """Identity, boundary and session policy, or a resource policy that names the caller (DA, PRIN, POL).

    A user named in a trust policy still needs the boundary (TRUST). Roles and keys must consent first (ARAPI, KMSP).
    """
    limits = tuple(name for name in own if name != "identity")
    outright = named & (GRANTED_OUTRIGHT - {"user"} if is_trusted(request.action.lower()) else GRANTED_OUTRIGHT)
    if outright:
        return ()
    if named & (GRANTED_WITHIN_LIMITS | {"user"}):
        return limits
    return (*own, "resource") if request.needs_consent and not named else own


def _other_side(request: Request, named: frozenset[Naming]) -> tuple[str, ...]:
    """Across accounts the resource's policy must allow as well, whoever it names; KMS by a few operations only."""
    return () if named and works_across_accounts(request.action.lower()) else ("resource",)


def _crosses_partitions(request: Request) -> bool:
    partitions = {partition_in(request.caller.arn), partition_in(request.resource)} - {""}
    return len(partitions) > 1
