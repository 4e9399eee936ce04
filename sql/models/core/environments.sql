/*
description = "The resource-based policies that matter to a principal, as one environment each."
grain = ["principal_arn"]
*/
select
    principal_arn,
    md5(string_agg(
        concat_ws(' ', resource_arn, statement_number, named_as, named, is_own), ','
        order by resource_arn, statement_number, named_as, named
    )) as environment_id,
from environment_entries
group by principal_arn
