/*
description = "The conditions of all scopes behind each row of the differences, an empty text for a scope without one; and whether one scope stands against the same one."
grain = ["row_id"]
*/
select
    changed_rows.row_id,
    coalesce(old.condition_ids, []) as old_condition_ids,
    coalesce(new.condition_ids, []) as condition_ids,
    coalesce(
        len(changed_rows.old_places) = 1
        and len(changed_rows.new_places) = 1
        and old.resource_pattern = new.resource_pattern
        and old.except_resources is not distinct from new.except_resources,
        false
    ) as is_same_scope,
from changed_rows
left join old_side as old on changed_rows.row_id = old.row_id
left join new_side as new on changed_rows.row_id = new.row_id
order by changed_rows.row_id
