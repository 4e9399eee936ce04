/*
description = "The roles that each scope of iam:PassRole of a principal reaches."
grain = ["resource_pattern"]
*/
select
    resource_pattern,
    list(role_arn order by role_arn) as role_arns,
from passable_roles
where principal_arn = $principal
group by resource_pattern
order by resource_pattern
