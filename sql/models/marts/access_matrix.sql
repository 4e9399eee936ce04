/*
description = "The verdict for each principal and action; no row means that nothing grants it."
grain = ["principal_arn", "action"]
*/
select
    principal_profiles.principal_arn,
    principal_profiles.account_id,
    principal_profiles.principal_type,
    profile_matrix.action,
    profile_matrix.verdict,
    profile_matrix.decided_by,
    principal_profiles.is_incomplete,
from principal_profiles
inner join profile_matrix on principal_profiles.profile_id = profile_matrix.profile_id
