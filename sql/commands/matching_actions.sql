/*
description = "The actions of this snapshot that a pattern names."
grain = ["action"]
*/
select action
from evaluated_actions
where lower(action) glob glob_of($pattern)
order by action
