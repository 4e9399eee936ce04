/*
description = "The rows of cell_verdicts under a scenario: the best row of each required resource type, then the weakest of those. Only conditional cells can change."
grain = ["cell_id"]
*/
with
ranked as (
    select
        stored.cell_id,
        stored.resource_type,
        stored.resource_pattern,
        stored.granted_by_numbers,
        stored.limited_by_numbers,
        stored.verdict != coalesce(scenario_conditions.verdict, stored.verdict) as is_changed,
        list_position(
            ['denied', 'conditional', 'allowed'], coalesce(scenario_conditions.verdict, stored.verdict)
        ) as strength,
    from stored_cell_access as stored
    inner join stored_cell_verdicts on stored.cell_id = stored_cell_verdicts.cell_id
    left join scenario_conditions on stored.condition_id = scenario_conditions.condition_id
    where stored_cell_verdicts.verdict = 'conditional'
),

types as (
    select
        ranked.cell_id,
        ranked.resource_type,
        required_types.resource_type is not null as is_required,
        max(ranked.strength) as strength,
        first(ranked.granted_by_numbers order by ranked.strength desc, ranked.resource_pattern) as granted_by_numbers,
        list_sort(list_distinct(flatten(list(ranked.limited_by_numbers)))) as limited_by_numbers,
        bool_or(ranked.is_changed) as is_changed,
    from ranked
    left join required_types
        on
            ranked.cell_id = required_types.cell_id
            and ranked.resource_type = required_types.resource_type
    group by all
),

-- Every required type must be met by one call, so the weakest of them decides; where none is required, the best.
deciding as (
    select
        *,
        bool_or(is_changed) over (partition by cell_id) as is_cell_changed,
    from types
    qualify
        row_number() over (
            partition by cell_id
            order by is_required desc, if(is_required, strength, -strength), resource_type
        ) = 1
),

-- Each type is possible alone, but no request in the scenario meets all that are required.
parted as (
    select
        types.cell_id,
        list_sort(list_distinct(flatten(list(types.limited_by_numbers)))) as limited_by_numbers,
    from types
    inner join parted_cells on types.cell_id = parted_cells.cell_id
    where types.is_required
    group by types.cell_id
)

select
    stored.cell_id,
    case
        when parted.cell_id is not null or deciding.strength = 1 then 'denied'
        when deciding.strength = 2 then 'conditional'
        when deciding.strength = 3 then 'allowed'
        else stored.verdict
    end as verdict,
    case
        when parted.cell_id is not null or deciding.strength = 1 then 'scenario'
        when deciding.cell_id is null or deciding.granted_by_numbers = stored.decided_by_numbers then stored.layer
        when list_contains(
            list_transform(deciding.granted_by_numbers, lambda number: reason_layer(number)), 'identity'
        ) then 'identity'
        else 'resource'
    end as layer,
    case
        when parted.cell_id is not null then parted.limited_by_numbers
        when deciding.strength = 1 then deciding.limited_by_numbers
        when deciding.cell_id is not null then deciding.granted_by_numbers
        else stored.decided_by_numbers
    end as decided_by_numbers,
from stored_cell_verdicts as stored
left join deciding on stored.cell_id = deciding.cell_id and deciding.is_cell_changed
left join parted on stored.cell_id = parted.cell_id
