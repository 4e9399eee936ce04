/*
description = "The input files that hold principals, each with the accounts of these; an empty account is that of loose documents."
grain = ["source", "account_id"]
*/
select distinct
    source,
    coalesce(account_id, '') as account_id,
from principals
order by all
