/*
description = "The actions of each block, with the form that each has among the accounts of the block: digit n of a block tells whether action number n is in it."
grain = ["block_id", "action"]
*/
select
    blocks.block_id,
    action_forms.action,
    action_forms.form_id,
from blocks
inner join action_forms
    on
        group_of(blocks.block_id) = group_of(action_forms.form_id)
        and substr(blocks.digits, action_forms.action_number, 1) = '1'
