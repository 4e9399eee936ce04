/*
description = "How many principals some account groups have, of one account or by one ARN if these are given."
grain = ["principal_count"]
*/
select count(*) as principal_count
from principal_profiles
where
    group_of(profile_id) in (select unnest($groups))
    and ($account is null or account_id = $account)
    and ($principal is null or principal_arn = $principal)
