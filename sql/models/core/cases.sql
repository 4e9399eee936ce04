/*
description = "The distinct cases of all layers, with a number each. Case 0 is that no statement of a layer matches."
grain = ["case_id"]
*/
with
combined as (
    select case_text from set_cases
    union
    select case_text from chain_cases
)

select
    (row_number() over (order by case_text))::integer as case_id,
    case_text,
from combined
