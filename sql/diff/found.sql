/*
description = "Whether there is a principal of the wanted name and account."
grain = ["is_found"]
*/
select count(*) > 0 as is_found
from principals
where
    ($account is null or account_id = $account)
    and ($principal is null or principal_arn = $principal or principal_name = $principal)
