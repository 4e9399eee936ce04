/*
description = "The statements that count in an account, for whatever principals, by the number by which answers name them, with the set of actions that each matches."
grain = ["account_id", "reason_number", "policy_id", "statement_index"]
*/
with
counting as (
    select distinct
        account_id,
        reason_number,
        layer,
        coalesce(resource_arn, '') as resource_arn,
        action_set_id,
        statement_id,
    from counting_statements
)

select
    counting.account_id,
    counting.reason_number,
    counting.layer,
    counting.resource_arn,
    counting.action_set_id,
    statements.policy_id,
    statements.statement_index,
    statements.sid,
    statements.effect,
from counting
inner join statements on counting.statement_id = statements.statement_id
order by
    counting.account_id,
    counting.reason_number,
    statements.policy_id,
    statements.statement_index
