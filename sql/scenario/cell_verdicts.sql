/*
description = "The rows of cell_verdicts under a scenario: only conditional cells can change, and of them those of which it changes a row."
grain = ["cell_id"]
*/
with
decided as (
    select
        reread.cell_id,
        verdicts.verdict,
        verdicts.layer,
        case
            when verdicts.verdict = 'denied' then reread.limiting[verdicts.type_number]
            else reread.granting[verdicts.type_number][verdicts.row_number]
        end as decided_by_numbers,
    from reread_cells as reread
    inner join reread_verdicts as verdicts on reread.types = verdicts.types
),

-- Each type is possible alone, but no request in the scenario meets all that are required.
parted as (
    select
        required_types.cell_id,
        list_sort(list_distinct(flatten(list(stored.limited_by_numbers)))) as limited_by_numbers,
    from parted_cells
    inner join required_types on parted_cells.cell_id = required_types.cell_id
    inner join stored_cell_access as stored
        on
            required_types.cell_id = stored.cell_id
            and required_types.resource_type = stored.resource_type
    group by required_types.cell_id
)

select
    stored.cell_id,
    if(parted.cell_id is not null, 'denied', coalesce(decided.verdict, stored.verdict)) as verdict,
    if(parted.cell_id is not null, 'scenario', coalesce(decided.layer, stored.layer)) as layer,
    coalesce(parted.limited_by_numbers, decided.decided_by_numbers, stored.decided_by_numbers) as decided_by_numbers,
from stored_cell_verdicts as stored
left join decided on stored.cell_id = decided.cell_id
left join parted on stored.cell_id = parted.cell_id
