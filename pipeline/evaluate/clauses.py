"""Says of each clause of a statement whether it holds: for every request, for none, or for some. Asks no lake.

A clause is an element of a statement, and each condition in it. What decides is the engine's own code for statements,
looked at one clause at a time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates
from pipeline.evaluate.actions import TypeForm
from pipeline.evaluate.formula import Formula, Test
from pipeline.evaluate.knowledge import Facts, fact
from pipeline.evaluate.scopes import is_nowhere
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import (
    NumberedStatement,
    Surroundings,
    condition,
    on_resources,
    pattern_glob,
    resource_patterns,
)
from pipeline.iam import principals
from pipeline.iam.grammar import partition_in
from pipeline.iam.model import PrincipalEntry
from pipeline.iam.principals import Caller, is_left_out

Outcome = Literal["always", "depends", "never"]
#: How a statement names a principal, in words.
NAMINGS = {
    "everyone": "names everyone",
    "account": "names the account",
    "user": "names the principal",
    "role": "names the principal",
    "principal": "names the principal",
    "session": "names one session of the role",
    "not_principal": "leaves out those it names",
}


class Clause(NamedTuple):
    """One clause: its element, its text as the policy has it, whether it holds, and why where that can be told."""

    element: str
    text: str
    outcome: Outcome
    reason: str | None


class Judged(NamedTuple):
    """A statement on the resources of one type: its clauses, and what they come to together."""

    clauses: tuple[Clause, ...]
    outcome: Outcome


class Target(NamedTuple):
    """The resources that a statement is looked at for: of one type, at one place.

    ``scope`` are globs that all of them match, first that of the type. ``resource`` is the one that a request names,
    None for no certain one. ``facts`` are known of the request; ``owners`` says whose facts are, by what their keys
    begin with. No other key that begins as one of ``complete`` is there; where ``is_whole``, no other key at all.
    """

    kind: TypeForm
    scope: tuple[globs.Glob, ...]
    resource: str | None
    facts: Facts
    owners: Mapping[str, str]
    complete: tuple[str, ...]
    is_whole: bool


class Written(NamedTuple):
    """A statement with its texts: keys as written, one for each of its tests."""

    statement: NumberedStatement
    keys: tuple[str, ...]
    completes: bool


def judged(written: Written, target: Target, around: Surroundings, solver: Solver) -> Judged:
    """Return the clauses of a statement on resources and conditions, and what they come to together."""
    statement = written.statement
    about = _with_absence(around, statement, target)
    clauses, found = [], []
    if statement.resource_element is not None:
        clause, f = _resource_clause(written, target, about)
        clauses.append(clause)
        found.append(f)
    for test, key in zip(statement.tests, written.keys, strict=True):
        f = condition(replace(statement, tests=(test,)), about)
        clauses.append(_condition_clause(test, key, f, target, about, solver))
        found.append(f)
    return Judged(tuple(clauses), _together(clauses, formulas.conjunction(found), solver))


def _together(clauses: Sequence[Clause], f: Formula, solver: Solver) -> Outcome:
    outcomes = {clause.outcome for clause in clauses}
    if "never" in outcomes or not solver.is_possible(f):
        return "never"
    return "depends" if "depends" in outcomes else "always"


def _with_absence(around: Surroundings, statement: NumberedStatement, target: Target) -> Surroundings:
    """Return the surroundings with every key absent that a whole request does not carry, and every tag that a known
    resource lacks."""
    keys = {around.knowledge.canonical(key, around.view) for key in statement.asked_keys} | {*statement.asked_keys}
    absent: dict[str, tuple[str, ...]] = {
        key: ()
        for key in keys
        if fact(around.facts, key) is None and (target.is_whole or key.startswith(target.complete))
    }
    return around._replace(facts={**around.facts, **absent})


def _resource_clause(written: Written, target: Target, around: Surroundings) -> tuple[Clause, Formula]:
    statement = written.statement
    element = statement.resource_element or "Resource"
    text = f"{element} {_listed(statement.resources)}"
    patterns = resource_patterns(statement, around, completes=written.completes)
    f = on_resources(statement, patterns)
    if target.resource is not None:
        return _on_one(element, text, f, target.resource)
    relations = [_meeting(target.scope, pattern_glob(pattern)) for pattern in patterns]
    some = any(relation.inside for relation in relations)
    whole = any(
        relation.inside and not relation.outside and not _has_variable(pattern)
        for pattern, relation in zip(patterns, relations, strict=True)
    )
    if element == "NotResource":
        some, whole = not whole, not some
    outcome: Outcome = "always" if whole else "depends" if some else "never"
    return Clause(element, text, outcome, _about_resources(outcome, target.kind)), f if some else False


def _meeting(scope: tuple[globs.Glob, ...], pattern: globs.Glob) -> globs.Relation:
    universe = scope[0]
    return globs.Relation(False, True) if is_nowhere(universe, pattern) else globs.relation(scope, pattern)


def _on_one(element: str, text: str, f: Formula, resource: str) -> tuple[Clause, Formula]:
    known: dict[Test, Formula] = {
        test: predicates.holds(test, (resource,)) for test in formulas.tests(f) if not test.is_opaque
    }
    rest = formulas.replaced(f, known)
    outcome: Outcome = "always" if rest is True else "never" if rest is False else "depends"
    is_among = "the resource is" if (outcome == "always") == (element == "Resource") else "the resource is not"
    reason = "a policy variable in it has no known value" if outcome == "depends" else f"{is_among} like one of them"
    return Clause(element, text, outcome, reason), rest


def _about_resources(outcome: Outcome, kind: TypeForm) -> str | None:
    if kind.arn_format is None:
        return "requested without a resource: only the pattern * matches that" if outcome == "never" else None
    what = f"resources of the type {kind.resource_type}" if kind.arn_format else "resources"
    reasons = {"always": f"all {what} in reach", "depends": f"some {what}", "never": f"no {what} in reach"}
    return reasons[outcome]


def _has_variable(pattern: str) -> bool:
    return any(test.is_opaque for test in formulas.tests(on_resources(_pattern_alone(pattern), (pattern,))))


def _pattern_alone(pattern: str) -> NumberedStatement:
    return NumberedStatement(0, True, True, "Resource", (pattern,), (), (), (), ())


def _condition_clause(
    test: Test, written_key: str, f: Formula, target: Target, around: Surroundings, solver: Solver
) -> Clause:
    certain, possible = (True, True) if f is True else (False, f is not False)
    if possible and not certain:
        certain, possible = solver.is_certain(f), solver.is_possible(f)
    outcome: Outcome = "always" if certain else "depends" if possible else "never"
    reason = _reason(test, written_key, f, target, around)
    if reason is None and outcome != "depends":
        reason = "every value meets it" if certain else "no value meets it"
    return Clause("Condition", condition_text(test, written_key), outcome, reason)


def _reason(test: Test, written_key: str, f: Formula, target: Target, around: Surroundings) -> str | None:
    """Return what is known of a condition's key, or of the values that it is compared with."""
    value_type = around.knowledge.value_type(test.key)
    if not predicates.fits(test.operator, test.key, value_type):
        return f"{test.operator} never matches {written_key}, whose values are of the type {value_type}"
    key = around.knowledge.canonical(test.key, around.view)
    known = fact(around.facts, key)
    if known is None:
        if around.knowledge.is_absent(key, around.view):
            return "requests for this action cannot carry the key"
        return _filled_in(test, f)
    owner = next((whose for start, whose in target.owners.items() if key.startswith(start)), "the request's")
    said = f"{owner} is {_listed(known)}" if known else owner.removesuffix("'s") + " has none"
    values = _filled_in(test, f)
    return f"{said}; {values}" if values else said


