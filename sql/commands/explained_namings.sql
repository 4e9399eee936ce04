/*
description = "How the statements of resource-based policies name $principal."
grain = ["resource_arn", "statement_id", "named_as", "named"]
*/
select
    environment_entries.resource_arn,
    environment_entries.owner_account_id,
    environment_entries.statement_id,
    environment_entries.named_as,
    environment_entries.named,
from principals
inner join environment_entries on principals.account_id = environment_entries.account_id
where
    principals.principal_arn = $principal
    and environment_entries.principal_arn in ('', $principal)
order by all
