/*
description = "The statements that can grant something and those that can limit it, as one list each: of one principal, or, where principal_arn is empty, of every principal of an account."
grain = ["principal_arn", "account_id"]
*/
with
counted as (
    select
        documents.principal_arn,
        documents.account_id,
        documents.layer,
        statements.effect,
        reason(
            account_statements.statement_id, account_statements.statement_number, account_statements.action_set_id
        ) as statement,
    from counting_documents as documents
    inner join account_statements
        on
            documents.account_id = account_statements.account_id
            and documents.policy_id = account_statements.policy_id
    inner join statements on account_statements.statement_id = statements.statement_id
)

select
    principal_arn,
    account_id,
    list(distinct statement order by statement) filter (where can_grant(effect, layer)) as granting,
    list(distinct statement order by statement) filter (where can_limit(effect, layer)) as limiting,
from counted
group by principal_arn, account_id
