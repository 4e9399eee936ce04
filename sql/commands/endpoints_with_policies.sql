/*
description = "The VPC endpoints whose policies are in the inputs."
grain = ["endpoint_id"]
*/
select distinct split_part(target_arn, '/', -1) as endpoint_id
from attachments
where attachment_kind = 'endpoint'
order by endpoint_id
