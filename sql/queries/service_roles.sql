/*
description = "Roles that a service may assume: execution roles that trust sagemaker.amazonaws.com, as far as no Deny of the trust policy takes that away."
grain = ["principal_arn"]

[parameters.service]
description = "Service principal"
kind = "service_principal"
default = "sagemaker.amazonaws.com"
*/
select
    principals.principal_arn,
    principals.account_id,
    principals.is_service_linked,
    principals.last_used_at,
    bool_and(trusted_principals.has_condition) as has_condition,
    list(trusted_principals.statement_id order by trusted_principals.statement_id) as statement_ids,
from trusted_principals
inner join principals on trusted_principals.role_arn = principals.principal_arn
semi join role_trusts
    on
        trusted_principals.role_arn = role_trusts.role_arn
        and list_has_any(role_trusts.trusted_services, [lower($service), '*'])
where
    trusted_principals.principal_kind = 'Service'
    and lower(trusted_principals.principal_value) = lower($service)
group by
    principals.principal_arn,
    principals.account_id,
    principals.is_service_linked,
    principals.last_used_at
order by principals.principal_arn
