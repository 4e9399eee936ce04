/*
description = "The statements that can give access, by profile of principals, with the number by which answers name them."
grain = ["profile_id", "statement_id", "reason_number"]
*/
select distinct
    principal_profiles.profile_id,
    principal_statements.statement_id,
    principal_statements.reason_number,
    principal_statements.action_set_id,
from principal_statements
inner join principal_profiles on principal_statements.principal_arn = principal_profiles.principal_arn
where is_granting_layer(principal_statements.layer)
