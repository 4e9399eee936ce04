"""Writes cells as tables: their rows, their verdicts, and the conditions that stand in them."""

import json
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.evaluate import formula as formulas
from pipeline.evaluate.cells import AccessRow, Outcome
from pipeline.evaluate.formula import RESOURCE, Formula
from pipeline.evaluate.statements import shown
from pipeline.evaluate.words import spelt, words

#: Stands for the principal's own account in stored texts.
OWN_ACCOUNT = "{ownaccount}"
CELL_ACCESS = pa.schema(
    [
        ("cell_id", pa.int32()),
        ("resource_type", pa.string()),
        ("resource_pattern", pa.string()),
        ("verdict", pa.string()),
        ("condition_id", pa.string()),
        ("except_resources", pa.string()),
        ("granted_by_numbers", pa.list_(pa.int32())),
        ("limited_by_numbers", pa.list_(pa.int32())),
    ]
)
CELL_VERDICTS = pa.schema(
    [
        ("cell_id", pa.int32()),
        ("verdict", pa.string()),
        ("layer", pa.string()),
        ("decided_by_numbers", pa.list_(pa.int32())),
    ]
)
RESIDUAL_CONDITIONS = pa.schema(
    [
        ("condition_id", pa.string()),
        ("condition", pa.string()),
        ("formula", pa.string()),
        ("condition_keys", pa.list_(pa.string())),
        ("witness", pa.string()),
    ]
)


def tables_of(cells: Sequence[Outcome], spelling: Mapping[str, str], own_token: str) -> dict[str, pa.Table]:
    """Return cell_access, cell_verdicts and residual_conditions; cells are numbered from 1.

    ``spelling`` maps condition keys in lower case to AWS's spelling. ``own_token`` stands for the principal's own
    account; the tables say ``{ownaccount}``.
    """
    conditions: dict[Formula, str] = {}
    access, verdicts = [], []
    for cell_id, outcome in enumerate(cells, start=1):
        verdicts.append((cell_id, outcome.verdict, outcome.layer, outcome.decided_by))
        access += [(cell_id, *_columns(row, conditions)) for row in outcome.rows]
    by_id = {condition_id: f for f, condition_id in conditions.items()}
    residual = [_condition(condition_id, by_id[condition_id], spelling) for condition_id in sorted(by_id)]
    return {
        "cell_access": _readable(table(access, CELL_ACCESS), own_token),
        "cell_verdicts": table(verdicts, CELL_VERDICTS),
        "residual_conditions": _readable(table(residual, RESIDUAL_CONDITIONS), own_token),
    }


def _readable(rows: pa.Table, own_token: str) -> pa.Table:
    for number, column in enumerate(rows.schema):
        if column.type == pa.string():
            rows = rows.set_column(number, column, pc.replace_substring(rows.column(number), own_token, OWN_ACCOUNT))
    return rows


def _columns(row: AccessRow, conditions: dict[Formula, str]) -> tuple[object, ...]:
    """Return the columns of a row, and note its condition."""
    condition_id = None
    if row.verdict == "conditional":
        if row.formula not in conditions:
            conditions[row.formula] = formulas.identity(row.formula)
        condition_id = conditions[row.formula]
    exceptions = json.dumps([shown(p) for p in row.exceptions], ensure_ascii=False) if row.exceptions else None
    reasons = (row.granted_by, row.limited_by)
    return (row.resource_type, shown(row.pattern), row.verdict, condition_id, exceptions, *reasons)


def _condition(condition_id: str, f: Formula, spelling: Mapping[str, str]) -> tuple[object, ...]:
    asked = {test.key for test in formulas.tests(f) if not test.key.startswith((RESOURCE, "session "))}
    keys = sorted({spelt(key, spelling) for key in asked})
    return (condition_id, words(f, spelling), json.dumps(formulas.as_json(f), ensure_ascii=False), keys, None)


def table(rows: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(c, type=f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
