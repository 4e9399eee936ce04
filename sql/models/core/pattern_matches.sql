/*
description = "Which decided actions each pattern matches."
grain = ["action_pattern", "action"]
*/
select
    action_patterns.action_pattern,
    decided_actions.action,
from action_patterns
inner join decided_actions on lower(decided_actions.action) glob glob_of(action_patterns.action_pattern)
union all
select
    action_pattern,
    action,
from known_pattern_matches
