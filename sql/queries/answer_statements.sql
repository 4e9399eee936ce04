/*
description = "The statements behind an answer: those that grant, limit or decide it, with their text and source."
grain = ["statement_id", "counts_as", "resource_type", "resource_pattern"]

[parameters.principal]
description = "ARN of the principal"
example = "arn:aws:iam::333344445555:user/ana"

[parameters.action]
description = "One action"
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
),

places as (
    select
        policy_id,
        list(distinct coalesce(policy_arn, policy_name) order by coalesce(policy_arn, policy_name)) as policies,
        list(distinct source order by source) as sources,
    from attachments
    group by policy_id
)

select
    combined.statement_id,
    combined.counts_as,
    combined.resource_type,
    combined.resource_pattern,
    statements.effect,
    statements.sid,
    places.policies,
    places.sources,
    case json_type(policies.document, '$.Statement')
        when 'ARRAY' then policies.document -> ('$.Statement[' || statements.statement_index || ']')
        else policies.document -> '$.Statement'
    end::varchar as statement,
from combined
inner join statements on combined.statement_id = statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
left join places on statements.policy_id = places.policy_id
order by combined.resource_type, combined.resource_pattern, combined.counts_as, combined.statement_id
