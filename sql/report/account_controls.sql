/*
description = "SCPs and RCPs that act on each account, with their names and the level that they hang on."
grain = ["account_id", "attachment_kind", "level", "policy_id"]
*/
with
named as (
    select
        target_arn,
        attachment_kind,
        policy_id,
        min(policy_name) as policy_name,
    from attachments
    group by target_arn, attachment_kind, policy_id
)

select
    account_controls.account_id,
    account_controls.attachment_kind,
    account_controls.level,
    account_controls.policy_id,
    coalesce(named.policy_name, '') as policy_name,
    coalesce(account_ancestors.target_arn, '') as target_arn,
    coalesce(account_ancestors.target_name, account_ancestors.target_arn, '') as level_name,
from account_controls
left join account_ancestors
    on
        account_controls.account_id = account_ancestors.account_id
        and account_controls.level = account_ancestors.level
left join named
    on
        account_ancestors.target_arn = named.target_arn
        and account_controls.attachment_kind = named.attachment_kind
        and account_controls.policy_id = named.policy_id
order by
    account_controls.account_id,
    account_controls.attachment_kind desc,
    account_controls.level,
    policy_name,
    account_controls.policy_id
