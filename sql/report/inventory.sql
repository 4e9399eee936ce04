/*
description = "Known resources with their tags, by account."
grain = ["resource_arn"]
*/
select
    resource_arn,
    coalesce(account_id, '') as account_id,
    service || ' ' || resource_type as type_name,
    tags,
from inventory
order by account_id, type_name, resource_arn
