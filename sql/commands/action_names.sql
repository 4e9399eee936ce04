/*
description = "Every action of this snapshot, for suggestions."
grain = ["action"]
*/
select action
from evaluated_actions
order by action
