/*
description = "For each condition a request that meets it, of the principals that are given."
grain = ["condition_id"]
*/
select
    condition_id,
    min(witness) as witness,
from access
where condition_id is not null and principal_arn in (select unnest($principals))
group by condition_id
order by condition_id
