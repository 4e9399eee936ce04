/*
description = "The statements that match some of the actions that are given."
grain = ["policy_id", "statement_index"]
*/
select distinct
    statements.policy_id,
    statements.statement_index,
from statements
inner join statement_actions on statements.statement_id = statement_actions.statement_id
where statement_actions.action in (select unnest($actions))
order by all
