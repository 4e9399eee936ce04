/*
description = "What a layer takes away: actions that a boundary, an SCP or an RCP blocks, or leaves under a condition or exception. What several layers block counts for the one that access_matrix names."
grain = ["principal_arn", "action"]

[parameters.layer]
description = "boundary, scp or rcp"
values = ["boundary", "scp", "rcp"]
default = "boundary"

[parameters.action]
description = "Pattern of actions"
kind = "actions"
default = "*"
*/
with
narrowing as (
    select
        access.principal_arn,
        access.account_id,
        access.action,
        'narrowed' as loss,
        list(distinct principal_statements.statement_id order by principal_statements.statement_id) as statement_ids,
    from access
    inner join principal_statements
        on
            access.principal_arn = principal_statements.principal_arn
            and list_contains(access.limited_by, principal_statements.statement_id)
    where principal_statements.layer = $layer
    group by all
),

blocking as (
    select
        principal_arn,
        account_id,
        action,
        'blocked' as loss,
        decided_by[2:] as statement_ids,
    from access_matrix
    where
        verdict = 'blocked'
        and decided_by[1] = $layer
),

losses as (
    select * from blocking
    union all
    select narrowing.*
    from narrowing
    anti join blocking
        on
            narrowing.principal_arn = blocking.principal_arn
            and narrowing.action = blocking.action
)

select
    principal_arn,
    account_id,
    action,
    loss,
    statement_ids,
from losses
where lower(action) glob glob_of($action)
order by principal_arn, action
