/*
description = "The documents of each distinct identity set."
grain = ["identity_set_id", "policy_id"]
*/
with
distinct_sets as (
    select
        identity_set_id,
        any_value(policy_ids) as policy_ids,
    from identity_sets
    group by identity_set_id
)

select
    identity_set_id,
    unnest(policy_ids) as policy_id,
from distinct_sets
