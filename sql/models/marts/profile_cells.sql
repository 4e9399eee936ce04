/*
description = "Which cell answers for each profile and action: that of the statements that match the action, on the action's resource types."
grain = ["profile_id", "action"]
*/
select
    profile_cases.profile_id,
    action_forms.action,
    case_cells.cell_id,
from profile_cases
inner join blocks on profile_cases.block_id = blocks.block_id
-- A block has actions and a case has a cell for each of their forms. Left joins keep these two behind the others: a
-- question about one principal or one action finds its few blocks first.
left join action_forms
    on
        group_of(blocks.block_id) = group_of(action_forms.form_id)
        and substr(blocks.digits, action_forms.action_number, 1) = '1'
left join case_cells
    on profile_cases.case_id = case_cells.case_id and action_forms.form_id = case_cells.form_id
