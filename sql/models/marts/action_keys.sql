/*
description = "The condition keys that requests of an action can carry, those of its resource types among them (SAR)."
grain = ["action", "condition_key"]
*/
with
keys_of_types as (
    select
        types.action,
        unnest(list_concat(types.condition_keys, reference_resource_types.condition_keys)) as condition_key,
    from reference_action_resource_types as types
    inner join reference_resource_types
        on
            types.resource_type = reference_resource_types.resource_type
            and split_part(types.action, ':', 1) = reference_resource_types.service
),

combined as (
    select
        action,
        unnest(condition_keys) as condition_key,
    from reference_actions
    union
    select * from keys_of_types
)

select
    action,
    condition_key,
    split_part(lower(condition_key), '${', 1) as key_start,
    contains(condition_key, '${') as is_template,
from combined
