/*
description = "Which statements grant something in a cell that leaves something over: what cell_access says, number by number."
grain = ["cell_id", "reason_number"]
*/
with
numbers as (
    select
        cell_access.cell_id,
        cell_access.verdict,
        unnest(cell_access.granted_by_numbers) as reason_number,
    from cell_access
    inner join cell_verdicts on cell_access.cell_id = cell_verdicts.cell_id
    where is_granted(cell_verdicts.verdict)
)

select
    cell_id,
    reason_number,
    min(verdict) as verdict,
from numbers
group by cell_id, reason_number
