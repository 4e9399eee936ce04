/*
description = "The conditions that are left under a scenario. Stored witnesses need not be requests of it: there are none."
grain = ["condition_id"]
*/
select
    remaining_conditions.condition_id,
    remaining_conditions.condition,
    remaining_conditions.formula,
    remaining_conditions.condition_keys,
    remaining_conditions.witness,
    remaining_conditions.smallest_change,
from remaining_conditions
