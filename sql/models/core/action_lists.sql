/*
description = "The actions that a statement names, as one list each: statements that name the same ones share it."
grain = ["statement_id"]
*/
with
named as (
    select
        statement_id,
        list(distinct lower(action_pattern) order by lower(action_pattern)) as patterns,
    from actions
    group by statement_id
)

select
    named.statement_id,
    statements.action_element,
    named.patterns,
    md5(statements.action_element || ' ' || array_to_string(named.patterns, ' ')) as action_list_id,
from named
inner join statements on named.statement_id = statements.statement_id
