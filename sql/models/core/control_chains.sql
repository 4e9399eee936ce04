/*
description = "The SCPs and RCPs of each account, level by level, as one chain each; accounts with the same chain share its id."
grain = ["account_id", "attachment_kind"]
*/
with
-- Policies of a kind that the organization attaches nowhere are not switched on there.
kinds_in_use as (
    select distinct
        accounts.organization_id,
        attachments.attachment_kind,
    from attachments
    inner join account_ancestors on attachments.target_arn = account_ancestors.target_arn
    inner join accounts on account_ancestors.account_id = accounts.account_id
    where attachments.attachment_kind in ('scp', 'rcp')
),

levels as (
    select
        accounts.account_id,
        kinds_in_use.attachment_kind,
        account_ancestors.level,
        account_ancestors.target_arn,
    from accounts
    inner join kinds_in_use on accounts.organization_id = kinds_in_use.organization_id
    inner join account_ancestors on accounts.account_id = account_ancestors.account_id
    where not accounts.is_management_account
),

attached as (
    select
        levels.account_id,
        levels.attachment_kind,
        levels.level,
        string_agg(distinct attachments.policy_id, '+' order by attachments.policy_id) as policies,
    from levels
    left join attachments
        on levels.target_arn = attachments.target_arn and levels.attachment_kind = attachments.attachment_kind
    group by levels.account_id, levels.attachment_kind, levels.level
)

select
    account_id,
    attachment_kind,
    string_agg(coalesce(policies, ''), '/' order by level) as chain,
    md5(string_agg(coalesce(policies, ''), '/' order by level)) as chain_id,
from attached
group by account_id, attachment_kind
