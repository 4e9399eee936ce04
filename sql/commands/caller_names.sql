/*
description = "The ARNs and names of all users, roles and loose documents, for suggestions."
grain = ["principal_arn"]
*/
select
    principal_arn,
    principal_name,
from principals
where principal_type != 'group'
order by principal_arn
