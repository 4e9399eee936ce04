/*
description = "The accounts of S3 buckets, whose ARNs do not name them, as far as the input tells."
grain = ["resource_arn", "account_id"]
*/
select
    resource_arn,
    account_id,
from inventory
where service = 's3' and account_id is not null
union
select
    target_arn as resource_arn,
    account_id,
from attachments
where attachment_kind = 'resource' and split_part(target_arn, ':', 3) = 's3' and account_id is not null
