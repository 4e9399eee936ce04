/*
description = "How many principals some account groups have."
grain = ["principal_count"]
*/
select count(*) as principal_count
from principal_profiles
where group_of(profile_id) in (select unnest($groups))
