/*
description = "The evaluated actions of each action set, by their numbers, as text."
grain = ["action_set_id"]
*/
with
numbered as (
    select
        action,
        row_number() over (order by action) - 1 as number,
    from evaluated_actions
)

select
    action_set_members.action_set_id,
    string_agg(numbered.number, ',' order by numbered.number) as action_numbers,
from action_set_members
inner join numbered on action_set_members.action = numbered.action
group by action_set_members.action_set_id
order by action_set_members.action_set_id
