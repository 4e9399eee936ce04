/*
description = "The roles of the inputs with the services that their trust policies let assume them."
grain = ["role_arn"]
*/
with
matching as (
    select distinct statement_id
    from actions
    where 'sts:assumerole' glob glob_of(action_pattern)
),

-- Statements of trust policies about sts:AssumeRole, NotAction resolved, with the services that they name.
assuming as (
    select
        attachments.target_arn as role_arn,
        statements.effect,
        statements.condition_count,
        lower(statement_principals.principal_value) as service,
    from attachments
    inner join statements on attachments.policy_id = statements.policy_id
    inner join statement_principals on statements.statement_id = statement_principals.statement_id
    left join matching on statements.statement_id = matching.statement_id
    where
        attachments.attachment_kind = 'trust'
        and statements.principal_element = 'Principal'
        and (statement_principals.principal_kind = 'Service' or statement_principals.principal_value = '*')
        and (statements.action_element = 'Action') = (matching.statement_id is not null)
),

-- A Deny without conditions takes the trust away.
denied as (
    select
        role_arn,
        service,
    from assuming
    where effect = 'Deny' and condition_count = 0
),

trusted as (
    select
        assuming.role_arn,
        list(distinct assuming.service order by assuming.service) as services,
    from assuming
    anti join denied
        on
            assuming.role_arn = denied.role_arn
            and denied.service in ('*', assuming.service)
    where assuming.effect = 'Allow'
    group by assuming.role_arn
)

-- A trust policy may ask for more: its conditions count as met.
select
    principals.principal_arn as role_arn,
    principals.account_id,
    coalesce(trusted.services, []) as trusted_services,
from principals
left join trusted on principals.principal_arn = trusted.role_arn
where principals.principal_type = 'role'
