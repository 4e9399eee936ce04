/*
description = "The evaluated actions that a statement matches, as one set each: statements that match the same actions share it."
grain = ["statement_id"]
*/
with
hashed as (
    select
        action_list_id,
        md5(string_agg(action, ',' order by action)) as action_hash,
    from action_list_matches
    group by action_list_id
),

numbered as (
    select
        action_list_id,
        (dense_rank() over (order by action_hash))::integer as action_set_id,
        ('0x' || action_hash[:15])::bigint as stable_id,
    from hashed
)

select
    action_lists.statement_id,
    action_lists.action_list_id,
    numbered.action_set_id,
    numbered.stable_id,
from action_lists
inner join numbered on action_lists.action_list_id = numbered.action_list_id
