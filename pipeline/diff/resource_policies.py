"""Compares trust policies and policies of resources by whom they let in: each party that they name, action by action.

A party is a principal as the policy writes it: an account, a role, a service, ``*``. Nothing is known of its own
policies, so what a policy allows it is compared alone. Source: IAM JSON policy elements, Principal and NotPrincipal;
Policy evaluation logic, resource-based policies.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.diff.compare import Difference, Row, differences
from pipeline.diff.overlay import exported_accounts
from pipeline.diff.queries import query
from pipeline.diff.reasons import content_of
from pipeline.evaluate import formula as formulas
from pipeline.evaluate import predicates
from pipeline.evaluate.actions import UNKNOWN_TYPE
from pipeline.evaluate.formula import RESOURCE, Formula
from pipeline.evaluate.given import test_of
from pipeline.evaluate.knowledge import Knowledge
from pipeline.evaluate.normal import normal
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import resource_test
from pipeline.evaluate.witness import Witnesses
from pipeline.evaluate.words import words
from pipeline.iam.matching import action_matches
from pipeline.iam.model import Condition, PrincipalEntry, Statement
from pipeline.iam.parse import parse_policy
from pipeline.iam.services import is_trusted
from pipeline.lake import Lake
from pipeline.reference import Reference

STS = "sts"
EVERYONE = PrincipalEntry("AWS", "*")
ACCOUNT_DIGITS = 12
#: What a row tells: the members of a difference that a lake would tell otherwise.
Told = dict[str, Any]


class _Document(NamedTuple):
    """A policy of a resource. ``texts`` are its statements as comparable texts."""

    policy_id: str
    has_variables: bool
    statements: tuple[Statement, ...]
    texts: tuple[str, ...]


class _Pair(NamedTuple):
    """The policies of one resource on both sides; those that are not there or cannot be read have no statements."""

    resource: str
    kind: str
    old: _Document
    new: _Document


NO_POLICY = _Document("", True, (), ())


class _Evaluated(NamedTuple):
    """The services and accounts that both snapshots answer for: there the access of each principal is compared."""

    services: frozenset[str]
    accounts: frozenset[str]

    def tells(self, pair: _Pair, party: str) -> bool:
        """Whether what a resource's policy gives a party is among the access of principals."""
        is_evaluated = pair.kind == "resource" and _field(pair.resource, 2) in self.services
        return is_evaluated and _field(party, 4) in self.accounts


def policy_changes(
    old: Lake, new: Lake, reference: Reference, principal: str | None, action: str | None, account: str | None
) -> list[Told]:
    """Return how the trust policies and the policies of resources of two snapshots differ, as rows of a difference.

    ``principal`` keeps the party or the role of this name or ARN, ``action`` a pattern, ``account`` that of the
    resource. Trust policies of roles that one side alone has are left out: what these roles may do is told anyway.
    """
    comparing = _Comparing(reference)
    found: list[Told] = []
    evaluated = _evaluated(old, new)
    for pair in _pairs(old, new):
        own = _field(pair.resource, 4)
        if account is not None and own != account:
            continue
        rows = [row for row in comparing.rows(pair) if not evaluated.tells(pair, row["principal_arn"])]
        named = principal in (None, pair.resource, pair.resource.rsplit("/", 1)[-1])
        found += [row for row in rows if named or row["principal_arn"] == principal]
    return [row for row in found if action is None or action_matches([_whole(action)], row["action"])]


def _evaluated(old: Lake, new: Lake) -> _Evaluated:
    services = [frozenset(lake.manifest.get("services", ())) for lake in (old, new)]
    accounts = [exported_accounts(lake) for lake in (old, new)]
    return _Evaluated(services[0] & services[1], accounts[0] & accounts[1])


def _whole(pattern: str) -> str:
    return pattern if ":" in pattern else f"*:{pattern}"


def _field(arn: str, number: int) -> str:
    return (arn.split(":", 5) + [""] * 6)[number]


