/*
description = "The cells of each profile with the numbers of their actions, as text."
grain = ["profile_id", "cell_id"]
*/
select
    profile_cells.profile_id,
    profile_cells.cell_id,
    string_agg(action_numbers.number, ',' order by action_numbers.number) as action_numbers,
from profile_cells
inner join action_numbers on profile_cells.action = action_numbers.action
group by profile_cells.profile_id, profile_cells.cell_id
order by profile_cells.profile_id, profile_cells.cell_id
