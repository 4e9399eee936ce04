/*
description = "The conditions that are left under a scenario; those that are new have no witness."
grain = ["condition_id"]
*/
select
    remaining_conditions.condition_id,
    remaining_conditions.condition,
    remaining_conditions.formula,
    remaining_conditions.condition_keys,
    stored.witness,
    stored.smallest_change,
from remaining_conditions
left join stored_residual_conditions as stored on remaining_conditions.condition_id = stored.condition_id
