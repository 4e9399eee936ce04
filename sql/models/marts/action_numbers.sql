/*
description = "The evaluated actions numbered from 0 in the order of their names."
grain = ["action"]
*/
select
    action,
    (row_number() over (order by action) - 1)::integer as number,
from evaluated_actions
