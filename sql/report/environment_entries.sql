/*
description = "Resource policies that speak of the principals of an account, and the statements that do; principal_arn is empty where all of them are meant."
grain = ["account_id", "principal_arn", "resource_arn", "policy_id"]
*/
select
    entries.account_id,
    entries.principal_arn,
    entries.resource_arn,
    coalesce(entries.owner_account_id, '') as owner_account_id,
    entries.policy_id,
    list(distinct statements.statement_index order by statements.statement_index) as statement_indexes,
from environment_entries as entries
inner join statements on entries.statement_id = statements.statement_id
group by all
order by
    entries.account_id,
    entries.principal_arn,
    entries.resource_arn,
    entries.policy_id
