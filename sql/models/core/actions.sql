/*
description = "Action patterns with the number of actions of the service reference that each matches."
grain = ["statement_id", "action_pattern"]
*/
with
patterns as (
    select distinct
        action_pattern,
        service,
        service is null or contains(service, '*') or contains(service, '?') as is_any_service,
    from staging.actions
),

matched_by_service as (
    select
        patterns.action_pattern,
        reference_actions.action,
    from patterns
    inner join reference_actions on patterns.service = reference_actions.service
    where
        not patterns.is_any_service
        and lower(reference_actions.action) glob glob_of(patterns.action_pattern)
),

matched_anywhere as (
    select
        patterns.action_pattern,
        reference_actions.action,
    from patterns
    inner join reference_actions on lower(reference_actions.action) glob glob_of(patterns.action_pattern)
    where patterns.is_any_service
),

matched as (
    select * from matched_by_service
    union all
    select * from matched_anywhere
),

counted as (
    select
        action_pattern,
        count(*) as matched_action_count,
    from matched
    group by action_pattern
)

select
    actions.statement_id,
    actions.action_pattern,
    actions.service,
    actions.is_wildcard,
    coalesce(counted.matched_action_count, 0)::integer as matched_action_count,
from staging.actions as actions
left join counted on actions.action_pattern = counted.action_pattern
