/*
description = "Action patterns with the number of actions of the service reference that each matches."
grain = ["statement_id", "action_pattern"]
*/
select
    actions.statement_id,
    actions.action_pattern,
    actions.service,
    actions.is_wildcard,
    pattern_counts.matched_action_count,
from staging.actions as actions
inner join pattern_counts on lower(actions.action_pattern) = pattern_counts.action_pattern
