/*
description = "The statements that count for a principal, with the layer and the number of what they say; SCPs, RCPs and resource policies of its account included."
grain = ["principal_arn", "statement_id", "layer"]
*/
select
    principal_arn,
    statement_id,
    layer,
    statement_number,
    action_set_id,
from counting_statements
where principal_arn != ''
union
select
    principal_profiles.principal_arn,
    of_account.statement_id,
    of_account.layer,
    of_account.statement_number,
    of_account.action_set_id,
from principal_profiles
inner join counting_statements as of_account on principal_profiles.account_id = of_account.account_id
where of_account.principal_arn = ''
