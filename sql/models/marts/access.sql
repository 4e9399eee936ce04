/*
description = "Who can do what on which resources: each principal has the rows of its profile's cells."
grain = ["principal_arn", "action", "resource_type", "resource_pattern"]
*/
with
sets_of_action as (
    select
        action,
        list(action_set_id) as action_set_ids,
    from action_set_members
    group by action
)

select
    principal_profiles.principal_arn,
    principal_profiles.account_id,
    principal_profiles.principal_type,
    profile_cells.action,
    evaluated_actions.access_level,
    cell_access.resource_type,
    own_text(cell_access.resource_pattern, principal_profiles.account_id) as resource_pattern,
    cell_access.verdict,
    cell_verdicts.verdict as action_verdict,
    own_text(residual_conditions.condition, principal_profiles.account_id) as condition,
    cell_access.condition_id,
    own_text(cell_access.except_resources, principal_profiles.account_id) as except_resources,
    statement_ids_of(
        cell_access.granted_by_numbers, own.granting, account.granting, sets_of_action.action_set_ids
    ) as granted_by,
    statement_ids_of(
        cell_access.limited_by_numbers, own.limiting, account.limiting, sets_of_action.action_set_ids
    ) as limited_by,
    witness_line(
        coalesce(own_text(witnesses.session_arn, principal_profiles.account_id), principal_profiles.principal_arn),
        profile_cells.action,
        witnesses.request,
        principal_profiles.account_id
    ) as witness,
    cell_access.is_proven,
    principal_profiles.is_incomplete,
from principal_profiles
inner join profile_cells on principal_profiles.profile_id = profile_cells.profile_id
inner join cell_access on profile_cells.cell_id = cell_access.cell_id
inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
inner join evaluated_actions on profile_cells.action = evaluated_actions.action
left join witnesses on cell_access.witness_id = witnesses.witness_id
left join residual_conditions on cell_access.condition_id = residual_conditions.condition_id
left join sets_of_action on profile_cells.action = sets_of_action.action
left join principal_reasons as own on principal_profiles.principal_arn = own.principal_arn
left join account_reasons as account on principal_profiles.account_id = account.account_id
