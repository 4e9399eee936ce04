/*
description = "The roles of the inputs with the services that their trust policies let assume them."
grain = ["role_arn"]
*/
with
trusted as (
    select
        role_arn,
        list(distinct lower(principal_value) order by lower(principal_value)) as services,
    from trusted_principals
    where principal_kind = 'Service' or principal_value = '*'
    group by role_arn
)

-- A trust policy may ask for more: its conditions count as met.
select
    principals.principal_arn as role_arn,
    principals.account_id,
    coalesce(trusted.services, []) as trusted_services,
from principals
left join trusted on principals.principal_arn = trusted.role_arn
where principals.principal_type = 'role'
