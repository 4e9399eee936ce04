/*
description = "Principals whose answers may be wrong: a group, policy or boundary of theirs is missing or was rejected."
grain = ["principal_arn"]
*/
select
    principal_arn,
    principal_type,
    account_id,
    missing,
    source,
from principals
where is_incomplete
order by principal_arn
