/*
description = "Statements that apply whatever a request says: without conditions, or with conditions that every request meets."
grain = ["statement_id"]
needs = ["judged_conditions"]
*/
with
idle_counts as (
    select
        statement_id,
        count(*) as idle_count,
    from judged_conditions
    where is_certain
    group by statement_id
)

select
    statements.statement_id,
    statements.policy_id,
    statements.effect,
    statements.sid,
    statements.action_element,
    statements.resource_element,
    statements.condition_count,
from statements
left join idle_counts on statements.statement_id = idle_counts.statement_id
where statements.condition_count <= coalesce(idle_counts.idle_count, 0)
order by statements.statement_id
