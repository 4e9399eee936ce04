/*
description = "The distinct residual conditions with their words, their formula, and what proves them."
grain = ["condition_id"]
*/
select
    condition_id,
    condition,
    formula,
    condition_keys,
    witness,
    smallest_change,
from residual_conditions
order by condition_id
