/*
description = "The action patterns of statements that have Action and Resource, with what their requests may name: of patterns that match known actions."
grain = ["statement_id", "action_pattern"]
*/
with
-- Of which there are few.
patterns as (
    select distinct
        action_pattern,
        is_wildcard,
        service,
    from actions
),

matched as (
    select
        patterns.action_pattern,
        patterns.is_wildcard,
        reference_actions.action,
        reference_actions.takes_resources,
    from patterns
    inner join reference_actions
        on
            patterns.service = reference_actions.service
            and lower(reference_actions.action) glob glob_of(patterns.action_pattern)
),

-- What a wildcard matches counts together.
named as (
    select
        action_pattern,
        case when bool_or(is_wildcard) then action_pattern else any_value(action) end as name,
        bool_or(takes_resources) as takes_resources,
    from matched
    group by action_pattern
),

services as (
    select
        matched.action_pattern,
        list_sort(list(distinct split_part(reference_resource_types.arn_format, ':', 3))) as resource_services,
    from matched
    inner join reference_action_resource_types on matched.action = reference_action_resource_types.action
    inner join reference_resource_types
        on
            split_part(reference_action_resource_types.action, ':', 1) = reference_resource_types.service
            and reference_action_resource_types.resource_type = reference_resource_types.resource_type
    group by matched.action_pattern
)

select distinct
    statements.statement_id,
    named.action_pattern,
    named.name,
    named.takes_resources,
    coalesce(services.resource_services, []) as resource_services,
from statements
inner join actions on statements.statement_id = actions.statement_id
inner join named on actions.action_pattern = named.action_pattern
left join services on named.action_pattern = services.action_pattern
where
    statements.action_element = 'Action'
    and statements.resource_element = 'Resource'
