/*
description = "The statements behind rows, each combination once."
grain = ["old_granted_by", "old_limited_by", "granted_by", "limited_by"]
*/
select distinct
    old.granted_by as old_granted_by,
    old.limited_by as old_limited_by,
    new.granted_by,
    new.limited_by,
from old_side as old
inner join new_side as new on old.row_id = new.row_id
order by all
