/*
description = "Roles that a service may assume: execution roles that trust sagemaker.amazonaws.com."
grain = ["principal_arn"]

[parameters.service]
description = "Service principal"
kind = "service_principal"
default = "sagemaker.amazonaws.com"
*/
with
trusting as (
    select
        attachments.target_arn as principal_arn,
        statements.statement_id,
        statements.condition_count,
    from attachments
    inner join statements on attachments.policy_id = statements.policy_id
    inner join statement_principals on statements.statement_id = statement_principals.statement_id
    where
        attachments.attachment_kind = 'trust'
        and statements.effect = 'Allow'
        and statements.principal_element = 'Principal'
        and statement_principals.principal_kind = 'Service'
        and lower(statement_principals.principal_value) = lower($service)
)

select
    principals.principal_arn,
    principals.account_id,
    principals.is_service_linked,
    principals.last_used_at,
    min(trusting.condition_count) > 0 as has_condition,
    list(trusting.statement_id order by trusting.statement_id) as statement_ids,
from trusting
inner join principals on trusting.principal_arn = principals.principal_arn
group by
    principals.principal_arn,
    principals.account_id,
    principals.is_service_linked,
    principals.last_used_at
order by principals.principal_arn
