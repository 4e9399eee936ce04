/*
description = "What each conditional cell asks for: of each resource type the conditions of its rows, an empty text for a row without one, and whether every call needs the type."
grain = ["cell_id", "resource_type"]
*/
with
conditional_cells as (
    select cell_id
    from cell_verdicts
    where verdict = 'conditional'
)

select
    cell_access.cell_id,
    cell_access.resource_type,
    required_types.resource_type is not null as is_required,
    list_sort(list(distinct coalesce(cell_access.condition_id, ''))) as condition_ids,
from cell_access
semi join conditional_cells on cell_access.cell_id = conditional_cells.cell_id
left join required_types
    on
        cell_access.cell_id = required_types.cell_id
        and cell_access.resource_type = required_types.resource_type
group by cell_access.cell_id, cell_access.resource_type, required_types.resource_type
order by cell_access.cell_id, cell_access.resource_type
