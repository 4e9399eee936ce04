/*
description = "The actions of each action set."
grain = ["action_set_id", "action"]
*/
with
examples as (
    select
        action_set_id,
        min(statement_id) as statement_id,
    from action_sets
    group by action_set_id
)

select
    examples.action_set_id,
    statement_actions.action,
from examples
inner join statement_actions on examples.statement_id = statement_actions.statement_id
