/*
description = "The evaluated actions, numbered from 0 in the order of their names."
grain = ["action"]
*/
select
    action_numbers.number,
    evaluated_actions.action,
    evaluated_actions.service,
    evaluated_actions.access_level,
    evaluated_actions.is_known,
    reference_actions.description,
    reference_actions.takes_resources,
from evaluated_actions
inner join action_numbers on evaluated_actions.action = action_numbers.action
left join reference_actions on evaluated_actions.action = reference_actions.action
order by evaluated_actions.action
