/*
description = "What each profile may do on which resources: the rows of access once for all principals that share a profile."
grain = ["profile_id", "action", "resource_type", "resource_pattern"]
*/
select
    profile_cells.profile_id,
    profile_cells.action,
    evaluated_actions.access_level,
    cell_access.resource_type,
    cell_access.resource_pattern,
    cell_access.verdict,
    cell_verdicts.verdict as action_verdict,
    cell_access.condition_id,
    cell_access.except_resources,
    cell_access.granted_by_numbers,
    cell_access.limited_by_numbers,
    cell_access.witness_id,
    cell_access.is_proven,
from profile_cells
inner join cell_access on profile_cells.cell_id = cell_access.cell_id
inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
inner join evaluated_actions on profile_cells.action = evaluated_actions.action
