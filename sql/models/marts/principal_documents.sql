/*
description = "The documents that count for one principal and not for its whole account: identity policies, boundary, resource policies that name it, and the RCPs of those resources' owners."
grain = ["principal_arn", "policy_id", "layer"]
*/
with
entries as (
    select
        principal_arn,
        account_id,
        owner_account_id,
        policy_id,
    from environment_entries
    where principal_arn != ''
)

select
    principal_policies.principal_arn,
    principal_profiles.account_id,
    principal_policies.policy_id,
    case when principal_policies.attachment_kind = 'boundary' then 'boundary' else 'identity' end as layer,
from principal_policies
inner join principal_profiles on principal_policies.principal_arn = principal_profiles.principal_arn
union
select
    principal_arn,
    account_id,
    policy_id,
    'resource' as layer,
from entries
union
select
    entries.principal_arn,
    entries.account_id,
    account_controls.policy_id,
    account_controls.attachment_kind as layer,
from entries
inner join account_controls on entries.owner_account_id = account_controls.account_id
where account_controls.attachment_kind = 'rcp'
