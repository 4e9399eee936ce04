/*
description = "What each conditional cell asks for: of each resource type the conditions of its rows, an empty text for a row without one, and whether every call needs the type."
grain = ["cell_id", "resource_type"]
*/
with
cell_forms as (
    select
        case_cells.cell_id,
        min(case_cells.form_id) as form_id,
    from case_cells
    inner join cell_verdicts on case_cells.cell_id = cell_verdicts.cell_id
    where cell_verdicts.verdict = 'conditional'
    group by case_cells.cell_id
),

-- Actions that share a cell need the same types.
form_actions as (
    select
        form_id,
        min(action) as action,
    from block_actions
    group by form_id
),

needed as (
    select
        cell_forms.cell_id,
        types.resource_type,
    from cell_forms
    inner join form_actions on cell_forms.form_id = form_actions.form_id
    inner join reference_action_resource_types as types on form_actions.action = types.action
    where types.is_required and not types.is_required_mark_doubtful
)

select
    cell_access.cell_id,
    cell_access.resource_type,
    needed.resource_type is not null as is_required,
    list_sort(list(distinct coalesce(cell_access.condition_id, ''))) as condition_ids,
from cell_access
semi join cell_forms on cell_access.cell_id = cell_forms.cell_id
left join needed
    on
        cell_access.cell_id = needed.cell_id
        and cell_access.resource_type = needed.resource_type
group by cell_access.cell_id, cell_access.resource_type, needed.resource_type
order by cell_access.cell_id, cell_access.resource_type
