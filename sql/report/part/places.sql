/*
description = "The documents that are attached to the targets that are given, and where."
grain = ["policy_id", "attachment_kind", "target_arn", "policy_name", "source"]
*/
select distinct
    policy_id,
    attachment_kind,
    target_arn,
    account_id,
    policy_name,
    source,
from attachments
where target_arn in (select unnest($targets))
order by all
