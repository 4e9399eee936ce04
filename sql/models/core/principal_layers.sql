/*
description = "Each principal's layers as sets of parts, with the facts that conditions may ask for."
grain = ["principal_arn"]
*/
select
    principals.principal_arn,
    coalesce(principals.account_id, '') as account_id,
    account_forms.own_account,
    principals.principal_type,
    principals.principal_name,
    principals.principal_id,
    principals.tags,
    coalesce(identity_sets.parts, '') as identity_parts,
    boundary_sets.parts as boundary_parts,
    case when not principals.is_service_linked then scps.parts end as scp_parts,
    case when not principals.is_service_linked then rcps.parts end as rcp_parts,
    coalesce(shared.parts, '') as account_environment_parts,
    coalesce(named.parts, '') as environment_parts,
    accounts.organization_id,
    accounts.ou_path,
    tag_session_roles.principal_arn is not null as has_session_tags,
    principals.is_service_linked,
    principals.is_incomplete,
from principals
left join accounts on principals.account_id = accounts.account_id
left join account_forms on coalesce(principals.account_id, '') = account_forms.account_id
left join identity_sets on principals.principal_arn = identity_sets.principal_arn
left join boundary_sets on principals.principal_arn = boundary_sets.principal_arn
left join environments as shared
    on
        principals.account_id = shared.account_id
        and shared.principal_arn = ''
        and principals.principal_type in ('user', 'role')
left join environments as named on principals.principal_arn = named.principal_arn
left join control_chains as scps
    on
        principals.account_id = scps.account_id
        and principals.account_id = scps.owner_account_id
        and scps.attachment_kind = 'scp'
left join control_chains as rcps
    on
        principals.account_id = rcps.account_id
        and principals.account_id = rcps.owner_account_id
        and rcps.attachment_kind = 'rcp'
left join tag_session_roles on principals.principal_arn = tag_session_roles.principal_arn
where principals.principal_type != 'group'
