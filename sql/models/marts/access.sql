/*
description = "Who can do what on which resources: each principal has its profile's rows."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]
*/
select
    principal_profiles.principal_arn,
    principal_profiles.account_id,
    principal_profiles.principal_type,
    profile_access.action,
    evaluated_actions.access_level,
    profile_access.resource_type,
    profile_access.resource_pattern,
    profile_access.verdict,
    residual_conditions.condition,
    profile_access.condition_id,
    profile_access.except_resources,
    profile_access.granted_by,
    profile_access.limited_by,
    null::varchar as witness,
    principal_profiles.is_incomplete,
from principal_profiles
inner join profile_access on principal_profiles.profile_id = profile_access.profile_id
inner join evaluated_actions on profile_access.action = evaluated_actions.action
left join residual_conditions on profile_access.condition_id = residual_conditions.condition_id
