/*
description = "The place of $account_id in its organization, with the tags of $resource; these are null where it is not in the inventory."
grain = ["account_id"]
*/
with
asked as (
    select $account_id::varchar as account_id
)

select
    asked.account_id,
    accounts.organization_id,
    accounts.ou_path,
    inventory.tags,
from asked
left join accounts on asked.account_id = accounts.account_id
left join inventory on inventory.resource_arn = $resource::varchar
