/*
description = "How many actions of the service reference each pattern matches."
grain = ["action_pattern"]
*/
with
matched_by_service as (
    select
        patterns.action_pattern,
        reference_actions.action,
    from action_patterns as patterns
    inner join reference_actions on patterns.service = reference_actions.service
    where
        not patterns.is_any_service
        and lower(reference_actions.action) glob glob_of(patterns.action_pattern)
),

matched_anywhere as (
    select
        patterns.action_pattern,
        reference_actions.action,
    from action_patterns as patterns
    inner join reference_actions on lower(reference_actions.action) glob glob_of(patterns.action_pattern)
    where patterns.is_any_service
),

matched as (
    select * from matched_by_service
    union all
    select * from matched_anywhere
)

select
    patterns.action_pattern,
    count(matched.action)::integer as matched_action_count,
from action_patterns as patterns
left join matched on patterns.action_pattern = matched.action_pattern
group by patterns.action_pattern
union all
select
    action_pattern,
    matched_action_count,
from known_pattern_counts
