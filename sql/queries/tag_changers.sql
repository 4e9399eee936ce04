/*
description = "Who can change tags: whoever may add or delete them can step around conditions on resource tags."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]

[parameters.action]
description = "Pattern of actions"
kind = "actions"
default = "sagemaker:*tags"
*/
select
    principal_arn,
    principal_type,
    account_id,
    action,
    resource_type,
    resource_pattern,
    action_verdict as verdict,
    verdict as scope_verdict,
    condition,
    except_resources,
    granted_by,
from access
where
    access_level = 'Tagging'
    and lower(action) glob glob_of($action)
    and is_granted(action_verdict)
order by principal_arn, action, resource_type, resource_pattern
