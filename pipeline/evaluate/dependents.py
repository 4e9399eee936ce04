"""Decides the conditions of further calls that an action depends on, with the context that AWS says they carry."""

import json

import pyarrow as pa

from pipeline.evaluate.given import decision, formula_of
from pipeline.evaluate.solver import Solver
from pipeline.evaluate.tables import table
from pipeline.lake.duck import Connection

#: The conditions on which further calls with a known context are granted.
CONDITIONS = """
with
needed as (
    select distinct
        dependencies.dependent_action,
        dependencies.context,
    from reference_dependent_actions as dependencies
    inner join evaluated_actions on dependencies.action = evaluated_actions.action
    where dependencies.context is not null
)

select distinct
    cell_access.condition_id,
    needed.context,
    residual_conditions.formula,
from needed
inner join action_forms on needed.dependent_action = action_forms.action
inner join case_cells on action_forms.form_id = case_cells.form_id
inner join cell_access on case_cells.cell_id = cell_access.cell_id
inner join residual_conditions on cell_access.condition_id = residual_conditions.condition_id
order by cell_access.condition_id, needed.context
"""
SCHEMA = pa.schema([("condition_id", pa.string()), ("context", pa.string()), ("decision", pa.string())])


def context_decisions(connection: Connection, solver: Solver) -> pa.Table:
    """Return what each of these conditions comes to in its context: allowed, conditional, or denied.

    A role that may be passed to another service only is not passable: the condition is denied.
    """
    found = connection.execute(CONDITIONS).fetchall()
    rows = [(condition_id, context, _decided(formula, context, solver)) for condition_id, context, formula in found]
    return table(rows, SCHEMA)


def _decided(formula: str, context: str, solver: Solver) -> str:
    return decision(formula_of(formula), json.loads(context), solver)
