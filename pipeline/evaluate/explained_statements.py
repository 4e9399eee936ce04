"""Explains an answer of the lake: which clause of which statement decides it. Decides no request anew.

Reads the lake through the queries in ``sql/commands``; :mod:`pipeline.evaluate.clauses` judges single clauses.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.evaluate import formula as formulas
from pipeline.evaluate import globs, predicates
from pipeline.evaluate.actions import ActionForm, TypeForm, action_form
from pipeline.evaluate.actions import Place as TypePlace
from pipeline.evaluate.clauses import NAMINGS, Clause, Judged, Outcome, Target, Written, best, judged, named_by, worst
from pipeline.evaluate.formula import RESOURCE, Formula
from pipeline.evaluate.given import formula_of
from pipeline.evaluate.instances import Place
from pipeline.evaluate.knowledge import Facts, Knowledge, principal_facts, resource_facts
from pipeline.evaluate.reading import COMPLETING
from pipeline.evaluate.relevance import governed_of
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.statements import Surroundings, mentioned, pattern_glob, read_statement
from pipeline.evaluate.texts import escaped
from pipeline.evaluate.witness import Witnesses
from pipeline.evaluate.words import spelling_of
from pipeline.iam.grammar import account_in, partition_in, region_in
from pipeline.iam.request_keys import REGION, TAG_ALIAS, TAG_KEY
from pipeline.lake import Lake
from pipeline.lake.queries import command_query
from pipeline.reference import Reference

Row = Mapping[str, Any]
ANYWHERE = "*"
#: Whose a fact is, by what its key begins with.
OWNERS = {
    "aws:principal": "the principal's", "aws:username": "the principal's", "aws:userid": "the principal's",
    "aws:resource": "the resource's", TAG_ALIAS: "the resource's",
}  # fmt: skip
#: What the policy of a resource that names the account says besides.
WITH_IDENTITY = {"account": ": an identity policy must allow it too"}
#: Layers of policies that stand on something, which tells the same statement in two of them apart.
ON_TARGETS = ("resource", "endpoint")


class Question(NamedTuple):
    """The question: principal and action by their names in the lake; ``resource`` is None for any.

    ``context`` is None unless the question is one request: then it holds all that the request carries.
    """

    principal: str
    action: str
    resource: str | None
    context: Facts | None


class Told(NamedTuple):
    """A clause of a statement of a layer. ``resource_types`` are those for which it is so, none: for all."""

    layer: str
    target_arn: str | None
    statement_id: str
    resource_types: tuple[str, ...]
    clause: Clause


class Explained(NamedTuple):
    """``clauses`` of the statements, and by (layer, target, statement) what each comes to on each resource type.

    ``is_consent_needed``: the resource's own policy must allow, whatever identity policies do; ``is_foreign``: because
    the resource is another account's. ``formulas`` are those of the residual conditions, by id; ``places`` are the
    resource that is asked about, by its type. ``spelling`` maps keys in lower case to how they are written.
    """

    clauses: tuple[Told, ...]
    outcomes: Mapping[tuple[str, str, str], Mapping[str, Outcome]]
    required_types: tuple[str, ...]
    is_consent_needed: bool
    is_foreign: bool
    formulas: Mapping[str, Formula]
    places: Mapping[str, Place]
    witnesses: Witnesses
    spelling: Mapping[str, str]

    def outcome(self, row: Row) -> Outcome:
        """Return what the statement of a row comes to on the type where it does most."""
        return best(self.outcomes[key_of(row)].values())

    def through(self, rows: Sequence[Row]) -> Outcome:
        """Return whether the policy of these statements lets calls pass, on the types that the action needs."""
        stated = [row for row in rows if row["statement_id"]]
        denies, allows = ([row for row in stated if row["effect"] == effect] for effect in ("Deny", "Allow"))
        kinds = {kind for row in stated for kind in self.outcomes[key_of(row)]}
        by_kind = {kind: self._passed(allows, denies, kind) for kind in kinds}
        if not self.required_types:
            return best(by_kind.values())
        return worst(by_kind.get(kind, "never") for kind in self.required_types)

    def _passed(self, allows: Sequence[Row], denies: Sequence[Row], kind: str) -> Outcome:
        allowed, denied = (
            best(self.outcomes[key_of(row)].get(kind, "never") for row in rows) for rows in (allows, denies)
        )
        if denied == "always" or allowed == "never":
            return "never"
        return "depends" if "depends" in (allowed, denied) else "always"


def key_of(row: Row) -> tuple[str, str, str]:
    """Return what tells the statement of a row apart: in the policy of a resource or VPC endpoint also that."""
    return row["layer"], row["target_arn"] if row["layer"] in ON_TARGETS else "", row["statement_id"]


def explained_answer(
    lake: Lake, reference: Reference, asked: Question, statements: Sequence[Row], condition_ids: Sequence[str]
) -> Explained:
    """Return the clauses of statements: rows of ``explained_statements`` that have one; and the residual conditions."""
    reader = _Reader(lake, reference, asked)
    rows = {key_of(row): row for row in statements if row["statement_id"]}
    contents = reader.contents(sorted({statement_id for _, _, statement_id in rows}))
    form = reader.form(contents.values())
    told: list[Told] = []
    outcomes: dict[tuple[str, str, str], Mapping[str, Outcome]] = {}
    foreign = reader.foreign_targets()
    for key, row in rows.items():
        content = contents[row["statement_id"]]
        found = _by_type((kind, reader.judged(content, row, kind, foreign)) for kind in reader.kinds(form))
        naming = reader.naming(content, row)
        named = best(clause.outcome for clause in naming) if naming else "always"
        outcomes[key] = {name: worst((one.outcome, named)) for name, one in found.items()}
        place = (row["layer"], key[1] or None, row["statement_id"])
        told += (Told(*place, (), clause) for clause in (reader.action_clause(content), *naming))
        told += (Told(*place, *one) for one in _by_clause(found))
    kinds = reader.kinds(form)
    return Explained(
        tuple(told),
        outcomes,
        tuple(kind.resource_type for kind in kinds if kind.is_required),
        reader.is_foreign() or any(kind.needs_consent for kind in kinds),
        reader.is_foreign(),
        reader.formulas(condition_ids),
        {kind.resource_type: reader.place(kind) for kind in kinds if asked.resource is not None},
        Witnesses(reader.solver, reader.knowledge, ()),
        reader.spelling(contents.values()),
    )


def _by_type(judged_kinds: Iterable[tuple[TypeForm, Judged]]) -> dict[str, Judged]:
    """Return what a statement comes to by the name of the type; of types of one name the one on which it does most."""
    found: dict[str, Judged] = {}
    for kind, one in judged_kinds:
        held = found.get(kind.resource_type)
        if held is None or best((held.outcome, one.outcome)) != held.outcome:
            found[kind.resource_type] = one
    return found


def _by_clause(found: Mapping[str, Judged]) -> Iterator[tuple[tuple[str, ...], Clause]]:
    """Yield the clauses in their order, each with the types for which it is so; without types where all agree."""
    count = max((len(one.clauses) for one in found.values()), default=0)
    for number in range(count):
        groups: dict[Clause, list[str]] = {}
        for name, one in found.items():
            groups.setdefault(one.clauses[number], []).append(name)
        if len({clause.outcome for clause in groups}) == 1:
            first, *others = groups
            yield (), first if not others or _same_reason(groups) else first._replace(reason=None)
        else:
            yield from ((tuple(names), clause) for clause, names in groups.items())


def _same_reason(groups: Mapping[Clause, object]) -> bool:
    return len({clause.reason for clause in groups}) == 1


class _Known(NamedTuple):
    """Facts of a resource, and the beginnings of keys of which it has no others."""

    facts: Facts
    complete: tuple[str, ...]


@dataclass
class _Reader:
    """Reads what one question needs, and remembers."""

    lake: Lake
    reference: Reference
    asked: Question
    knowledge: Knowledge = field(init=False)
    solver: Solver = field(init=False)
    caller: Row = field(init=False)
    facts: Facts = field(init=False)
    namings: Sequence[Row] = field(init=False)
    places: dict[tuple[str, str | None], "_Known"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.knowledge = Knowledge(self.reference, self.reference.former_spellings)
        self.solver = Solver(self.knowledge.domain)
        (self.caller,) = self._rows("explained_principals", principal=self.asked.principal)
        self.facts = self._principal_facts() if self.asked.context is None else self.asked.context
        self.namings = self._rows("explained_namings", principal=self.asked.principal)

    def contents(self, statement_ids: Sequence[str]) -> dict[str, Row]:
        """Return what statements say, by id."""
        if not statement_ids:
            return {}
        rows = self._rows("explained_contents", statement_ids=list(statement_ids), action=self.asked.action)
        return {row["statement_id"]: row for row in rows}

    def formulas(self, condition_ids: Sequence[str]) -> dict[str, Formula]:
        """Return the formulas of residual conditions by id, what is known of the resource filled in."""
        if not condition_ids:
            return {}
        rows = self._rows("explained_formulas", condition_ids=list(condition_ids), principal=self.asked.principal)
        found = {row["condition_id"]: formula_of(row["formula"]) for row in rows}
        return {condition_id: self._on_resource(f) for condition_id, f in found.items()}

    def _on_resource(self, f: Formula) -> Formula:
        """Return a formula with the resource that is asked about, its tags and the region called filled in."""
        resource = self.asked.resource
        if resource is None:
            return f
        known = self._known_of(account_in(resource), resource)
        region = region_in(resource)
        facts = {**known.facts, **({REGION: (region,)} if region else {})}

        def values_of(key: str) -> tuple[str, ...] | None:
            values = (resource,) if key.startswith(RESOURCE) else facts.get(key)
            return () if values is None and key.startswith(known.complete) else values

        rest = formulas.replaced(f, predicates.truths(f, values_of))
        return True if self.solver.is_certain(rest) else rest if self.solver.is_possible(rest) else False

    def spelling(self, contents: Iterable[Row]) -> dict[str, str]:
        """Return how keys are spelt: as the reference has them, those with a part as the statements have them."""
        written = (one["written_key"] for row in contents for one in json.loads(row["content"])["conditions"])
        return spelling_of(self.reference.table("reference_condition_keys")["condition_key"].to_pylist(), written)

    def form(self, contents: Iterable[Row]) -> ActionForm:
        """Return the action's form, with the keys that these statements ask for."""
        statements = (read_statement(0, row["content"]) for row in contents)
        keys = mentioned(statements, self.knowledge.former_spellings)
        return action_form(self.reference, self.asked.action, self.reference.doubtful_types, keys)

    def kinds(self, form: ActionForm) -> tuple[TypeForm, ...]:
        """Return the resource types that the question is about."""
        resource = self._resource(form)
        if resource is None:
            return form.types
        place = TypePlace(ANYWHERE, partition_in(resource) or ANYWHERE)
        return tuple(kind for kind in form.types if globs.matches(kind.universe(place), resource)) or form.types

    def _resource(self, form: ActionForm) -> str | None:
        """Return the resource that is asked about; actions without resource types are requested on ``*``."""
        has_types = any(kind.arn_format is not None for kind in form.types)
        return self.asked.resource if has_types or self.asked.resource is None else "*"

    def place(self, kind: TypeForm) -> Place:
        """Return the resource that is asked about as the one of its type."""
        universe = kind.universe(TypePlace(ANYWHERE, self._partition()))
        return Place(universe, escaped(self.asked.resource or "*") if kind.arn_format is not None else "*", ())

    def foreign_targets(self) -> tuple[str, ...]:
        """Return the resources of other accounts whose policies speak of the principal."""
        own = self.caller["account_id"]
        return tuple(dict.fromkeys(r["resource_arn"] for r in self.namings if r["owner_account_id"] != own))

    def is_foreign(self) -> bool:
        """Whether the resource that is asked about is another account's, as far as its ARN tells."""
        owner = account_in(self.asked.resource or "")
        return bool(owner and self.caller["account_id"]) and owner != self.caller["account_id"]

    def action_clause(self, content: Row) -> Clause:
        """Return the clause on the action, which holds: other statements are not asked for."""
        element = content["action_element"]
        patterns = content["matching_patterns"] if element == "Action" else content["action_patterns"]
        reason = "matches" if element == "Action" else "none of them matches"
        return Clause(element, f"{element} {', '.join(patterns)}", "always", f"{reason} {self.asked.action}")

    def naming(self, content: Row, row: Row) -> tuple[Clause, ...]:
        """Return the clauses on the principal. The caller of a request is a role, none of its sessions by name."""
        found = self._naming(content, row)
        if self.asked.context is None:
            return found
        return tuple(one._replace(outcome="never") if one.outcome == "depends" else one for one in found)

    def _naming(self, content: Row, row: Row) -> tuple[Clause, ...]:
        """Return the clauses on the principal. Of resource policies only statements that speak of it are asked for."""
        element = content["principal_element"]
        if row["layer"] == "endpoint" and element:
            return tuple(named_by(element, content["is_allow"], content["principals"], self.caller))
        if row["layer"] != "resource":
            return ()
        named = [
            (naming["named"], naming["named_as"])
            for naming in self.namings
            if (naming["resource_arn"], naming["statement_id"]) == (row["target_arn"], row["statement_id"])
        ]
        element = element or "Principal"
        return tuple(
            Clause(
                element,
                f"{element} {name}",
                "depends" if how == "session" else "always",
                NAMINGS[how] + WITH_IDENTITY.get(how, ""),
            )
            for name, how in dict.fromkeys(named)
        )

    def judged(self, content: Row, row: Row, kind: TypeForm, foreign: Sequence[str]) -> Judged:
        """Return what a statement comes to on a resource type: in the own account, or else where it reaches others."""
        statement = read_statement(0, content["content"])
        keys = tuple(one["written_key"] for one in json.loads(content["content"])["conditions"])
        written = Written(statement, keys, row["layer"] in COMPLETING)
        targets = self._targets(kind, row, foreign)
        first, *others = (self._judged(written, target) for target in targets)
        if first.outcome != "never":
            return first
        return next((one for one in others if one.outcome != "never"), first)

    def _judged(self, written: Written, target: Target) -> Judged:
        return judged(written, target, Surroundings(target.facts, target.kind.view, self.knowledge), self.solver)

    def _targets(self, kind: TypeForm, row: Row, foreign: Sequence[str]) -> list[Target]:
        if row["layer"] == "endpoint" and self.asked.context is None:
            through = {"aws:sourcevpce": (row["target_arn"].rsplit("/", 1)[-1],), "aws:sourceip": ()}
            targets = self._targets(kind, {**row, "layer": "identity"}, foreign)
            return [target._replace(facts={**target.facts, **through}) for target in targets]
        resource = self.asked.resource if kind.arn_format is not None else self.asked.resource and "*"
        if resource is not None:
            return [self._at(kind, account_in(resource), resource, ())]
        if row["layer"] == "resource":
            return self._under(kind, row["target_arn"])
        return [
            self._at(kind, self.caller["account_id"], None, ()),
            *(target for arn in foreign for target in self._under(kind, arn)),
        ]

    def _under(self, kind: TypeForm, arn: str) -> list[Target]:
        """Return the resources of a type under the policy of a resource."""
        owner = next((r["owner_account_id"] for r in self.namings if r["resource_arn"] == arn), None) or ""
        return [self._at(kind, owner, None, (pattern_glob(pattern),)) for pattern in governed_of(arn, kind)]

    def _at(self, kind: TypeForm, account: str, resource: str | None, scope: tuple[globs.Glob, ...]) -> Target:
        place = TypePlace(account or ANYWHERE, self._partition())
        is_whole = self.asked.context is not None
        known = _Known({}, ()) if is_whole else self._known_of(account, resource)
        scope = (kind.universe(place), *scope)
        facts = {**known.facts, **({} if is_whole else kind.facts(place.partition))}
        return Target(kind, scope, resource, {**self.facts, **facts}, OWNERS, known.complete, is_whole)

    def _partition(self) -> str:
        return partition_in(self.asked.principal) or "aws"

    def _principal_facts(self) -> Facts:
        c = self.caller
        return principal_facts(
            c["principal_type"],
            c["principal_arn"],
            c["account_id"],
            c["principal_name"],
            c["principal_id"],
            tuple(c["tags"] or ()),
            c["organization_id"],
            c["ou_path"],
            c["has_session_tags"],
        )

    def _known_of(self, account: str, resource: str | None) -> "_Known":
        """Return what is known of resources of an account, or of one resource: its tags, where the lake has them."""
        account = account or (self.caller["account_id"] if resource else "")
        if (account, resource) not in self.places:
            self.places[account, resource] = self._read_place(account, resource)
        return self.places[account, resource]

    def _read_place(self, account: str, resource: str | None) -> "_Known":
        if not account:
            return _Known({}, ())
        (found,) = self._rows("explained_places", account_id=account, resource=resource)
        facts = resource_facts(account, found["organization_id"], found["ou_path"])
        if found["tags"] is None:
            return _Known(facts, ())
        prefixes = (TAG_KEY, TAG_ALIAS)
        facts.update((prefix + key.lower(), (value,)) for key, value in found["tags"] for prefix in prefixes)
        return _Known(facts, prefixes)

    def _rows(self, name: str, **parameters: object) -> list[dict[str, Any]]:
        return list(self.lake.query(command_query(name), parameters).to_pylist())
