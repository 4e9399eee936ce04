/*
description = "The distinct action patterns in lower case, those apart whose actions were found before."
grain = ["action_pattern"]
*/
select distinct
    lower(actions.action_pattern) as action_pattern,
    actions.service,
    actions.service is null or contains(actions.service, '*') or contains(actions.service, '?') as is_any_service,
from staging.actions as actions
anti join known_pattern_counts on lower(actions.action_pattern) = known_pattern_counts.action_pattern
