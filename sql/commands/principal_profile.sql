/*
description = "The profile of a principal and its account; an empty text for a loose document."
grain = ["principal_arn"]
*/
select
    principal_arn,
    profile_id,
    coalesce(account_id, '') as account_id,
from principal_profiles
where principal_arn = $principal
