/*
description = "The cells of each profile with the numbers of their actions, as text."
grain = ["profile_id", "cell_id"]
*/
with
numbered as (
    select
        action,
        row_number() over (order by action) - 1 as number,
    from evaluated_actions
)

select
    profile_cells.profile_id,
    profile_cells.cell_id,
    string_agg(numbered.number, ',' order by numbered.number) as action_numbers,
from profile_cells
inner join numbered on profile_cells.action = numbered.action
group by profile_cells.profile_id, profile_cells.cell_id
order by profile_cells.profile_id, profile_cells.cell_id
