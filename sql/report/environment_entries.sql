/*
description = "Resource policies that speak of the principals of an account; principal_arn is empty where all of them are meant."
grain = ["account_id", "principal_arn", "resource_arn", "policy_id"]
*/
select distinct
    account_id,
    principal_arn,
    resource_arn,
    policy_id,
from environment_entries
order by all
