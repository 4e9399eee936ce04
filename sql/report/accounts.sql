/*
description = "Accounts with the names of the levels above them, root first."
grain = ["account_id"]
*/
with
levels as (
    select
        account_id,
        list(coalesce(target_name, target_arn) order by level) as level_names,
    from account_ancestors
    group by account_id
)

select
    accounts.account_id,
    accounts.account_name,
    accounts.ou_path,
    accounts.organization_id,
    accounts.is_management_account,
    accounts.is_exported,
    accounts.data_as_of,
    levels.level_names,
from accounts
left join levels on accounts.account_id = levels.account_id
order by accounts.account_id
