/*
description = "The actions of each action set."
grain = ["action_set_id", "action"]
*/
with
examples as (
    select
        action_set_id,
        min(action_list_id) as action_list_id,
    from action_sets
    group by action_set_id
)

select
    examples.action_set_id,
    action_list_matches.action,
from examples
inner join action_list_matches on examples.action_list_id = action_list_matches.action_list_id
