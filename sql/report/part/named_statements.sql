/*
description = "The statements of resource policies that speak of the principals that are given, alone or with all of their accounts."
grain = ["policy_id", "statement_index"]
*/
select distinct
    environment_entries.policy_id,
    statements.statement_index,
from environment_entries
inner join statements on environment_entries.statement_id = statements.statement_id
where
    environment_entries.principal_arn in (select unnest($principals))
    or (environment_entries.principal_arn = '' and environment_entries.account_id in (select unnest($accounts)))
order by all
