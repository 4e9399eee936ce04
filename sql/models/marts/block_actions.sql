/*
description = "The actions of each block, with the form that each has among the accounts of the block: digit n of a block tells whether action number n is in it."
grain = ["block_id", "action"]
*/
with
bit_blocks as (
    select
        block_id,
        digits::bit as bits,
    from blocks
)

select
    bit_blocks.block_id,
    action_forms.action,
    action_forms.form_id,
from bit_blocks
inner join action_forms
    on
        group_of(bit_blocks.block_id) = group_of(action_forms.form_id)
        and holds_action(bit_blocks.bits, action_forms.action_number)
