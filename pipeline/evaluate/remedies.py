"""Says what would change an answer: the condition to meet, the Deny to take back, the layer that must allow.

Works on rows of an explanation alone; asks no lake.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.evaluate.changes import Scope, smallest_change
from pipeline.evaluate.contexts import completed
from pipeline.evaluate.explained_statements import Explained, Question, Row, key_of
from pipeline.evaluate.formula import Formula
from pipeline.evaluate.instances import Place
from pipeline.evaluate.reasons import OWN_LAYERS
from pipeline.evaluate.words import spelt

#: What stops a request besides the layers that are explained.
ELSEWHERE = {
    "session": "an Allow in the session policy",
    "partition": "a resource of the principal's partition: nothing crosses partitions",
}
#: Where a Deny stands that is not explained.
DENIED_ELSEWHERE = {
    "session": "no Deny in the session policy",
}
NEVER_TOGETHER = (
    "requests for which the layers agree: each allows some, but never the same ones; change a condition or a Resource"
)


class Remedy(NamedTuple):
    """What would change an answer, with the statement, policy or level that it is about.

    ``example`` is what a request holds that meets a condition, ``counter_example`` one that does not.
    """

    change: str
    layer: str | None = None
    level: int | None = None
    target_arn: str | None = None
    target_name: str | None = None
    policy_name: str | None = None
    statement_id: str | None = None
    resource_type: str | None = None
    resource_pattern: str | None = None
    example: str | None = None
    counter_example: str | None = None


class Answered(NamedTuple):
    """The rows of an explanation. ``decision`` and ``blocked_by`` are of one request; None and empty without one."""

    verdict: Row
    scopes: Sequence[Row]
    statements: Sequence[Row]
    explained: Explained
    decision: str | None
    blocked_by: tuple[str, ...]

    @property
    def resource_verdict(self) -> str:
        """What the scopes come to on the resource that is asked about: allowed, conditional or refused."""
        found = [explained_formula(row, self.explained) for row in self.scopes]
        if True in found:
            return "allowed"
        return "conditional" if any(f is not False for f in found) else "refused"


def explained_formula(row: Row, explained: Explained) -> Formula:
    """Return the condition of a scope; True where there is none."""
    return explained.formulas[row["condition_id"]] if row["condition_id"] else True


def remedies(question: Question, answered: Answered) -> list[Remedy]:
    """Return what would change the answer: of the request where there is one, else of the verdict."""
    maker = _Maker(question, answered)
    found = maker.of_request() if answered.decision else maker.of_verdict()
    return list(dict.fromkeys(found))


def of_conditions(scopes: Sequence[Row], explained: Explained) -> list[Remedy]:
    """Return, for each conditional scope, its condition with a request that meets it and one that does not."""
    return [_of_condition(row, scopes, explained) for row in scopes if row["condition_id"]]


def _of_condition(row: Row, scopes: Iterable[Row], explained: Explained) -> Remedy:
    f = explained.formulas[row["condition_id"]]
    place = {"resource_type": row["resource_type"], "resource_pattern": row["resource_pattern"]}
    if isinstance(f, bool):
        holds = "holds for this resource, whatever else is in the request" if f else "never holds for this resource"
        return Remedy(f"the condition {row['condition']} {holds}", **place)
    # What is known of one resource makes another condition of it: the lake's proof is for the stored one.
    on_resource = explained.places.get(row["resource_type"])
    if on_resource is None:
        met, unmet = (_proof(json.loads(row[name])) if row[name] else None for name in ("witness", "smallest_change"))
    else:
        beside = [
            explained_formula(other, explained) for other in scopes if other["resource_type"] == row["resource_type"]
        ]
        met, unmet = _proofs_on(on_resource, f, beside, explained)
    return Remedy(f"meet the condition: {row['condition']}", **place, example=met, counter_example=unmet)


def _proofs_on(
    place: Place, f: Formula, beside: Iterable[Formula], explained: Explained
) -> tuple[str | None, str | None]:
    """Say what requests for one resource hold: one that meets a condition, and the smallest change with which neither
    this scope nor those beside it allow it. Found as the lake's own are (changes.py)."""
    witness = explained.witnesses.of(place, f)
    if witness is None:
        return None, None
    scopes = [Scope(place, g) for g in beside]
    change = smallest_change(witness, Scope(place, f), scopes, explained.witnesses)
    met = _proof({"context": _spelt(completed(dict(witness.context)), explained.spelling)})
    session = {} if change is None or change.caller is None else {"principal": change.caller}
    return met, change and _proof({"context": _spelt(dict(change.context), explained.spelling), **session})


