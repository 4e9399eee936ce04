/*
description = "The evaluated actions of each action set, by their numbers, as text."
grain = ["action_set_id"]
*/
select
    action_set_members.action_set_id,
    string_agg(action_numbers.number, ',' order by action_numbers.number) as action_numbers,
from action_set_members
inner join action_numbers on action_set_members.action = action_numbers.action
group by action_set_members.action_set_id
order by action_set_members.action_set_id
