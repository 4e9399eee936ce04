/*
description = "What each cell comes to, cells without any grant left out."
grain = ["cell_id"]
*/
select
    cell_id,
    verdict,
    layer,
    decided_by_numbers,
from cell_verdicts
where verdict != 'none'
order by cell_id
