/*
description = "The statements that count in an account, by the number of what they say there, with the set of actions that each matches."
grain = ["account_id", "policy_id", "statement_index"]
*/
select
    account_statements.account_id,
    account_statements.statement_number,
    account_statements.action_set_id,
    account_statements.policy_id,
    statements.statement_index,
    statements.sid,
    statements.effect,
from account_statements
inner join statements on account_statements.statement_id = statements.statement_id
order by
    account_statements.account_id,
    account_statements.statement_number,
    account_statements.policy_id,
    statements.statement_index
