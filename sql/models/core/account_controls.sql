/*
description = "SCPs and RCPs that act on an account, by level. A level without any limits nothing: AWS leaves none without, so the input lacks them."
grain = ["account_id", "attachment_kind", "level", "policy_id"]
*/
select distinct
    accounts.account_id,
    attachments.attachment_kind,
    account_ancestors.level,
    attachments.policy_id,
from accounts
inner join account_ancestors on accounts.account_id = account_ancestors.account_id
inner join attachments on account_ancestors.target_arn = attachments.target_arn
where attachments.attachment_kind in ('scp', 'rcp') and not accounts.is_management_account
