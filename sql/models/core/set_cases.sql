/*
description = "The parts of a set that match an action: the layer's case of that action."
grain = ["set_id", "action"]
*/
select
    set_parts.set_id,
    action_set_members.action,
    string_agg(distinct set_parts.part_number::varchar, ',' order by set_parts.part_number::varchar) as case_text,
from set_parts
inner join action_set_members on set_parts.action_set_id = action_set_members.action_set_id
group by set_parts.set_id, action_set_members.action
