/*
description = "The statements that match some of the actions that are given."
grain = ["policy_id", "statement_index"]
*/
select distinct
    statements.policy_id,
    statements.statement_index,
from statements
inner join action_sets on statements.statement_id = action_sets.statement_id
inner join action_set_members on action_sets.action_set_id = action_set_members.action_set_id
where action_set_members.action in (select unnest($actions))
order by all
