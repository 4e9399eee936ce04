/*
description = "The scopes of each cell: resource types that have the same scope, condition and reasons stand together; resource_types is null where these are all the types of the action."
grain = ["cell_id", "resource_pattern", "verdict", "condition", "except_resources", "granted_by_numbers", "limited_by_numbers"]
*/
with
examples as (
    select
        cell_id,
        min(action) as action,
    from profile_cells
    group by cell_id
),

type_counts as (
    select
        examples.cell_id,
        count(reference_action_resource_types.resource_type) as type_count,
    from examples
    left join reference_action_resource_types on examples.action = reference_action_resource_types.action
    group by examples.cell_id
),

scopes as (
    select
        cell_access.cell_id,
        cell_access.resource_pattern,
        cell_access.verdict,
        cell_access.condition_id,
        residual_conditions.condition,
        residual_conditions.witness,
        residual_conditions.smallest_change,
        cell_access.is_proven,
        cell_access.except_resources,
        cell_access.granted_by_numbers,
        cell_access.limited_by_numbers,
        list(distinct cell_access.resource_type order by cell_access.resource_type) as resource_types,
    from cell_access
    left join residual_conditions on cell_access.condition_id = residual_conditions.condition_id
    group by all
)

select
    scopes.cell_id,
    scopes.resource_pattern,
    scopes.verdict,
    scopes.condition_id,
    scopes.condition,
    scopes.witness,
    scopes.smallest_change,
    scopes.is_proven,
    scopes.except_resources,
    scopes.granted_by_numbers,
    scopes.limited_by_numbers,
    case when len(scopes.resource_types) < type_counts.type_count then scopes.resource_types end as resource_types,
from scopes
inner join type_counts on scopes.cell_id = type_counts.cell_id
order by all
