/*
description = "The verdict for a principal and an action; none where nothing grants it."
grain = ["principal_arn"]
*/
with
verdicts as (
    select
        principal_arn,
        verdict,
        decided_by,
    from access_matrix
    where
        principal_arn = $principal
        and action = $action
)

select
    principals.principal_arn,
    'verdict' as part,
    coalesce(verdicts.verdict, 'none') as verdict,
    verdicts.decided_by[1] as layer,
    verdicts.decided_by[2:] as statement_ids,
    principals.is_incomplete,
    principals.missing,
from principals
left join verdicts on principals.principal_arn = verdicts.principal_arn
where principals.principal_arn = $principal
