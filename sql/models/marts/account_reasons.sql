/*
description = "The statements that can grant every principal of an account something and those that can limit it, as one list each."
grain = ["account_id"]
*/
with
counted as (
    select
        documents.account_id,
        documents.layer,
        statements.effect,
        reason(
            account_statements.statement_id, account_statements.statement_number, account_statements.action_set_id
        ) as statement,
    from account_documents as documents
    inner join account_statements
        on
            documents.account_id = account_statements.account_id
            and documents.policy_id = account_statements.policy_id
    inner join statements on account_statements.statement_id = statements.statement_id
)

select
    account_id,
    list(distinct statement order by statement) filter (where can_grant(effect, layer)) as granting,
    list(distinct statement order by statement) filter (where can_limit(effect, layer)) as limiting,
from counted
group by account_id
