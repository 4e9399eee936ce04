/*
description = "Who can make calls in which a condition key has a value, such as notebook instances with root access: no condition keeps them from it."
grain = ["principal_arn", "action"]
needs = ["decisions"]

[given]
"$key" = "value"

[parameters.key]
description = "Condition key of the calls"
kind = "condition_keys"
default = "sagemaker:RootAccess"

[parameters.value]
description = "Value of the key; an empty text for calls without it"
kind = "text"
default = "Enabled"
*/
with
keys as (
    select
        action,
        unnest(condition_keys) as condition_key,
    from reference_actions
    union
    select
        action,
        unnest(condition_keys) as condition_key,
    from reference_action_resource_types
),

carrying as (
    select distinct action
    from keys
    where lower(condition_key) = lower($key)
),

possible as (
    select
        access.principal_arn,
        access.principal_type,
        access.account_id,
        access.action,
        max(coalesce(decisions.decision, 'allowed') = 'allowed') as is_allowed,
        min(access.condition) as condition,
    from access
    semi join carrying on access.action = carrying.action
    left join decisions on access.condition_id = decisions.condition_id
    where
        access.action_verdict in ('allowed', 'conditional')
        and coalesce(decisions.decision, 'allowed') != 'denied'
    group by
        access.principal_arn,
        access.principal_type,
        access.account_id,
        access.action
)

select
    principal_arn,
    principal_type,
    account_id,
    action,
    $key as condition_key,
    $value as key_value,
    case when is_allowed then 'allowed' else 'conditional' end as verdict,
    case when not is_allowed then condition end as condition,
from possible
order by principal_arn, action
