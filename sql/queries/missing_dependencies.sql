/*
description = "Who is granted an action whose calls may need another one that is not granted, by the action."
grain = ["principal_arn", "action", "dependent_action"]

[parameters.action]
description = "Action that is granted; * and ? are wildcards"
kind = "actions"
default = "*"
*/
select
    principal_arn,
    action,
    dependent_action,
    reason,
    is_always_needed,
    needed_when,
from missing_dependencies
where lower(action) glob glob_of($action)
order by principal_arn, action, dependent_action
