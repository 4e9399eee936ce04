/*
description = "The conditions that are left under a scenario."
grain = ["condition_id"]
*/
select
    condition_id,
    condition,
    formula,
    condition_keys,
    witness,
from remaining_conditions