def _spelt(context: Mapping[str, tuple[str, ...]], spelling: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {spelt(key, spelling): values for key, values in sorted(context.items())}


def _proof(line: Mapping[str, Any]) -> str:
    """Say what a witness, or its smallest change, holds."""
    told = [f"{key} is {_values(values)}" for key, values in line["context"].items()]
    told += [f"the resource is {line['resource']}"] if "resource" in line and "action" not in line else []
    told += ["another session"] if "principal" in line and "action" not in line else []
    return "; ".join(told) or "none of its keys"


def _values(values: str | Sequence[str] | None) -> str:
    if isinstance(values, str):
        return values or '""'
    return ", ".join(value or '""' for value in values) if values else "absent"


class _Maker:
    """Makes the changes of one answer."""

    def __init__(self, question: Question, answered: Answered) -> None:
        self.question = question
        self.answered = answered
        # No verdict counts the policies of VPC endpoints: a request does, of the endpoint that it comes through.
        counted = (row for row in answered.statements if row["layer"] != "endpoint" or answered.decision)
        self.stated = [row for row in counted if row["statement_id"]]

    def of_request(self) -> Iterator[Remedy]:
        """Yield the changes to the decision of one request."""
        answered = self.answered
        if answered.decision == "allowed":
            yield from self._standing(lambda row: self._outcome(row) == "always")
        if answered.decision == "explicitDeny":
            yield from self._undenied(r for r in self._denies() if self._outcome(r) == "always")
            yield from (change for layer in self._unallowing() for change in self._allowed(layer))
            elsewhere = (layer for layer in answered.blocked_by if layer in DENIED_ELSEWHERE)
            yield from (Remedy(DENIED_ELSEWHERE[layer], layer) for layer in elsewhere)
        for layer in answered.blocked_by if answered.decision == "implicitDeny" else ():
            yield from self._allowed(layer)

    def of_verdict(self) -> Iterator[Remedy]:
        """Yield the changes to the verdict of the action."""
        verdict, layer = self.answered.verdict["verdict"], self.answered.verdict["layer"]
        if self.question.resource and self.answered.resource_verdict == "refused":
            certain = [row for row in self._denies() if self._outcome(row) == "always"]
            yield from self._undenied(certain)
            yield from (change for at in self._unallowing() for change in self._allowed(at))
            return
        decided_by = {*(self.answered.verdict["statement_ids"] or ())}
        if verdict == "allowed":
            yield from self._standing(lambda row: row["counts_as"] in ("grants", "decides"))
        elif verdict in ("denied", "blocked"):
            denies = [row for row in self._denies() if row["statement_id"] in decided_by]
            found = [*self._undenied(denies), *(c for at in self._unallowing() for c in self._allowed(at))]
            yield from found or [Remedy(NEVER_TOGETHER, layer)]
        elif verdict == "none":
            yield from (change for at in self._unallowing() or ["identity"] for change in self._allowed(at))

    def _outcome(self, row: Row) -> str:
        return self.answered.explained.outcome(row)

    def _denies(self) -> Iterator[Row]:
        return (row for row in self.stated if row["effect"] == "Deny" and self._outcome(row) != "never")

    def _standing(self, counts: Callable[[Row], bool]) -> Iterator[Remedy]:
        for row in self.stated:
            if row["effect"] == "Allow" and row["layer"] in OWN_LAYERS and counts(row):
                yield _about(row, f"it rests on {_statement(row)}; a Deny would refuse it all the same")

    def _undenied(self, rows: Iterable[Row]) -> Iterator[Remedy]:
        for row in rows:
            yield _about(row, f"no Deny of {_statement(row)}, or a condition on it that spares these requests")

    def _unallowing(self) -> list[str]:
        """Return the layers that let nothing through, as far as single statements tell. RCPs only deny."""
        layers = [layer for layer in ("identity", "boundary", "scp") if self._closed(layer)]
        explained, is_silent = self.answered.explained, bool(self._lacking(self._rows(("resource",))))
        if not (is_silent or explained.is_foreign):
            layers = [layer for layer in layers if layer != "identity"]
        return [*layers, "resource"] if explained.is_consent_needed and is_silent else layers

    def _closed(self, layer: str) -> list[tuple[Any, list[Row]]]:
        """Return the levels of a layer, each with its rows, that allow nothing. An absent layer limits nothing."""
        rows = self._rows((layer,))
        if layer in ("boundary", "scp") and not any(row["policy_name"] is not None for row in rows):
            return []
        levels: dict[Any, list[Row]] = {}
        for row in rows:
            levels.setdefault(row["level"], []).append(row)
        return [(level, held) for level, held in levels.items() if self._lacking(held)]

    def _rows(self, layers: Sequence[str]) -> list[Row]:
        return [row for row in self.answered.statements if row["layer"] in layers]

    def _lacking(self, rows: Sequence[Row]) -> list[str]:
        """Return the resource types of the action on which no Allow of these rows can apply; any counts if none is
        required."""
        explained = self.answered.explained
        allows = [explained.outcomes[key_of(r)] for r in rows if r["statement_id"] and r["effect"] == "Allow"]
        if not explained.required_types:
            return [] if any(outcome != "never" for types in allows for outcome in types.values()) else [""]
        return [kind for kind in explained.required_types if all(types.get(kind) == "never" for types in allows)]

    def _allowed(self, layer: str) -> Iterator[Remedy]:
        """Yield what a layer that does not allow must get, and its Allows that fail by a clause."""
        if layer in ELSEWHERE:
            yield Remedy(ELSEWHERE[layer], layer)
            return
        levels = self._closed(layer) or [(None, self._rows((layer,)))]
        for level, rows in levels:
            kinds = ", ".join(kind for kind in self._lacking(rows) if kind and kind != "*")
            is_placed = bool(rows) and (level is not None or layer == "endpoint")
            yield Remedy(
                self._needed(layer, level, rows, kinds),
                layer,
                level,
                rows[0]["target_arn"] if is_placed else None,
                rows[0]["target_name"] if is_placed else None,
                rows[0]["policy_name"] if rows and layer == "boundary" else None,
                resource_type=kinds or None,
            )
            for row in rows:
                if row["statement_id"] and row["effect"] == "Allow":
                    yield from self._near_miss(row)

    def _needed(self, layer: str, level: int | None, rows: Sequence[Row], kinds: str) -> str:
        action, where = (
            self.question.action,
            f" on {self.question.resource or kinds}" if (self.question.resource or kinds) else "",
        )
        wanted = f"an Allow of {action}{where}"
        if layer == "boundary":
            return f"{wanted} in the boundary {rows[0]['policy_name'] if rows else ''}".rstrip()
        if layer == "scp":
            at = f" at level {level}, {rows[0]['target_name'] or rows[0]['target_arn']}" if level is not None else ""
            return f"{wanted} in an SCP{at}: every level must allow it"
        if layer == "endpoint":
            return f"{wanted} in the policy of the VPC endpoint {rows[0]['target_arn']}"
        if layer == "resource":
            return f"{wanted} for {self.question.principal} or its account in the policy of the resource"
        return f"{wanted} in an identity policy of {self.question.principal} or of one of its groups"

    def _near_miss(self, row: Row) -> Iterator[Remedy]:
        """Yield what keeps an Allow from applying: its clauses that never hold, or that never hold together."""
        key = key_of(row)
        missed = [
            f"{told.clause.text} ({told.clause.reason})" if told.clause.reason else told.clause.text
            for told in self.answered.explained.clauses
            if (told.layer, told.target_arn or "", told.statement_id) == key and told.clause.outcome == "never"
        ]
        if missed:
            yield _about(row, f"{_statement(row)} would allow it but for {' and '.join(missed)}")
        elif {*self.answered.explained.outcomes.get(key, {}).values()} == {"never"}:
            yield _about(row, f"{_statement(row)} would allow it, but no request meets all its conditions at once")


def _statement(row: Row) -> str:
    sid = f" {row['sid']!r}" if row["sid"] else ""
    policy = row["policy_name"] or f"the policy of {row['target_arn']}"
    return f"statement {row['statement_index']}{sid} of {policy}"


def _about(row: Row, change: str) -> Remedy:
    fields = ("layer", "level", "target_arn", "target_name", "policy_name", "statement_id")
    return Remedy(change, *(row[name] for name in fields))
