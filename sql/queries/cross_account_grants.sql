/*
description = "Access to resources of another account than the principal's own."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]
*/
select
    principal_arn,
    principal_type,
    account_id,
    split_part(resource_pattern, ':', 5) as resource_account_id,
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
    regexp_full_match(split_part(resource_pattern, ':', 5), '[0-9]{12}')
    and split_part(resource_pattern, ':', 5) != account_id
    and is_granted(action_verdict)
order by principal_arn, action, resource_type, resource_pattern
