/*
description = "The verdict for each principal and action; no row means that nothing grants it."
grain = ["principal_arn", "action"]
*/
select
    principal_profiles.principal_arn,
    principal_profiles.account_id,
    principal_profiles.principal_type,
    profile_cells.action,
    cell_verdicts.verdict,
    list_concat(
        [cell_verdicts.layer],
        statement_ids_of(
            cell_verdicts.decided_by_numbers,
            case when is_granted(cell_verdicts.verdict) then own.granting else own.limiting end,
            case
                when is_granted(cell_verdicts.verdict) then account.granting else account.limiting
            end,
            sets_of_action.action_set_ids
        )
    ) as decided_by,
    principal_profiles.is_incomplete,
from principal_profiles
inner join profile_cells on principal_profiles.profile_id = profile_cells.profile_id
inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
inner join evaluated_actions on profile_cells.action = evaluated_actions.action
left join sets_of_action on profile_cells.action = sets_of_action.action
left join principal_reasons as own on principal_profiles.principal_arn = own.principal_arn
left join account_reasons as account on principal_profiles.account_id = account.account_id
where cell_verdicts.verdict != 'none'
