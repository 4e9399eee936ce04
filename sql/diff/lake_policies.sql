/*
description = "The inline and managed policies of the principals of accounts, and the policies of boundaries, with their documents."
grain = ["target_arn", "attachment_kind", "policy_name", "policy_arn"]
*/
select
    attachments.target_arn,
    attachments.attachment_kind,
    attachments.policy_name,
    attachments.policy_arn,
    policies.document,
from attachments
semi join asked_accounts on attachments.account_id = asked_accounts.account_id
inner join policies on attachments.policy_id = policies.policy_id
where attachments.attachment_kind in ('inline', 'managed', 'boundary')
order by all
