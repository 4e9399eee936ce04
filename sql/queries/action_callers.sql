/*
description = "Who can perform the actions of a pattern at all, whatever the resource: a row for each principal and action."
grain = ["principal_arn", "action"]

[parameters.action]
description = "Pattern of actions"
kind = "actions"
example = "sagemaker:Put*Policy"
*/
select
    principal_arn,
    principal_type,
    account_id,
    action,
    verdict,
    is_incomplete,
from access_matrix
where
    lower(action) glob glob_of($action)
    and is_granted(verdict)
order by principal_arn, action
