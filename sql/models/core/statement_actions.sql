/*
description = "Which statement's action patterns match which evaluated action; NotAction is resolved over all services."
grain = ["statement_id", "action"]
*/
with
patterns as (
    select distinct action_pattern
    from actions
),

matched_patterns as (
    select
        patterns.action_pattern,
        evaluated_actions.action,
    from patterns
    inner join evaluated_actions on lower(evaluated_actions.action) glob glob_of(patterns.action_pattern)
),

named as (
    select distinct
        actions.statement_id,
        matched_patterns.action,
    from actions
    inner join matched_patterns on actions.action_pattern = matched_patterns.action_pattern
),

positive as (
    select
        named.statement_id,
        named.action,
    from named
    inner join statements on named.statement_id = statements.statement_id
    where statements.action_element = 'Action'
),

-- A NotAction without patterns leaves the statement without effect.
complements as (
    select distinct actions.statement_id
    from actions
    inner join statements on actions.statement_id = statements.statement_id
    where statements.action_element = 'NotAction'
),

negative as (
    select
        complements.statement_id,
        evaluated_actions.action,
    from complements
    cross join evaluated_actions
    anti join named
        on complements.statement_id = named.statement_id and evaluated_actions.action = named.action
)

select * from positive
union all
select * from negative
