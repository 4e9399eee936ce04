"""Decides cells: a principal's layers on one action and resource type, from formulas to rows and a verdict.

Source: policy evaluation logic within one account and across accounts (DA, XACC).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates
from pipeline.evaluate.actions import ActionForm, TypeForm
from pipeline.evaluate.covering import without_covered
from pipeline.evaluate.formula import SESSION_IS, Formula, Test
from pipeline.evaluate.reading import Part, PartLevels
from pipeline.evaluate.reasons import OWN_LAYERS, layer_of
from pipeline.evaluate.scopes import Piece, Scope, pieces, region_called, scope_of
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import pattern_glob, resource_test
from pipeline.evaluate.verdicts import Verdict, deciding, granting_layer, is_granted, strongest
from pipeline.iam.request_keys import REGION, TAG_ALIAS, TAG_KEY

#: Tags of resources by ARN: key in lower case to value.
Inventory = Mapping[str, Mapping[str, str]]
#: What stands for the account of a document of which none is known.
ANY_ACCOUNT = "*"
#: Stands for the pattern of a resource type until the type is named.
WHOLE_TYPE = "{type}"


class Entry(NamedTuple):
    """A statement of a resource-based policy that speaks of the principal.

    ``named_as`` is everyone, account, user, role, session or not_principal (a Deny). ``sessions`` are the only ones
    that it speaks of; for not_principal the only ones that it does not. ``governed`` are patterns of the resources
    under the policy.
    """

    part: Part
    named_as: str
    sessions: tuple[str, ...]
    resource_arn: str
    governed: tuple[str, ...]


class Layers(NamedTuple):
    """The statements that match the action and can apply, by layer; a boundary is None where there is none.

    ``controls`` are the levels of SCPs that do not allow everything, ``denies`` the Denies of all SCPs and RCPs.
    """

    identity: tuple[Part, ...]
    boundary: tuple[Part, ...] | None
    controls: PartLevels
    denies: tuple[Part, ...]


class AccessRow(NamedTuple):
    """A row of ``access`` without its principal and action; statements by the numbers of reasons.

    ``kind`` is None until the type is named: what does not depend on it is decided once for all.
    """

    kind: "Kind | None"
    pattern: str
    exceptions: tuple[str, ...]
    verdict: Verdict
    formula: Formula
    granted_by: tuple[int, ...]
    limited_by: tuple[int, ...]


class Outcome(NamedTuple):
    """What a cell comes to: its rows, its verdict, and the layer and statements that decided it."""

    rows: tuple[AccessRow, ...]
    verdict: Verdict
    layer: str
    decided_by: tuple[int, ...]


class _Limit(NamedTuple):
    """What a layer lets through, and the Denies that this comes from."""

    layer: str
    formula: Formula
    denies: tuple[Part, ...]


class Territory(NamedTuple):
    """Resources that are decided together: their pattern, and the tags of those that are known.

    ``owners`` are the accounts of buckets, by ARN: those of another account than ``account`` are none of the resources.
    """

    universe: globs.Glob
    inventory: Inventory
    account: str = ""
    owners: Mapping[str, str] = {}

    def has(self, scope: Scope) -> bool:
        """Whether a scope can mean some of them: not if it names a bucket of an account that is known and another.

        However its pattern is written, ``arn:*:s3:*:*:name/*`` too: what all its resources begin with tells.
        """
        if self.account == ANY_ACCOUNT or not self.owners:
            return True
        starts = (glob.start if glob.literal else glob.start.rpartition("/")[0] for glob in scope.globs)
        owners = (self.owners.get(start.partition("/")[0], self.account) for start in starts)
        return all(owner == self.account for owner in owners)


class _Case(NamedTuple):
    """A territory with the formulas of all layers over it."""

    where: Territory
    parts: tuple[Part, ...]
    grant: Formula
    denied: Formula
    limits: tuple[_Limit, ...]
    scopes: tuple[Scope, ...]


class Kind(NamedTuple):
    """A resource type's name, whether every call needs it, and the pattern of all resources of it.

    ``universe`` are those of the principal's account, ``anywhere`` those of any.
    """

    name: str
    is_required: bool
    pattern: str
    universe: globs.Glob
    anywhere: globs.Glob


def combined(kinds: Sequence[Kind], outcomes: Sequence[Outcome], solver: Solver) -> Outcome:
    """Return the outcome of an action from those of its resource types: that of the one that decides, unless no call
    can meet all that are required."""
    named = [_named(outcome, kind) for kind, outcome in zip(kinds, outcomes, strict=True)]
    told_apart = _told_apart([row for outcome in named for row in outcome.rows])
    rows = without_covered(_merged(told_apart, solver), solver)
    place = deciding([kind.is_required for kind in kinds], [outcome.verdict for outcome in named])
    required = [outcome for kind, outcome in zip(kinds, named, strict=True) if kind.is_required]
    if is_granted(named[place].verdict) and len(required) > 1 and not _together(required, solver):
        return Outcome(rows, *_why_never_together(required))
    return named[place]._replace(rows=rows)


def _told_apart(rows: Sequence[AccessRow]) -> list[AccessRow]:
    """Return rows that name the whole of their type where another type of that name has a row of the same pattern that
    says something else: an action that the reference does not know is on resources of the account and on those of none.
    """
    said: dict[tuple[str, str], dict[Kind, tuple[Formula, tuple[str, ...]]]] = {}
    for row in rows:
        if row.kind:
            said.setdefault((row.kind.name, row.pattern), {})[row.kind] = (row.formula, row.exceptions)
    return [
        row._replace(pattern=row.kind.pattern)
        if row.kind and len({*said[row.kind.name, row.pattern].values()}) > 1 and _is_whole(row.kind, row.pattern)
        else row
        for row in rows
    ]


def _is_whole(kind: Kind, pattern: str) -> bool:
    return not globs.relation((kind.universe,), pattern_glob(pattern)).outside


def _named(outcome: Outcome, kind: Kind) -> Outcome:
    rows = []
    for row in outcome.rows:
        pattern = kind.pattern if row.pattern == WHOLE_TYPE else row.pattern
        rows.append(AccessRow(kind, pattern, *row[2:]))
    return outcome._replace(rows=tuple(rows))


def _together(required: Sequence[Outcome], solver: Solver) -> bool:
    """Whether one request can meet every required type: its own keys are shared, the region called among them, and each
    resource has its own tags."""
    parts = []
    for number, outcome in enumerate(required):
        rows = (formulas.conjunction((formulas.apart(row.formula, number), _called(row))) for row in outcome.rows)
        parts.append(formulas.disjunction(rows))
    return solver.is_possible(formulas.conjunction(parts))


def _called(row: AccessRow) -> Formula:
    """Return the region that a call for a row's resources is made in."""
    scope = scope_of(row.kind.universe, row.pattern) if row.kind else None
    called = region_called(scope) if scope else None
    return True if called is None else called


def _why_never_together(required: Sequence[Outcome]) -> tuple[Verdict, str, tuple[int, ...]]:
    limiting = sorted({number for outcome in required for row in outcome.rows for number in row.limited_by})
    return "denied", "identity", tuple(limiting)


class Answer(NamedTuple):
    """What layers come to on the resources of one account; ``refusal`` tells why where there are no rows."""

    rows: tuple[AccessRow, ...]
    refusal: Outcome | None


def joined(answers: Sequence[Answer], solver: Solver) -> Outcome:
    """Return what a resource type comes to: on those of the own account and of each that shares some."""
    rows = _merged([row for answer in answers for row in answer.rows], solver)
    if rows:
        best = rows[strongest([row.verdict for row in rows])]
        return Outcome(rows, best.verdict, granting_layer(map(layer_of, best.granted_by)), best.granted_by)
    refusals = [answer.refusal for answer in answers if answer.refusal]
    return refusals[strongest([refusal.verdict for refusal in refusals])]


def _answer(case: _Case, solver: Solver) -> Answer:
    rows = _merged(_rows(case, solver), solver)
    return Answer(rows, None if rows else _refusal(case, solver))


def own_answer(
    action: ActionForm, kind: TypeForm, where: Territory, layers: Layers, entries: Sequence[Entry], solver: Solver
) -> Answer:
    """Return what an action comes to on resources in the principal's own account: what identity policies grant within
    the boundary, or what a resource policy grants by itself (DA)."""
    spoken = [(entry, _entry_part(entry)) for entry in entries]
    consenting = [(entry.named_as, part.formula) for entry, part in spoken if part.is_allow]
    identity = _allow(layers.identity)
    if kind.needs_consent:
        identity = formulas.conjunction((identity, formulas.disjunction(f for _, f in consenting)))
    granted = formulas.disjunction((identity, *(f for named_as, f in consenting if named_as != "account")))
    outright = formulas.disjunction(f for named_as, f in consenting if named_as in action.outright)
    parts = (*layers.identity, *(part for _, part in spoken))
    return _answer(_case(where, layers, parts, granted, outright), solver)


def foreign_answer(where: Territory, layers: Layers, entries: Sequence[Entry], solver: Solver) -> Answer:
    """Return what an action comes to on a resource of another account, whose policy the entries are: both accounts
    must allow (XACC)."""
    spoken = [_entry_part(entry) for entry in entries]
    granted = formulas.conjunction((_allow(layers.identity), _allow(spoken)))
    case = _case(where, layers, (*layers.identity, *spoken), granted, False)
    allows = [part for part in spoken if part.is_allow]
    shared = {scope.pattern: scope for part in allows for scope in _granted_scopes(where.universe, part)}
    scopes = tuple(scope._replace(is_foreign=True) for scope in shared.values())
    return _answer(case._replace(scopes=scopes), solver)


def _case(where: Territory, layers: Layers, granting: tuple[Part, ...], granted: Formula, outright: Formula) -> _Case:
    """Put the layers together. ``granting`` are the parts of identity and resource policies.

    Limits are in the order in which they are blamed. A boundary limits what identity policies grant and what a resource
    policy grants to a role, not what it grants ``outright``: to everyone or to a user (DA).
    """
    limits = [_Limit("scp", _allow(level), ()) for level in layers.controls]
    if layers.boundary is not None:
        limits.append(_Limit("boundary", formulas.disjunction((_allow(layers.boundary), outright)), ()))
    for layer, parts in (("rcp", layers.denies), ("scp", layers.denies), ("boundary", layers.boundary or ())):
        denies = [part for part in parts if not part.is_allow and part.layer == layer]
        if denies:
            limits.append(_Limit(layer, formulas.negation(_any(denies)), tuple(denies)))
    controls = (part for level in layers.controls for part in level)
    allows = [part for part in granting if part.is_allow]
    scopes = {scope.pattern: scope for part in allows for scope in _granted_scopes(where.universe, part)}
    return _Case(
        where,
        (*granting, *(layers.boundary or ()), *controls, *layers.denies),
        granted,
        _any(part for part in granting if not part.is_allow),
        tuple(limits),
        tuple(scopes.values()),
    )


def _granted_scopes(universe: globs.Glob, part: Part) -> Iterable[Scope]:
    """Yield what an Allow names: its patterns, or all of the universe for NotResource. A resource's policy names it."""
    if part.formula is False:
        return
    if part.layer != "resource" and part.statement.resource_element != "Resource":
        yield Scope(universe, WHOLE_TYPE, (universe,))
        return
    for pattern in part.patterns:
        scope = scope_of(universe, pattern)
        if scope:
            yield scope


def _entry_part(entry: Entry) -> Part:
    """Return an entry's statement as far as it speaks for the resources under the policy, and of the session."""
    part = entry.part
    governed = formulas.disjunction(resource_test(pattern) for pattern in entry.governed)
    session: Formula = True
    if entry.sessions:
        session = formulas.disjunction(_session_is(name) for name in entry.sessions)
        session = formulas.negation(session) if entry.named_as == "not_principal" else session
    is_spelt_out = part.statement.resource_element == "Resource" and all(
        pattern.split(":")[4:5] == entry.resource_arn.split(":")[4:5] for pattern in part.patterns
    )
    patterns = part.patterns if is_spelt_out else entry.governed
    return part._replace(formula=formulas.conjunction((part.formula, governed, session)), patterns=patterns)


def _session_is(name: str) -> Test:
    """Return the test that the caller is a session of that name, which nobody knows beforehand."""
    return Test(SESSION_IS, None, False, f"session {name}", (name,), is_opaque=True)


def _allow(parts: Iterable[Part]) -> Formula:
    return _any(part for part in parts if part.is_allow)


def _any(parts: Iterable[Part]) -> Formula:
    return formulas.disjunction(part.formula for part in parts)


def _numbers(parts: Iterable[Part]) -> tuple[int, ...]:
    return tuple(sorted({part.reason for part in parts}))


def _rows(case: _Case, solver: Solver) -> list[AccessRow]:
    allowed = formulas.conjunction(
        (case.grant, formulas.negation(case.denied), *(limit.formula for limit in case.limits))
    )
    found = []
    for piece in _pieces(case, allowed):
        if solver.is_possible(_there(piece)):
            verdict: Verdict = "allowed" if not solver.is_possible(_there(piece, is_negated=True)) else "conditional"
            shown = True if verdict == "allowed" else solver.simplified(piece.formula)
            reasons = _reasons(case, piece, solver)
            found.append(AccessRow(None, piece.scope.pattern, piece.exceptions, verdict, shown, *reasons))
    return found


def _there(piece: Piece, *, is_negated: bool = False) -> Formula:
    """Return the formula of a piece, or its negation, for the regions that its ARNs name."""
    f = formulas.negation(piece.formula) if is_negated else piece.formula
    asks = any(test.key == REGION for test in formulas.tests(f))
    called = region_called(piece.scope) if asks else None
    return f if called is None else formulas.conjunction((f, called))


def _pieces(case: _Case, f: Formula) -> list[Piece]:
    found: dict[str, Piece] = {}
    for scope in case.scopes:
        for piece in pieces(scope, f):
            held = found.get(piece.scope.pattern)
            found[piece.scope.pattern] = piece if held is None else _either(held, piece)
    there = (piece for piece in found.values() if case.where.has(piece.scope))
    return [_placed(piece, case.where.inventory) for piece in there]


def _placed(piece: Piece, inventory: Inventory) -> Piece:
    formula = _with_place(piece, inventory)
    return piece if formula is piece.formula else piece._replace(formula=formula)


def _with_place(piece: Piece, inventory: Inventory) -> Formula:
    """Return the formula of a piece with what its ARNs tell: the region that is called, where they name one, and the
    tags of the resource, where they come to one alone and it is known."""
    only = piece.scope.only
    tags = None if only is None else inventory.get(only)
    called = region_called(piece.scope) if any(test.key == REGION for test in formulas.tests(piece.formula)) else None
    region = called.values if called is not None and called.operator == "StringEquals" else None

    def values_of(key: str) -> tuple[str, ...] | None:
        if key == REGION:
            return region
        if tags is None or not key.startswith((TAG_KEY, TAG_ALIAS)):
            return None
        value = tags.get(key.split("/", 1)[1])
        return () if value is None else (value,)

    known = predicates.truths(piece.formula, values_of)
    return formulas.replaced(piece.formula, known) if known else piece.formula


def _either(one: Piece, other: Piece) -> Piece:
    """Return two pieces of one pattern as one: what only one of them takes out becomes a part of its formula."""
    shared = {*one.exceptions} & {*other.exceptions}
    formula = formulas.disjunction(_outside(piece.formula, piece.exceptions, shared) for piece in (one, other))
    return Piece(one.scope._replace(beyond=()), tuple(sorted(shared)), formula)


def _reasons(case: _Case, piece: Piece, solver: Solver) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the statements that grant a row and those that limit it, by number."""
    granting, limiting = set(), set()
    scope = piece.scope._replace(beyond=()) if piece.scope.beyond else piece.scope
    for part in case.parts:
        where = [_with_place(found, case.where.inventory) for found in pieces(scope, part.formula)]
        if not any(solver.is_possible(f) for f in where):
            continue
        if part.is_allow and part.layer in OWN_LAYERS:
            granting.add(part.reason)
        elif not part.is_allow or where != [True]:
            limiting.add(part.reason)
    return tuple(sorted(granting)), tuple(sorted(limiting))


def _refusal(case: _Case, solver: Solver) -> Outcome:
    """Return why a case has no rows: nothing grants, an explicit Deny removes it, or a layer lets nothing through."""
    granting = [part for part in case.parts if part.is_allow and part.layer in OWN_LAYERS]
    if not _is_possible(case, case.grant, solver):
        return Outcome((), "none", "identity", ())
    so_far = formulas.conjunction((case.grant, formulas.negation(case.denied)))
    if not _is_possible(case, so_far, solver):
        own = [part for part in case.parts if not part.is_allow and part.layer in OWN_LAYERS]
        denying = _taking(case, case.grant, own, solver)
        return Outcome((), "denied", denying[0].layer if denying else "identity", _numbers(denying))
    for limit in case.limits:
        before, so_far = so_far, formulas.conjunction((so_far, limit.formula))
        if not _is_possible(case, so_far, solver):
            return Outcome((), "blocked", limit.layer, _numbers(_taking(case, before, limit.denies, solver)))
    return Outcome((), "blocked", "identity", _numbers(granting))


def _taking(case: _Case, granted: Formula, denies: Sequence[Part], solver: Solver) -> Sequence[Part]:
    """Return the Denies to which it is due that nothing is left of a grant: those that take all of it by themselves,
    else those that take some of it."""
    if len(denies) < 2:
        return denies

    def is_possible(test: Formula) -> bool:
        return _is_possible(case, formulas.conjunction((granted, test)), solver)

    alone = [part for part in denies if not is_possible(formulas.negation(part.formula))]
    return alone or [part for part in denies if is_possible(part.formula)]


def _is_possible(case: _Case, f: Formula, solver: Solver) -> bool:
    return any(solver.is_possible(_there(piece)) for piece in _pieces(case, f))


def _merged(rows: Sequence[AccessRow], solver: Solver) -> tuple[AccessRow, ...]:
    """Return the rows with one for each type and pattern; two of one pattern hold where either does."""
    if len(rows) < 2:
        return tuple(rows)
    found: dict[tuple[str, str], AccessRow] = {}
    for row in rows:
        place = (row.kind.name if row.kind else "", row.pattern)
        held = found.get(place)
        if held is None or held == row:
            found[place] = row
            continue
        shared = {*held.exceptions} & {*row.exceptions}
        either = formulas.disjunction(_outside(one.formula, one.exceptions, shared) for one in (held, row))
        formula = solver.simplified(either)
        found[place] = AccessRow(
            held.kind,
            held.pattern,
            tuple(sorted(shared)),
            "allowed" if formula is True else "conditional",
            formula,
            tuple(sorted({*held.granted_by, *row.granted_by})),
            tuple(sorted({*held.limited_by, *row.limited_by})),
        )
    return tuple(found[place] for place in sorted(found))


def _outside(f: Formula, exceptions: Iterable[str], shared: Set[str]) -> Formula:
    """Return a formula that says itself which resources are taken out, but for those that are anyway."""
    return formulas.conjunction((f, *(formulas.negation(resource_test(p)) for p in exceptions if p not in shared)))
