/*
description = "SCPs and RCPs of a lake with their targets."
grain = ["policy_arn", "target_arn"]
*/
select distinct
    attachments.policy_arn,
    attachments.policy_name,
    attachments.attachment_kind,
    attachments.target_arn,
    policies.document,
from attachments
inner join policies on attachments.policy_id = policies.policy_id
where attachments.attachment_kind in ('scp', 'rcp')
order by all
