/*
description = "The actions that the snapshot answers for, with the service whose actions they are."
grain = ["action"]
*/
select
    action,
    service,
    is_known,
from evaluated_actions
where
    $action is null
    or lower(action) glob glob_of($action)
    or split_part(lower(action), ':', 2) glob glob_of($action)
