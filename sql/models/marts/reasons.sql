/*
description = "The statements that can grant something and those that can limit it, as one list each: of one principal, or, where principal_arn is empty, of every principal of an account."
grain = ["principal_arn", "account_id"]
*/
with
counted as (
    select
        counting_statements.principal_arn,
        counting_statements.account_id,
        counting_statements.layer,
        statements.effect,
        reason(
            counting_statements.statement_id, counting_statements.reason_number, counting_statements.action_set_id
        ) as statement,
    from counting_statements
    inner join statements on counting_statements.statement_id = statements.statement_id
)

select
    principal_arn,
    account_id,
    list(statement order by statement) filter (where can_grant(effect, layer)) as granting,
    list(statement order by statement) filter (where can_limit(effect, layer)) as limiting,
from counted
group by principal_arn, account_id