def _pairs(old: Lake, new: Lake) -> Iterator[_Pair]:
    sides = []
    for lake in (old, new):
        held: dict[tuple[str, str], list[str]] = {}
        for row in lake.query(query("resource_policies")).to_pylist():
            held.setdefault((row["target_arn"], row["attachment_kind"]), []).append(row["policy_id"])
        sides.append(held)
    before, after = sides
    differing = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    if not differing:
        return
    roles = [_roles(lake) if any(kind == "trust" for _, kind in differing) else set() for lake in (old, new)]
    documents = [
        _documents(lake, {one for key in differing for one in held.get(key, ())}, held, differing)
        for lake, held in zip((old, new), sides, strict=True)
    ]
    for key in differing:
        resource, kind = key
        if kind == "trust" and not all(resource in held for held in roles):
            continue
        yield _Pair(resource, kind, documents[0].get(key, NO_POLICY), documents[1].get(key, NO_POLICY))


def _roles(lake: Lake) -> set[str]:
    sql = "select principal_arn from principals where principal_type = 'role'"
    return set(lake.query(sql)["principal_arn"].to_pylist())


def _documents(
    lake: Lake, asked: Iterable[str], held: Mapping[tuple[str, str], Sequence[str]], keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], _Document]:
    lake.lend("asked_policies", pa.table({"policy_id": pa.array(sorted(asked), pa.string())}))
    texts = {row["policy_id"]: row["document"] for row in lake.query(query("asked_documents")).to_pylist()}
    return {key: _document(held[key][0], texts[held[key][0]], key[1]) for key in keys if key in held}


def _document(policy_id: str, text: str, kind: str) -> _Document:
    value = json.loads(text)
    policy, _ = parse_policy(value, "trust" if kind == "trust" else "resource")
    if policy is None:
        return NO_POLICY._replace(policy_id=policy_id)
    listed = value["Statement"] if isinstance(value["Statement"], list) else [value["Statement"]]
    return _Document(policy_id, policy.has_variables, policy.statements, tuple(map(content_of, listed)))


def _party(entry: PrincipalEntry, partition: str) -> PrincipalEntry:
    """Return an entry in one spelling: everyone, and an account by its root."""
    if entry.value == "*" and entry.kind in ("*", "AWS"):
        return EVERYONE
    if entry.kind == "AWS" and len(entry.value) == ACCOUNT_DIGITS and entry.value.isdigit():
        return PrincipalEntry("AWS", f"arn:{partition}:iam::{entry.value}:root")
    return entry


def _named(statement: Statement, partition: str) -> frozenset[PrincipalEntry]:
    return frozenset(_party(entry, partition) for entry in statement.principals)


def _parties(statement: Statement, partition: str) -> frozenset[PrincipalEntry]:
    """Return the parties that a statement lets in or names; NotPrincipal with Allow applies to nobody."""
    is_nobody = statement.principal_element == "NotPrincipal" and statement.effect == "Allow"
    return frozenset() if is_nobody else _named(statement, partition)


def _is_in_account(party: PrincipalEntry, named: Iterable[PrincipalEntry]) -> bool:
    """Whether the account of a party is named as a whole."""
    account = _field(party.value, 4)
    return bool(account) and any(
        one.value.endswith(":root") and _field(one.value, 4) == account for one in named if one.kind == "AWS"
    )


def _allows(statement: Statement, party: PrincipalEntry, is_of_deny: bool, partition: str) -> bool:
    """Whether an Allow speaks of a party. An account speaks of its members only where a Deny names these: to be named
    oneself is more."""
    named = _parties(statement, partition)
    if party in named or (EVERYONE in named and party.kind == "AWS"):
        return True
    return is_of_deny and _is_in_account(party, named)


def _denies(statement: Statement, party: PrincipalEntry, partition: str) -> bool:
    """Whether a Deny speaks of a party. NotPrincipal spares whom it names only together with the account; everyone
    stands for a stranger."""
    named = _named(statement, partition)
    if statement.principal_element == "NotPrincipal":
        is_whole = party.kind != "AWS" or party.value.endswith(":root") or _is_in_account(party, named)
        return not (party in named and is_whole)
    return party in named or EVERYONE in named or _is_in_account(party, named)


