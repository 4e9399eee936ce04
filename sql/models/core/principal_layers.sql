/*
description = "Each principal's layers by id, with the facts that conditions may ask for."
grain = ["principal_arn"]
*/
select
    principals.principal_arn,
    principals.account_id,
    principals.principal_type,
    principals.principal_name,
    principals.principal_id,
    principals.tags,
    principals.is_incomplete,
    identity_sets.identity_set_id,
    principals.boundary_policy_id,
    case when not principals.is_service_linked then scps.chain_id end as scp_chain_id,
    case when not principals.is_service_linked then rcps.chain_id end as rcp_chain_id,
    environments.environment_id,
    principals.is_service_linked,
    accounts.organization_id,
    accounts.ou_path,
    tag_session_roles.principal_arn is not null as has_session_tags,
from principals
left join accounts on principals.account_id = accounts.account_id
left join identity_sets on principals.principal_arn = identity_sets.principal_arn
left join environments on principals.principal_arn = environments.principal_arn
left join control_chains as scps on principals.account_id = scps.account_id and scps.attachment_kind = 'scp'
left join control_chains as rcps on principals.account_id = rcps.account_id and rcps.attachment_kind = 'rcp'
left join tag_session_roles on principals.principal_arn = tag_session_roles.principal_arn
where principals.principal_type != 'group'
