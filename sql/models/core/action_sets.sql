/*
description = "The evaluated actions that a statement matches, as one set each: statements that match the same actions share it."
grain = ["statement_id"]
*/
with
hashed as (
    select
        statement_id,
        md5(string_agg(action, ',' order by action)) as action_hash,
    from statement_actions
    group by statement_id
)

select
    statement_id,
    (dense_rank() over (order by action_hash))::integer as action_set_id,
from hashed
