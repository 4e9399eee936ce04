/*
description = "The trust policies of roles and the policies of resources, by the hash of what they say."
grain = ["target_arn", "attachment_kind", "policy_id"]
*/
select distinct
    target_arn,
    attachment_kind,
    policy_id,
from attachments
where attachment_kind in ('trust', 'resource')
order by all
