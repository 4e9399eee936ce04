/*
description = "The granted scopes of a principal and an action, those that reach $resource unless it is null."
grain = ["principal_arn", "resource_type", "resource_pattern"]
*/
select
    access.principal_arn,
    'scope' as part,
    access.verdict,
    access.resource_type,
    access.resource_pattern,
    access.condition,
    access.condition_id,
    access.except_resources,
    access.granted_by,
    access.limited_by,
    access.witness,
    residual_conditions.smallest_change,
    access.is_proven,
from access
left join residual_conditions on access.condition_id = residual_conditions.condition_id
left join reference_resource_types as types
    on
        access.resource_type = types.resource_type
        and split_part(access.action, ':', 1) = types.service
where
    access.principal_arn = $principal
    and access.action = $action
    and reaches(
        $resource,
        access.action,
        access.resource_type,
        types.arn_format,
        access.resource_pattern,
        access.except_resources,
        access.account_id
    )
order by access.resource_type, access.resource_pattern
