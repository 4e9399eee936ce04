/*
description = "The statements of a document as they count in an account, as one set each: a policy form. Its parts are statement number and action set."
grain = ["account_id", "policy_id"]
*/
with
parts as (
    select distinct
        account_id,
        policy_id,
        statement_number || ':' || action_set_id as part,
    from account_statements
)

select
    account_id,
    policy_id,
    list(part order by part) as parts,
from parts
group by account_id, policy_id