def _filled_in(test: Test, f: Formula) -> str | None:
    """Return the values that variables leave to compare with, where that is not what is written."""
    left = formulas.tests(f)
    if not test.has_variables or not any("${" in value for value in test.values):
        return None
    if not left:
        return None
    if any(one.is_opaque for one in left):
        return "a policy variable in it has no known value"
    return f"with variables filled in: {_listed(left[0].values)}"


def condition_text(test: Test, written_key: str) -> str:
    """Return a condition on one line: operator with its qualifier, key as written, values."""
    qualifier = f"{test.set_qualifier}:" if test.set_qualifier else ""
    return f"{qualifier}{test.operator}{'IfExists' if test.if_exists else ''} {written_key} = {_listed(test.values)}"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(value or '""' for value in values) or "nothing"


def named_by(
    element: str, is_allow: bool, entries: Iterable[Mapping[str, str]], caller: Mapping[str, Any]
) -> Iterator[Clause]:
    """Yield a clause for each entry of Principal, or the one of NotPrincipal: whether a caller is named.

    ``entries`` have ``kind`` and ``value``; ``caller`` is a principal with principal_arn, principal_type, account_id,
    principal_name and has_boundary. NotPrincipal with Allow speaks of nobody; with Deny it spares a user that it names
    with its account, and who has no boundary (NPRIN).
    """
    listed = [PrincipalEntry(entry["kind"], entry["value"]) for entry in entries]
    by = Caller(caller["principal_arn"], caller["principal_arn"], caller["account_id"] or None)
    if element == "NotPrincipal":
        text = f"{element} {_listed(entry.value for entry in listed)}"
        is_spared = not is_allow and is_left_out(listed, by, caller["has_boundary"])
        outcome: Outcome = "never" if is_allow or is_spared else "always"
        yield Clause(element, text, outcome, "with Allow it speaks of nobody" if is_allow else _sparing(is_spared))
        return
    session = principals.sessions_of(partition_in(by.arn), by.account_id, caller["principal_name"])
    for entry in listed:
        way = principals.named_by(entry, by)
        is_session = by.kind == "role" and entry.value.startswith(session)
        outcome = "always" if way else "depends" if is_session else "never"
        reason = NAMINGS["session"] if is_session else NAMINGS.get(way or "", "does not name the principal")
        yield Clause(element, f"{element} {entry.value}", outcome, reason)


def _sparing(is_spared: bool) -> str:
    return "leaves the principal out" if is_spared else NAMINGS["not_principal"]


ORDER: tuple[Outcome, ...] = ("never", "depends", "always")


def best(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome that lets most through; never where there is none."""
    return max(outcomes, key=ORDER.index, default="never")


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome that lets least through; always where there is none."""
    return min(outcomes, key=ORDER.index, default="always")
