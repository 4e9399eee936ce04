/*
description = "Grants that depend on a condition key: aws:SourceVpc, aws:SourceVpce, aws:SourceIp, aws:ResourceTag, aws:RequestTag or any other."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]

[parameters.key]
description = "Condition key in any case; without its part after / for every tag"
kind = "condition_keys"
default = "aws:SourceVpc"
*/
with
-- SageMaker's own key for resource tags is the global one by another name.
wanted as (
    select replace(lower($key), 'sagemaker:resourcetag', 'aws:resourcetag') as condition_key
),

dependent as (
    select residual_conditions.condition_id
    from residual_conditions
    cross join wanted
    where
        len(
            list_filter(
                residual_conditions.condition_keys,
                lambda key:
                    lower(key) = wanted.condition_key
                    or starts_with(lower(key), wanted.condition_key || '/')
            )
        ) > 0
)

select
    access.principal_arn,
    access.principal_type,
    access.account_id,
    access.action,
    access.resource_type,
    access.resource_pattern,
    access.action_verdict as verdict,
    access.condition,
    access.except_resources,
    access.granted_by,
    access.limited_by,
from access
inner join dependent on access.condition_id = dependent.condition_id
where is_granted(access.action_verdict)
order by access.principal_arn, access.action, access.resource_type, access.resource_pattern
