/*
description = "Which statement grants a principal which action: what access says in granted_by, statement by statement."
grain = ["principal_arn", "statement_id", "action"]
*/
with
-- Held as a table: joined with the statements at once it takes a hundred times as long.
granted as materialized (
    select
        profile_cells.profile_id,
        profile_cells.action,
        cell_grants.verdict,
        cell_grants.reason_number,
    from profile_cells
    inner join cell_grants on profile_cells.cell_id = cell_grants.cell_id
)

select
    principal_statements.principal_arn,
    principal_profiles.account_id,
    principal_statements.statement_id,
    granted.action,
    min(granted.verdict) as verdict,
from principal_statements
inner join principal_profiles on principal_statements.principal_arn = principal_profiles.principal_arn
inner join action_set_members on principal_statements.action_set_id = action_set_members.action_set_id
inner join evaluated_actions on action_set_members.action = evaluated_actions.action
inner join granted
    on
        principal_profiles.profile_id = granted.profile_id
        and evaluated_actions.action = granted.action
        and principal_statements.reason_number = granted.reason_number
where is_granting_layer(principal_statements.layer)
group by
    principal_statements.principal_arn,
    principal_profiles.account_id,
    principal_statements.statement_id,
    granted.action
