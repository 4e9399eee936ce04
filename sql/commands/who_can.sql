/*
description = "Who can perform the actions of a pattern on which scopes; only scopes that reach $resource, unless it is null."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]
*/
select
    principal_arn,
    principal_type,
    account_id,
    action,
    resource_type,
    verdict,
    condition,
    resource_pattern,
    except_resources,
    granted_by,
    limited_by,
    is_incomplete,
from access
where
    lower(action) glob glob_of($action)
    and ($resource is null or scope_covers(resource_pattern, except_resources, account_id, $resource))
order by principal_arn, action, resource_type, resource_pattern
