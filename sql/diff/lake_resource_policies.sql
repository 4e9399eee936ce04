/*
description = "Policies of resources and endpoints."
grain = ["resource_arn", "policy_id"]
*/
select
    attachments.target_arn as resource_arn,
    policies.policy_id,
    policies.document,
from attachments
inner join policies on attachments.policy_id = policies.policy_id
where attachments.attachment_kind in ('resource', 'endpoint')
order by all
