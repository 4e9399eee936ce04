/*
description = "How many cells of access_matrix have each verdict."
grain = ["verdict"]
*/
select
    verdict,
    count(*) as cell_count,
from access_matrix
group by verdict
order by verdict
