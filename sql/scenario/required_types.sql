/*
description = "The resource types that every call needs whose cell is conditional. Actions that share a cell need the same."
grain = ["cell_id", "resource_type"]
*/
with
cell_forms as (
    select
        case_cells.cell_id,
        min(case_cells.form_id) as form_id,
    from case_cells
    inner join stored_cell_verdicts as stored on case_cells.cell_id = stored.cell_id
    where stored.verdict = 'conditional'
    group by case_cells.cell_id
),

form_actions as (
    select
        form_id,
        min(action) as action,
    from block_actions
    group by form_id
)

select
    cell_forms.cell_id,
    types.resource_type,
from cell_forms
inner join form_actions on cell_forms.form_id = form_actions.form_id
inner join reference_action_resource_types as types on form_actions.action = types.action
where types.is_required and not types.is_required_mark_doubtful
