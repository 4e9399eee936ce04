/*
description = "AWS's managed policies that any account has, with their documents: a change may attach them elsewhere."
grain = ["policy_arn"]
*/
select
    attachments.policy_arn,
    min(policies.document) as document,
from attachments
inner join policies on attachments.policy_id = policies.policy_id
where
    attachments.attachment_kind in ('managed', 'boundary')
    and split_part(attachments.policy_arn, ':', 5) = 'aws'
group by attachments.policy_arn
order by attachments.policy_arn
