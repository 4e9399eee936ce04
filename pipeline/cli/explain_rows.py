"""Puts an explanation together: rows of the lake, judged clauses, places in files, what would change the answer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.flatten.records import SourceFile
from pipeline.lake import Lake
from pipeline.lake.queries import command_query
from pipeline.reference import Reference

Row = Mapping[str, Any]

VERDICT_COLUMNS = [
    ("resource_verdict", pa.string()),
    ("decision", pa.string()),
    ("blocked_by", pa.list_(pa.string())),
    ("detail", pa.string()),
]
STATEMENT_COLUMNS = [
    ("applies", pa.string()),
    ("file", pa.string()),
    ("line", pa.int64()),
    ("column", pa.int64()),
    ("document_pointer", pa.string()),
    ("statement_pointer", pa.string()),
    ("position_remark", pa.string()),
]
CLAUSES = pa.schema(
    [
        ("principal_arn", pa.string()),
        ("part", pa.string()),
        ("layer", pa.string()),
        ("target_arn", pa.string()),
        ("statement_id", pa.string()),
        ("resource_types", pa.list_(pa.string())),
        ("element", pa.string()),
        ("clause", pa.string()),
        ("holds", pa.string()),
        ("reason", pa.string()),
    ]
)
CHANGES = pa.schema(
    [
        ("principal_arn", pa.string()),
        ("part", pa.string()),
        ("change", pa.string()),
        ("layer", pa.string()),
        ("level", pa.int32()),
        ("target_arn", pa.string()),
        ("target_name", pa.string()),
        ("policy_name", pa.string()),
        ("statement_id", pa.string()),
        ("resource_type", pa.string()),
        ("resource_pattern", pa.string()),
        ("example", pa.string()),
        ("counter_example", pa.string()),
    ]
)


#: What the policy of a VPC endpoint does with the calls through it.
THROUGH = {
    "always": "calls through it pass",
    "never": "calls through it are refused",
    "depends": "calls through it pass or not, as the request is",
}


class Arguments(NamedTuple):
    """Principal and action as the lake names them, a resource or None, and the keys that a request is said to have."""

    principal: str
    action: str
    resource: str | None
    keys: Mapping[str, list[str]]


class Parts(NamedTuple):
    """The parts of an explanation, each a table; all have the columns principal_arn and part."""

    verdicts: pa.Table
    scopes: pa.Table
    statements: pa.Table
    clauses: pa.Table
    changes: pa.Table


def parts(lake: Lake, reference: Reference, asked: Arguments) -> Parts:
    """Return the explanation. Raises PolicylakeError for a request that cannot be decided."""
    from pipeline.evaluate import remedies
    from pipeline.evaluate.explained_statements import Question, explained_answer

    pair = {"principal": asked.principal, "action": asked.action}
    reach = pair | {"resource": asked.resource}
    verdicts = lake.query(command_query("explained_verdicts"), pair)
    scopes = lake.query(command_query("explained_scopes"), reach)
    decided = _decided(lake, reference, asked)
    context = decided.context if decided else None
    endpoint = next(iter(context.get("aws:sourcevpce", ())), "") if context is not None else None
    statements = lake.query(command_query("explained_statements"), reach | {"endpoint": endpoint})
    rows = statements.to_pylist()
    listed = scopes.to_pylist()
    ids = sorted({row["condition_id"] for row in listed if row["condition_id"]})
    question = Question(*asked[:3], context)
    explained = explained_answer(lake, reference, question, rows, ids)
    answered = remedies.Answered(
        verdicts.to_pylist()[0],
        listed,
        rows,
        explained,
        decided.decision.decision if decided else None,
        decided.decision.blocked_by if decided else (),
    )
    conditions = [] if decided else remedies.of_conditions(listed, explained)
    found = _named_right(reference, asked) or [*conditions, *remedies.remedies(question, answered)]
    return Parts(
        _with_decision(verdicts, answered, decided) if asked.resource else verdicts,
        scopes,
        _placed(lake, statements, rows, explained),
        pa.Table.from_pylist([_clause(asked.principal, told) for told in explained.clauses], CLAUSES),
        pa.Table.from_pylist([_part(asked.principal, "change", remedy._asdict()) for remedy in found], CHANGES),
    )


def _named_right(reference: Reference, asked: Arguments) -> list[Any]:
    """Return the one change that helps where requests for the action never name such a resource."""
    from pipeline.evaluate.remedies import Remedy
    from pipeline.simulate import Remarks

    said = Remarks(reference).on_resource(asked.action, asked.resource) if asked.resource else None
    return [Remedy(f"{said.text}; {said.remedy}")] if said and said.is_mistake else []


def _decided(lake: Lake, reference: Reference, asked: Arguments) -> Any:
    """Return the decision of the concrete evaluator where the question is one request."""
    from pipeline.simulate import decided_request

    if not asked.keys:
        return None
    line = {"principal": asked.principal, "action": asked.action, "resource": asked.resource, "context": asked.keys}
    return decided_request(json.dumps(line), lake, reference)


def _with_decision(verdicts: pa.Table, answered: Any, decided: Any) -> pa.Table:
    """Return the verdict with what it is on the resource, and the decision of the request where there is one."""
    values: list[object] = [answered.resource_verdict, None, None, None]
    if decided:
        d = decided.decision
        values[1:] = [d.decision, list(d.blocked_by), "; ".join((d.detail, *decided.notes))]
    for (name, kind), value in zip(VERDICT_COLUMNS, values, strict=True):
        verdicts = verdicts.append_column(name, pa.array([value], kind))
    return verdicts


def _placed(lake: Lake, statements: pa.Table, rows: Sequence[Row], explained: Any) -> pa.Table:
    """Return the statements with what they come to, and with their places in the input files."""
    from pipeline.ingest import Occurrence, positions

    names = Occurrence._fields
    occurrences = [Occurrence(*(row[name] for name in names)) if row["statement_id"] else None for row in rows]
    sources = [SourceFile(**source) for source in lake.manifest["inputs"]]
    places = positions((o for o in occurrences if o), sources)
    found: list[tuple[object, ...]] = [(None,) * len(STATEMENT_COLUMNS)] * len(rows)
    for number, (row, occurrence) in enumerate(zip(rows, occurrences, strict=True)):
        if occurrence:
            found[number] = (explained.outcome(row), *places[occurrence])
    for (name, kind), values in zip(STATEMENT_COLUMNS, zip(*found, strict=True), strict=True):
        statements = statements.append_column(name, pa.array(values, kind))
    remarks = pa.array(_remarks(rows, explained), pa.string())
    statements = statements.set_column(statements.column_names.index("remark"), "remark", remarks)
    return statements.drop_columns(["attachment_kind", "policy_id", "is_listed"])


def _remarks(rows: Sequence[Row], explained: Any) -> list[str | None]:
    """Return the remarks of the rows, the first of a VPC endpoint with what its policy does with calls through it."""
    remarks: list[str | None] = [row["remark"] for row in rows]
    at: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row["layer"] == "endpoint" and row["target_arn"]:
            at.setdefault(row["target_arn"], []).append(number)
    for first, *others in at.values():
        passed = THROUGH[explained.through([rows[number] for number in (first, *others)])]
        remarks[first] = f"{remarks[first]}: {passed}" if remarks[first] else passed
    return remarks


def _clause(principal: str, told: Any) -> dict[str, Any]:
    element, clause, holds, reason = told.clause
    told_apart = {"layer": told.layer, "target_arn": told.target_arn, "statement_id": told.statement_id}
    said = {"element": element, "clause": clause, "holds": holds, "reason": reason}
    return _part(principal, "clause", told_apart | {"resource_types": list(told.resource_types) or None} | said)


def _part(principal: str, part: str, row: Row) -> dict[str, Any]:
    return {"principal_arn": principal, "part": part, **row}
