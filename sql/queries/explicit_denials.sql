/*
description = "Actions that an explicit Deny takes from a principal whose policies grant them."
grain = ["principal_arn", "action"]

[parameters.action]
description = "Pattern of actions"
kind = "actions"
default = "*"
*/
select
    principal_arn,
    principal_type,
    account_id,
    action,
    decided_by[1] as layer,
    decided_by[2:] as statement_ids,
from access_matrix
where
    verdict = 'denied'
    and lower(action) glob glob_of($action)
order by principal_arn, action
