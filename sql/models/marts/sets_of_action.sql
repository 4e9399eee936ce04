/*
description = "The action sets that an action is in, in one list: statements with another set do not speak of it."
grain = ["action"]
*/
select
    action,
    list(action_set_id) as action_set_ids,
from action_set_members
group by action
