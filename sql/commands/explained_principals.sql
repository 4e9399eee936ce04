/*
description = "What is known of $principal whenever it calls."
grain = ["principal_arn"]
*/
select
    principals.principal_arn,
    principals.principal_type,
    coalesce(principals.account_id, '') as account_id,
    principals.principal_name,
    principals.principal_id,
    principals.tags,
    accounts.organization_id,
    accounts.ou_path,
    tag_session_roles.principal_arn is not null as has_session_tags,
    principals.boundary_policy_id is not null as has_boundary,
from principals
left join accounts on principals.account_id = accounts.account_id
left join tag_session_roles on principals.principal_arn = tag_session_roles.principal_arn
where principals.principal_arn = $principal
