/*
description = "The evaluated actions that a statement matches, as one set each: statements that match the same actions share it."
grain = ["statement_id"]
*/
with
numbered as (
    select
        action_list_id,
        number_of(string_agg(action, ',' order by action)) as action_set_id,
    from action_list_matches
    group by action_list_id
)

select
    action_lists.statement_id,
    action_lists.action_list_id,
    numbered.action_set_id,
from action_lists
inner join numbered on action_lists.action_list_id = numbered.action_list_id
