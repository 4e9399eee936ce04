/*
description = "The statements that count for a principal, by layer, with the number by which answers name them; SCPs, RCPs and resource policies of its account included."
grain = ["principal_arn", "statement_id", "layer", "reason_number"]
*/
with
counting as (
    select
        principal_arn,
        statement_id,
        layer,
        action_set_id,
        reason_number,
    from counting_statements
    where principal_arn != ''
    union
    select
        principal_profiles.principal_arn,
        of_account.statement_id,
        of_account.layer,
        of_account.action_set_id,
        of_account.reason_number,
    from principal_profiles
    inner join counting_statements as of_account on principal_profiles.account_id = of_account.account_id
    where of_account.principal_arn = ''
),

-- NotPrincipal spares a user whom it names together with the account, and nobody with a boundary. Of a role it spares
-- the sessions that it names: it speaks of the others.
spared as (
    select distinct
        principals.principal_arn,
        statements.statement_id,
    from statements
    inner join statement_principals as named on statements.statement_id = named.statement_id
    inner join principals on named.principal_value = principals.principal_arn
    inner join statement_principals as accounts
        on
            statements.statement_id = accounts.statement_id
            and accounts.principal_value in (
                principals.account_id,
                'arn:' || split_part(principals.principal_arn, ':', 2) || ':iam::' || principals.account_id || ':root'
            )
    where
        statements.principal_element = 'NotPrincipal'
        and statements.effect = 'Deny'
        and principals.principal_type = 'user'
        and principals.boundary_policy_id is null
)

select counting.*
from counting
inner join principals on counting.principal_arn = principals.principal_arn
anti join spared
    on
        counting.principal_arn = spared.principal_arn
        and counting.statement_id = spared.statement_id
        and counting.layer = 'resource'
-- SCPs and RCPs do not limit service-linked roles.
where not (principals.is_service_linked and counting.layer in ('scp', 'rcp'))
