/*
description = "The resource types that every call of a cell's actions needs. Actions that share a cell need the same."
grain = ["cell_id", "resource_type"]
*/
with
cell_forms as (
    select
        cell_id,
        min(form_id) as form_id,
    from case_cells
    group by cell_id
),

form_examples as (
    select
        form_id,
        min(action) as action,
    from action_forms
    group by form_id
)

select
    cell_forms.cell_id,
    types.resource_type,
from cell_forms
inner join form_examples on cell_forms.form_id = form_examples.form_id
inner join reference_action_resource_types as types on form_examples.action = types.action
where types.is_required and not types.is_required_mark_doubtful
