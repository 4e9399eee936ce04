/*
description = "VPC endpoints whose policy is in the lake; verdicts leave these policies out."
grain = ["target_arn", "policy_id"]
*/
select distinct
    target_arn,
    policy_id,
from attachments
where attachment_kind = 'endpoint'
order by all
