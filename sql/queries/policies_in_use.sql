/*
description = "Policy documents by how many targets they are attached to."
grain = ["policy_id"]
*/
with
named as (
    select
        policy_id,
        coalesce(policy_arn, policy_name) as policy_name,
        attachment_kind,
        target_arn,
        account_id,
    from attachments
)

select
    policies.policy_id,
    list(distinct named.policy_name order by named.policy_name) as names,
    list(distinct named.attachment_kind order by named.attachment_kind) as kinds,
    count(distinct named.target_arn) as target_count,
    count(distinct named.account_id) as account_count,
    any_value(policies.statement_count) as statement_count,
from policies
inner join named on policies.policy_id = named.policy_id
group by policies.policy_id
order by target_count desc, policies.policy_id asc
