/*
description = "The roles of the inputs with the services that their trust policies let assume them."
grain = ["role_arn"]
*/
with
-- A trust policy may ask for more: its conditions count as met.
trusted as (
    select
        attachments.target_arn,
        list(distinct lower(statement_principals.principal_value) order by lower(statement_principals.principal_value))
            as services,
    from attachments
    inner join statements on attachments.policy_id = statements.policy_id
    inner join statement_principals on statements.statement_id = statement_principals.statement_id
    where
        attachments.attachment_kind = 'trust'
        and statements.effect = 'Allow'
        and statements.principal_element = 'Principal'
        and (
            statement_principals.principal_kind = 'Service'
            or statement_principals.principal_value = '*'
        )
    group by attachments.target_arn
)

select
    principals.principal_arn as role_arn,
    principals.account_id,
    coalesce(trusted.services, []) as trusted_services,
from principals
left join trusted on principals.principal_arn = trusted.target_arn
where principals.principal_type = 'role'
