/*
description = "Who can do what on which resources: each principal has the rows of its profile, with its own account and the statements that count for it."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]
*/
select
    principal_profiles.principal_arn,
    principal_profiles.account_id,
    principal_profiles.principal_type,
    profile_access.action,
    profile_access.access_level,
    profile_access.resource_type,
    own_text(profile_access.resource_pattern, principal_profiles.account_id) as resource_pattern,
    profile_access.verdict,
    profile_access.action_verdict,
    own_text(residual_conditions.condition, principal_profiles.account_id) as condition,
    profile_access.condition_id,
    own_text(profile_access.except_resources, principal_profiles.account_id) as except_resources,
    statement_ids_of(
        profile_access.granted_by_numbers, own.granting, account.granting, sets_of_action.action_set_ids
    ) as granted_by,
    statement_ids_of(
        profile_access.limited_by_numbers, own.limiting, account.limiting, sets_of_action.action_set_ids
    ) as limited_by,
    witness_line(
        principal_profiles.principal_arn,
        witnesses.session_arn,
        profile_access.action,
        witnesses.request,
        principal_profiles.account_id
    ) as witness,
    profile_access.is_proven,
    principal_profiles.is_incomplete,
from principal_profiles
inner join profile_access on principal_profiles.profile_id = profile_access.profile_id
left join witnesses on profile_access.witness_id = witnesses.witness_id
left join residual_conditions on profile_access.condition_id = residual_conditions.condition_id
left join sets_of_action on profile_access.action = sets_of_action.action
left join principal_reasons as own on principal_profiles.principal_arn = own.principal_arn
left join account_reasons as account on principal_profiles.account_id = account.account_id
