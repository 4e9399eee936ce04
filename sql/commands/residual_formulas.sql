/*
description = "The formulas of all residual conditions."
grain = ["condition_id"]
*/
select
    condition_id,
    formula,
from residual_conditions
order by condition_id
