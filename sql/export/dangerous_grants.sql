/*
description = "Who can do the actions of `$actions`, at once or under which conditions: a row a principal and action."
grain = ["action", "principal_arn"]
*/
with
granted as (
    select
        principal_arn,
        account_id,
        action,
        verdict,
        is_incomplete,
    from access_matrix
    where
        list_contains($actions::varchar[], action)
        and is_granted(verdict)
),

conditions as (
    select
        principal_arn,
        action,
        list_sort(list_distinct(list(condition) filter (where condition is not null))) as conditions,
    from access
    where
        list_contains($actions::varchar[], action)
        and verdict = 'conditional'
    group by principal_arn, action
)

select
    granted.action,
    granted.principal_arn,
    granted.account_id,
    granted.verdict,
    array_to_string(conditions.conditions, '; or ') as condition,
    granted.is_incomplete,
from granted
left join conditions
    on
        granted.principal_arn = conditions.principal_arn
        and granted.action = conditions.action
order by
    list_position($actions::varchar[], granted.action),
    granted.verdict,
    granted.account_id,
    granted.principal_arn
