/*
description = "Which list of action patterns matches which decided action; NotAction is resolved over all services."
grain = ["action_list_id", "action"]
*/
with
lists as (
    select
        action_list_id,
        any_value(action_element) as action_element,
        any_value(patterns) as patterns,
    from action_lists
    group by action_list_id
),

members as (
    select
        action_list_id,
        action_element,
        unnest(patterns) as action_pattern,
    from lists
),

named as (
    select distinct
        members.action_list_id,
        members.action_element,
        pattern_matches.action,
    from members
    inner join pattern_matches on members.action_pattern = pattern_matches.action_pattern
),

positive as (
    select
        action_list_id,
        action,
    from named
    where action_element = 'Action'
),

-- A NotAction without patterns leaves the statement without effect: it has no list.
complements as (
    select action_list_id
    from lists
    where action_element = 'NotAction'
),

negative as (
    select
        complements.action_list_id,
        decided_actions.action,
    from complements
    cross join decided_actions
    anti join named
        on complements.action_list_id = named.action_list_id and decided_actions.action = named.action
)

select * from positive
union all
select * from negative
