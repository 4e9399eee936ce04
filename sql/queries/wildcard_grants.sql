/*
description = "Grants on every resource (*) of actions that could be limited to some, by access level."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]

[parameters.access_level]
description = "List, Read, Write, Tagging, Permissions management, or *"
values = ["List", "Read", "Write", "Tagging", "Permissions management", "*"]
default = "Write"
*/
with
limitable as (
    select action
    from reference_actions
    where takes_resources
)

select
    access.principal_arn,
    access.principal_type,
    access.account_id,
    access.action,
    access.access_level,
    access.resource_type,
    access.resource_pattern,
    access.action_verdict as verdict,
    access.verdict as scope_verdict,
    access.condition,
    access.except_resources,
    access.granted_by,
from access
inner join limitable on access.action = limitable.action
where
    access.resource_pattern = '*'
    and is_granted(access.action_verdict)
    and ($access_level = '*' or lower(access.access_level) = lower($access_level))
order by access.principal_arn, access.action, access.resource_type
