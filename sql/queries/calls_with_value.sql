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
shared_profiles as (
    select distinct
        profile_id,
        account_id,
    from principal_profiles
),

carrying as (
    select distinct action
    from action_keys
    where stands_for(key_start, is_template, lower($key))
),

-- Once for the principals of an account that share a profile.
possible as (
    select
        shared_profiles.profile_id,
        shared_profiles.account_id,
        profile_access.action,
        max(coalesce(decisions.decision, 'allowed') = 'allowed') as is_allowed,
        min(own_text(residual_conditions.condition, shared_profiles.account_id)) as condition,
    from profile_access
    semi join carrying on profile_access.action = carrying.action
    inner join shared_profiles on profile_access.profile_id = shared_profiles.profile_id
    left join decisions on profile_access.condition_id = decisions.condition_id
    left join residual_conditions on profile_access.condition_id = residual_conditions.condition_id
    where
        is_granted(profile_access.action_verdict)
        and coalesce(decisions.decision, 'allowed') != 'denied'
    group by
        shared_profiles.profile_id,
        shared_profiles.account_id,
        profile_access.action
)

select
    principal_profiles.principal_arn,
    principal_profiles.principal_type,
    principal_profiles.account_id,
    possible.action,
    $key as condition_key,
    $value as key_value,
    case when possible.is_allowed then 'allowed' else 'conditional' end as verdict,
    case when not possible.is_allowed then possible.condition end as condition,
from possible
inner join principal_profiles
    on
        possible.profile_id = principal_profiles.profile_id
        and possible.account_id is not distinct from principal_profiles.account_id
order by principal_profiles.principal_arn, possible.action
