/*
description = "SCPs and RCPs that act on an account, by level. Policies of a kind that the organization attaches nowhere are not switched on there."
grain = ["account_id", "attachment_kind", "level", "policy_id"]
*/
with
kinds_in_use as (
    select distinct
        accounts.organization_id,
        attachments.attachment_kind,
    from attachments
    inner join account_ancestors on attachments.target_arn = account_ancestors.target_arn
    inner join accounts on account_ancestors.account_id = accounts.account_id
    where attachments.attachment_kind in ('scp', 'rcp')
)

select distinct
    accounts.account_id,
    kinds_in_use.attachment_kind,
    account_ancestors.level,
    -- A level without policies stays, with an empty text: nothing is allowed there.
    coalesce(attachments.policy_id, '') as policy_id,
from accounts
inner join kinds_in_use on accounts.organization_id = kinds_in_use.organization_id
inner join account_ancestors on accounts.account_id = account_ancestors.account_id
left join attachments
    on
        account_ancestors.target_arn = attachments.target_arn
        and kinds_in_use.attachment_kind = attachments.attachment_kind
where not accounts.is_management_account
