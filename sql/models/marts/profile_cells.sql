/*
description = "Which cell answers for each profile and action: that of the statements that match the action, on the action's resource types."
grain = ["profile_id", "action"]
*/
select
    profile_cases.profile_id,
    block_actions.action,
    case_cells.cell_id,
from profile_cases
inner join block_actions on profile_cases.block_id = block_actions.block_id
inner join case_cells
    on
        profile_cases.case_id = case_cells.case_id
        and block_actions.form_id = case_cells.form_id
