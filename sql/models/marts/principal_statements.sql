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
)

select counting.*
from counting
inner join principals on counting.principal_arn = principals.principal_arn
-- SCPs and RCPs do not limit service-linked roles.
where not (principals.is_service_linked and counting.layer in ('scp', 'rcp'))
