/*
description = "Distinct cases of all layers: lists of statement numbers, with a small number each."
grain = ["case_id"]
*/
with
combined as (
    select statement_numbers from identity_cases
    union
    select statement_numbers from boundary_cases
    union
    select statement_numbers from control_cases
)

select
    (row_number() over (order by statement_numbers))::integer as case_id,
    statement_numbers,
from combined
