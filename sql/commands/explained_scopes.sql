/*
description = "The granted scopes of a principal and an action, those that reach $resource unless it is null."
grain = ["principal_arn", "resource_type", "resource_pattern"]
*/
select
    principal_arn,
    'scope' as part,
    verdict,
    resource_type,
    resource_pattern,
    condition,
    except_resources,
    granted_by,
    limited_by,
    witness,
from access
where
    principal_arn = $principal
    and action = $action
    and ($resource is null or scope_covers(resource_pattern, except_resources, account_id, $resource))
order by resource_type, resource_pattern
