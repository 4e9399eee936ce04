/*
description = "Grants with no condition: the scope and the whole action are allowed whatever the context is."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]

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
    access_level,
    resource_type,
    resource_pattern,
    except_resources,
    granted_by,
from access
where
    verdict = 'allowed'
    and action_verdict = 'allowed'
    and lower(action) glob glob_of($action)
order by principal_arn, action, resource_type, resource_pattern
