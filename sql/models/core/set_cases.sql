/*
description = "The parts of a set that match an action and can matter to its form: the layer's case of that action."
grain = ["set_id", "action"]
*/
with
form_parts as (
    select
        set_parts.set_id,
        set_parts.part_number,
        set_parts.action_set_id,
        set_parts.asks_facts,
        form_classes.form_id,
    from set_parts
    inner join form_classes on set_parts.class_id = form_classes.class_id
)

select
    form_parts.set_id,
    action_set_members.action,
    string_agg(
        distinct form_parts.part_number::varchar, ',' order by form_parts.part_number::varchar
    ) as case_text,
    bool_or(form_parts.asks_facts) as asks_facts,
from form_parts
inner join action_set_members on form_parts.action_set_id = action_set_members.action_set_id
inner join action_forms
    on action_set_members.action = action_forms.action and form_parts.form_id = action_forms.form_id
group by form_parts.set_id, action_set_members.action
