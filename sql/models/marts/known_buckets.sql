/*
description = "The S3 buckets of which the input tells: those of the inventory, and those that have policies."
grain = ["resource_arn", "account_id"]
*/
select
    resource_arn,
    coalesce(account_id, '') as account_id,
from inventory
where service = 's3'
union
select
    target_arn as resource_arn,
    coalesce(account_id, '') as account_id,
from attachments
where attachment_kind = 'resource' and split_part(target_arn, ':', 3) = 's3'
