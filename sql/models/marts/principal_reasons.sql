/*
description = "The statements that can grant a principal something and those that can limit it, as one list each."
grain = ["principal_arn"]
*/
with
counted as (
    select
        principal_statements.principal_arn,
        {
            'id': principal_statements.statement_id,
            'number': principal_statements.statement_number,
            'actions': principal_statements.action_set_id
        } as statement,
        statements.effect = 'Allow' and principal_statements.layer in ('identity', 'resource') as can_grant,
        statements.effect = 'Deny' or principal_statements.layer not in ('identity', 'resource') as can_limit,
    from principal_statements
    inner join statements on principal_statements.statement_id = statements.statement_id
)

select
    principal_arn,
    list(distinct statement order by statement) filter (where can_grant) as granting,
    list(distinct statement order by statement) filter (where can_limit) as limiting,
from counted
group by principal_arn
