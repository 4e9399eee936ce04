/*
description = "Who can perform the actions of a pattern on which scopes; only scopes that reach $resource, unless it is null."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]
*/
select
    access.principal_arn,
    access.principal_type,
    access.account_id,
    access.action,
    access.action_verdict as verdict,
    access.resource_type,
    access.verdict as scope_verdict,
    access.condition,
    access.resource_pattern,
    access.except_resources,
    access.granted_by,
    access.limited_by,
    access.is_proven,
    access.is_incomplete,
from access
left join reference_resource_types as types
    on
        access.resource_type = types.resource_type
        and split_part(access.action, ':', 1) = types.service
where
    lower(access.action) glob glob_of($action)
    -- Of two relations, so that it is planned after the joins: before them it would change their order for the worse.
    and (access.action_verdict || ' ' || access.principal_arn) similar to '(?s)(allowed|conditional) .*'
    and reaches(
        $resource,
        access.action,
        access.resource_type,
        types.arn_format,
        access.resource_pattern,
        access.except_resources,
        access.account_id
    )
order by access.principal_arn, access.action, access.resource_type, access.resource_pattern
