/*
description = "The documents that count for every principal of an account: SCPs, RCPs, resource policies that speak of the whole account or of everyone, and the RCPs of those resources' owners."
grain = ["account_id", "policy_id", "layer"]
*/
with
entries as (
    select
        account_id,
        owner_account_id,
        policy_id,
    from environment_entries
    where principal_arn = ''
)

select
    account_id,
    policy_id,
    attachment_kind as layer,
from account_controls
union
select
    account_id,
    policy_id,
    'resource' as layer,
from entries
union
select
    entries.account_id,
    account_controls.policy_id,
    account_controls.attachment_kind as layer,
from entries
inner join account_controls on entries.owner_account_id = account_controls.account_id
where account_controls.attachment_kind = 'rcp'
