/*
description = "The accounts of S3 buckets, whose ARNs do not name them, as far as the input tells."
grain = ["resource_arn", "account_id"]
*/
select
    resource_arn,
    account_id,
from known_buckets
where account_id != ''
