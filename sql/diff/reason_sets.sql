/*
description = "The statements behind rows, each combination once."
grain = ["old_granted_by", "old_limited_by", "old_standing", "granted_by", "limited_by", "standing"]
*/
select distinct
    old.granted_by as old_granted_by,
    old.limited_by as old_limited_by,
    old.standing as old_standing,
    new.granted_by,
    new.limited_by,
    new.standing,
from old_side as old
inner join new_side as new on old.row_id = new.row_id
order by all
