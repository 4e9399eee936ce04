/*
description = "The statements behind an answer: those that grant, limit or decide it, with their text and source."
grain = ["statement_id", "counts_as", "resource_type", "resource_pattern"]

[parameters.principal]
description = "ARN of the principal"
kind = "principal"
example = "arn:aws:iam::333344445555:user/ana"

[parameters.action]
description = "One action"
kind = "action"
example = "sagemaker:DescribeNotebookInstance"
*/
with
granting as (
    select
        resource_type,
        resource_pattern,
        'grants' as counts_as,
        unnest(granted_by) as statement_id,
    from access
    where
        principal_arn = $principal
        and lower(action) = lower($action)
),

limiting as (
    select
        resource_type,
        resource_pattern,
        'limits' as counts_as,
        unnest(limited_by) as statement_id,
    from access
    where
        principal_arn = $principal
        and lower(action) = lower($action)
),

deciding as (
    select
        '' as resource_type,
        '' as resource_pattern,
        'decides' as counts_as,
        unnest(decided_by[2:]) as statement_id,
    from access_matrix
    where
        principal_arn = $principal
        and lower(action) = lower($action)
),

combined as (
    select * from granting
    union
    select * from limiting
    union
    select * from deciding
)

select
    combined.statement_id,
    combined.counts_as,
    combined.resource_type,
    combined.resource_pattern,
    statements.effect,
    statements.sid,
    policy_places.policies,
    policy_places.sources,
    statement_of(policies.document, statements.statement_index) as statement,
from combined
inner join statements on combined.statement_id = statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
left join policy_places on statements.policy_id = policy_places.policy_id
order by combined.resource_type, combined.resource_pattern, combined.counts_as, combined.statement_id
