/*
description = "Where each document is attached and from which files it was read, as lists."
grain = ["policy_id"]
*/
select
    policy_id,
    list(distinct coalesce(policy_arn, policy_name) order by coalesce(policy_arn, policy_name)) as policies,
    list(distinct target_arn order by target_arn) as targets,
    list(distinct source order by source) as sources,
from attachments
group by policy_id
