/*
description = "What the granted actions of a principal lack, in words by action."
grain = ["action"]
*/
select
    action,
    list(
        dependent_action || ': ' || reason || ' (needed by ' || needed_when || ')'
        order by dependent_action
    ) as missing_dependencies,
from missing_dependencies
where principal_arn = $principal
group by action
order by action
