/*
description = "The names of the inline policies of a user, role or group, as one list."
grain = ["principal_arn"]
*/
select
    target_arn as principal_arn,
    list(policy_name order by policy_name) as policy_names,
from attachments
where attachment_kind = 'inline'
group by target_arn
