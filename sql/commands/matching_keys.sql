/*
description = "The condition keys that a pattern names, of the service reference or as policies write them; without their part after / too."
grain = ["condition_key"]
*/
with
known as (
    select condition_key
    from reference_condition_keys
    union
    select condition_key
    from conditions
),

named as (
    select
        condition_key,
        lower(condition_key) as lowered,
        split_part(lower(condition_key), '${', 1) as key_start,
    from known
)

select condition_key
from named
where
    lowered glob glob_of($pattern)
    or split_part(lowered, '/', 1) glob glob_of($pattern)
    or (key_start != lowered and starts_with(lower($pattern), key_start))
order by condition_key