class _Comparing:
    """Compares pairs of policies, and remembers what the same statements come to."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.knowledge = Knowledge(reference, {})
        self.witnesses = Witnesses(Solver(self.knowledge.domain), self.knowledge, ())
        names = reference.table("reference_condition_keys")["condition_key"].to_pylist()
        self.spelling = {name.split("${", 1)[0].lower(): name.split("${", 1)[0] for name in names}
        self.differences = lru_cache(maxsize=1 << 12)(self._differences)

    def rows(self, pair: _Pair) -> Iterator[Told]:
        """Yield a row for each party, action and scope that differs."""
        partition = _field(pair.resource, 1) or "aws"
        statements = (*pair.old.statements, *pair.new.statements)
        allowed = {one for s in statements if s.effect == "Allow" for one in _parties(s, partition)}
        denied = {one for s in statements if s.effect == "Deny" for one in _parties(s, partition)}
        for party in sorted(allowed | denied):
            sides = [self._of(document, party, party not in allowed, partition) for document in (pair.old, pair.new)]
            for action in self._actions(pair):
                yield from self._of_action(pair, party, action, sides)

    @staticmethod
    def _of(document: _Document, party: PrincipalEntry, is_of_deny: bool, partition: str) -> tuple[Statement, ...]:
        return tuple(
            one
            for one in document.statements
            if (_allows(one, party, is_of_deny, partition) if one.effect == "Allow" else _denies(one, party, partition))
        )

    def _actions(self, pair: _Pair) -> list[str]:
        """Return the actions that the policies can speak of: of the resource's service, or what assumes a role."""
        service = STS if pair.kind == "trust" else _field(pair.resource, 2)
        known = [one.action for one in self.reference.actions_of([service])]
        if pair.kind == "trust":
            return [action for action in known if is_trusted(action.lower())]
        written = {
            action
            for document in (pair.old, pair.new)
            for statement in document.statements
            for action in statement.actions
            if action.lower().startswith(f"{service}:") and "*" not in action and "?" not in action
        }
        spelt = {action.lower() for action in known}
        return sorted({*known, *(action for action in written if action.lower() not in spelt)})

    def _of_action(
        self, pair: _Pair, party: PrincipalEntry, action: str, sides: Sequence[Sequence[Statement]]
    ) -> Iterator[Told]:
        applying = [tuple(one for one in side if _is_about(one, action)) for side in sides]
        variables = (pair.old.has_variables, pair.new.has_variables)
        if applying[0] == applying[1] and variables[0] == variables[1]:
            return
        rows = [self._granted(side, has, pair.kind) for side, has in zip(applying, variables, strict=True)]
        own = _field(pair.resource, 4)
        for difference in self.differences(*rows, own):
            yield self._told(pair, party, action, applying, rows, difference)

    def _differences(self, old: tuple[Row, ...], new: tuple[Row, ...], own: str) -> list[Difference]:
        return differences(old, new, {UNKNOWN_TYPE: ""}, own, self.witnesses)

    def _granted(self, statements: Iterable[Statement], has_variables: bool, kind: str) -> tuple[Row, ...]:
        """Return what statements grant: a row for each pattern of resources."""
        held = tuple(statements)
        denied = [
            formulas.conjunction((_resources(one), self._condition(one, has_variables)))
            for one in held
            if one.effect == "Deny"
        ]
        left = formulas.negation(formulas.disjunction(denied))
        granted: dict[tuple[str, tuple[str, ...]], list[Formula]] = {}
        for one in held:
            if one.effect == "Allow":
                for scope in _scopes(one) if kind != "trust" else [("*", ())]:
                    granted.setdefault(scope, []).append(self._condition(one, has_variables))
        rows = [
            Row(UNKNOWN_TYPE, pattern, exceptions, formulas.conjunction((formulas.disjunction(conditions), left)))
            for (pattern, exceptions), conditions in sorted(granted.items(), key=lambda item: item[0])
        ]
        return tuple(row for row in rows if row.formula is not False)

    def _condition(self, statement: Statement, has_variables: bool) -> Formula:
        return formulas.conjunction(self._test(one, has_variables) for one in statement.conditions)

    def _test(self, condition: Condition, has_variables: bool) -> Formula:
        key = condition.key.lower()
        if not predicates.fits(condition.operator, key, self.knowledge.value_type(key)):
            return False
        test = test_of(
            condition.operator, condition.set_qualifier, condition.if_exists, key, tuple(sorted(set(condition.values))),
            has_variables=has_variables,
        )  # fmt: skip
        return normal(test, self.knowledge.domain(key))

    def _told(
        self,
        pair: _Pair,
        party: PrincipalEntry,
        action: str,
        applying: Sequence[Sequence[Statement]],
        rows: Sequence[Sequence[Row]],
        difference: Difference,
    ) -> Told:
        shown = [
            side[places[0]] if places else None
            for side, places in zip(rows, (difference.old, difference.new), strict=True)
        ]
        ids = [
            {
                effect: [f"{document.policy_id}#{one.index}" for one in side if one.effect == effect]
                for effect in ("Allow", "Deny")
            }
            for document, side in zip((pair.old, pair.new), applying, strict=True)
        ]
        known = self.reference.action(action)
        account = _field(party.value, 4)
        old, new = (self._side(pair, row) for row in shown)
        return {
            "principal_arn": party.value,
            "account_id": account if account.isdigit() else None,
            "principal_type": "everyone" if party == EVERYONE else party.kind,
            "found_in": "both",
            "action": action,
            "access_level": known.access_level if known else None,
            "resource_type": "role" if pair.kind == "trust" else UNKNOWN_TYPE,
            "change": difference.change,
            "residual": difference.residual,
            **new,
            **{f"old_{name}": value for name, value in old.items()},
            "through": _through(pair, applying),
            "granted_by": ids[1]["Allow"],
            "limited_by": ids[1]["Deny"],
            "old_granted_by": ids[0]["Allow"],
            "old_limited_by": ids[0]["Deny"],
            "witness": None,
            "lost_witness": None,
            "is_incomplete": False,
        }

    def _side(self, pair: _Pair, row: Row | None) -> Told:
        if row is None:
            return {"resource_pattern": None, "except_resources": None, "verdict": "none", "condition": None}
        is_free = row.formula is True
        return {
            "resource_pattern": pair.resource if pair.kind == "trust" or row.pattern == "*" else row.pattern,
            "except_resources": json.dumps(row.exceptions) if row.exceptions else None,
            "verdict": "allowed" if is_free else "conditional",
            "condition": None if is_free else words(_without_resources(row.formula), self.spelling),
        }


