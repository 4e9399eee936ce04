/*
description = "The principals whose numbers differ, or that one side alone has, with the profile on each side."
grain = ["principal_arn"]
*/
select
    coalesce(new.principal_arn, old.principal_arn) as principal_arn,
    coalesce(new.account_id, old.account_id) as account_id,
    coalesce(new.principal_type, old.principal_type) as principal_type,
    case
        when old.principal_arn is null then 'new only'
        when new.principal_arn is null then 'old only'
        else 'both'
    end as found_in,
    coalesce(old.is_incomplete, false) or coalesce(new.is_incomplete, false) as is_incomplete,
    old.profile_id as old_profile_id,
    new.profile_id as new_profile_id,
from old_principals as old
full outer join new_principals as new on old.principal_arn = new.principal_arn
where coalesce(old.number, '0') != coalesce(new.number, '0')
