/*
description = "The documents that count, by layer: for one principal, or, where principal_arn is empty, for every principal of an account. Of RCPs they are also those of the accounts that own the resources."
grain = ["principal_arn", "account_id", "policy_id", "layer", "owner_account_id"]
*/
select
    principal_policies.principal_arn,
    coalesce(principal_profiles.account_id, '') as account_id,
    principal_policies.policy_id,
    case when principal_policies.attachment_kind = 'boundary' then 'boundary' else 'identity' end as layer,
    '' as owner_account_id,
from principal_policies
inner join principal_profiles on principal_policies.principal_arn = principal_profiles.principal_arn
union
select
    '' as principal_arn,
    account_id,
    policy_id,
    attachment_kind as layer,
    '' as owner_account_id,
from account_controls
union
select
    principal_arn,
    account_id,
    policy_id,
    'resource' as layer,
    '' as owner_account_id,
from environment_entries
union
-- The RCPs of the resources' owners.
select
    environment_entries.principal_arn,
    environment_entries.account_id,
    account_controls.policy_id,
    account_controls.attachment_kind as layer,
    environment_entries.owner_account_id,
from environment_entries
inner join account_controls on environment_entries.owner_account_id = account_controls.account_id
where
    account_controls.attachment_kind = 'rcp'
    and environment_entries.owner_account_id != environment_entries.account_id