def _without_resources(f: Formula) -> Formula:
    """Return a formula with what it says of other resources left out."""
    return formulas.replaced(f, {test: False for test in formulas.tests(f) if test.key.startswith(RESOURCE)})


def _is_about(statement: Statement, action: str) -> bool:
    return action_matches(statement.actions, action) == (statement.action_element == "Action")


def _scopes(statement: Statement) -> list[tuple[str, tuple[str, ...]]]:
    if statement.resource_element == "NotResource":
        return [("*", tuple(sorted(statement.resources)))]
    return [(pattern, ()) for pattern in statement.resources]


def _resources(statement: Statement) -> Formula:
    """Return what must hold of the resource for a statement to apply; that of a trust policy is the role."""
    if statement.resource_element is None:
        return True
    held = formulas.disjunction(True if one == "*" else resource_test(one) for one in statement.resources)
    return formulas.negation(held) if statement.resource_element == "NotResource" else held


def _through(pair: _Pair, applying: Sequence[Sequence[Statement]]) -> list[str]:
    texts = [
        {document.texts[one.index]: one for one in side}
        for document, side in zip((pair.old, pair.new), applying, strict=True)
    ]
    what = f"trust policy of {pair.resource}" if pair.kind == "trust" else f"policy of {pair.resource}"
    told = []
    for sign, here, there in (("+", texts[1], texts[0]), ("-", texts[0], texts[1])):
        for text, one in here.items():
            if text not in there:
                told.append(f"{sign} {one.effect} {what}#{one.index}" + (f" {one.sid}" if one.sid else ""))
    return told
