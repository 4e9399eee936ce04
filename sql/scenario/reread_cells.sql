/*
description = "The conditional cells of which a scenario changes a row. types is what decides them: of each resource type whether every call needs it, and of each of its rows the verdict and the layers that grant; granting and limiting are their statements."
grain = ["cell_id"]
*/
with
changed_cells as (
    select distinct stored.cell_id
    from stored_cell_access as stored
    inner join stored_cell_verdicts on stored.cell_id = stored_cell_verdicts.cell_id
    inner join scenario_conditions on stored.condition_id = scenario_conditions.condition_id
    where stored_cell_verdicts.verdict = 'conditional' and scenario_conditions.verdict != stored.verdict
),

types as (
    select
        stored.cell_id,
        stored.resource_type,
        required_types.resource_type is not null as is_required,
        list(
            {
                'verdict': coalesce(scenario_conditions.verdict, stored.verdict),
                'layers': list_sort(
                    list_distinct(list_transform(stored.granted_by_numbers, lambda number: reason_layer(number)))
                )
            } order by stored.resource_pattern
        ) as rows,
        list(stored.granted_by_numbers order by stored.resource_pattern) as granting,
        list_sort(list_distinct(flatten(list(stored.limited_by_numbers)))) as limiting,
    from stored_cell_access as stored
    semi join changed_cells on stored.cell_id = changed_cells.cell_id
    left join scenario_conditions on stored.condition_id = scenario_conditions.condition_id
    left join required_types
        on
            stored.cell_id = required_types.cell_id
            and stored.resource_type = required_types.resource_type
    group by stored.cell_id, stored.resource_type, required_types.resource_type
)

select
    cell_id,
    list({ 'is_required': is_required, 'rows': rows } order by resource_type) as types,
    list(granting order by resource_type) as granting,
    list(limiting order by resource_type) as limiting,
from types
group by cell_id
