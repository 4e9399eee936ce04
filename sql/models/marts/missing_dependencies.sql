/*
description = "Actions that are granted and depend on another one that is not: a call that needs it fails."
grain = ["principal_arn", "action", "dependent_action"]
*/
select
    principal_profiles.principal_arn,
    principal_profiles.account_id,
    profile_gaps.action,
    profile_gaps.dependent_action,
    profile_gaps.context,
    profile_gaps.reason,
    profile_gaps.is_always_needed,
    profile_gaps.needed_when,
    principal_profiles.is_incomplete,
from principal_profiles
inner join profile_gaps
    on
        principal_profiles.profile_id = profile_gaps.profile_id
        and coalesce(principal_profiles.account_id, '') = profile_gaps.account_id
