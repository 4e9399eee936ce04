/*
description = "The principals of an ARN, or of a name without path, in one account if $account_id is given."
grain = ["principal_arn"]
*/
select
    principal_arn,
    principal_type,
from principals
where
    (principal_arn = $name or principal_name = $name)
    and ($account_id is null or account_id = $account_id)
order by principal_arn
