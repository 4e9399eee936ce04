/*
description = "The documents that count for a principal's access to the evaluated actions, as one set each."
grain = ["principal_arn"]
*/
with
relevant as (
    select distinct policy_id
    from statement_numbers
),

granted as (
    select distinct
        principal_policies.principal_arn,
        principal_policies.policy_id,
    from principal_policies
    inner join relevant on principal_policies.policy_id = relevant.policy_id
    where principal_policies.attachment_kind in ('inline', 'managed')
)

select
    principal_arn,
    md5(string_agg(policy_id, ',' order by policy_id)) as identity_set_id,
    list(policy_id order by policy_id) as policy_ids,
from granted
group by principal_arn
