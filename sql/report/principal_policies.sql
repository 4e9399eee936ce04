/*
description = "The identity policies and the boundary of each principal, own policies before those of groups."
grain = ["principal_arn", "attachment_kind", "policy_id", "via_arn", "policy_name", "policy_arn"]
*/
select
    principal_arn,
    attachment_kind,
    policy_id,
    via_arn,
    policy_name,
    policy_arn,
from principal_policies
order by
    principal_arn,
    attachment_kind = 'boundary',
    via_arn != principal_arn,
    via_arn,
    policy_name,
    attachment_kind,
    policy_id,
    policy_arn
