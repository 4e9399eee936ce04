/*
description = "What resource-based policies say to an account's principals, or to one that they name, as one set of parts each."
grain = ["account_id", "principal_arn"]
*/
with
parts as (
    select distinct
        account_id,
        principal_arn,
        entry_number || ':' || action_set_id as part,
    from numbered_entries
)

select
    account_id,
    principal_arn,
    string_agg(part, ',' order by part) as parts,
from parts
group by account_id, principal_arn
