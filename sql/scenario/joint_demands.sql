/*
description = "What conditions one call must meet together: of each resource type that it needs, one of a list. Cells alike in this share a row."
grain = ["demand"]
*/
with
type_demands as (
    select
        cell_access.cell_id,
        cell_access.resource_type,
        list(distinct cell_access.condition_id order by cell_access.condition_id) as condition_ids,
    from cell_access
    inner join required_types
        on
            cell_access.cell_id = required_types.cell_id
            and cell_access.resource_type = required_types.resource_type
    inner join stored_cell_verdicts as stored on cell_access.cell_id = stored.cell_id
    where stored.verdict = 'conditional'
    group by cell_access.cell_id, cell_access.resource_type
    having bool_and(cell_access.verdict = 'conditional')
),

demands as (
    select
        cell_id,
        list(condition_ids order by condition_ids) as demand,
    from type_demands
    group by cell_id
    having count(*) > 1
)

select
    demand,
    list(cell_id order by cell_id) as cell_ids,
from demands
group by demand
order by demand
