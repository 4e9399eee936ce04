/*
description = "Which statement's action patterns match which evaluated action; NotAction is resolved over all services."
grain = ["statement_id", "action"]
*/
select
    action_sets.statement_id,
    action_set_members.action,
from action_sets
inner join action_set_members on action_sets.action_set_id = action_set_members.action_set_id
inner join evaluated_actions on action_set_members.action = evaluated_actions.action
