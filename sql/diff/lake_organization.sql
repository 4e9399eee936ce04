/*
description = "The levels above the asked accounts, and the accounts themselves."
grain = ["account_id", "level"]
*/
select
    account_ancestors.account_id,
    account_ancestors.level,
    account_ancestors.target_arn,
    account_ancestors.target_name,
    accounts.organization_id,
from account_ancestors
semi join asked_accounts on account_ancestors.account_id = asked_accounts.account_id
inner join accounts on account_ancestors.account_id = accounts.account_id
where accounts.organization_id is not null
order by all
