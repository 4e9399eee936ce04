/*
description = "What the granted actions of each profile in an account depend on and lack, with the numbers of these actions as text."
grain = ["account_id", "profile_id", "dependent_action", "reason", "needed_when"]
*/
select
    profile_gaps.account_id,
    profile_gaps.profile_id,
    profile_gaps.dependent_action,
    profile_gaps.reason,
    profile_gaps.needed_when,
    string_agg(action_numbers.number, ',' order by action_numbers.number) as action_numbers,
from profile_gaps
inner join action_numbers on profile_gaps.action = action_numbers.action
group by
    profile_gaps.account_id,
    profile_gaps.profile_id,
    profile_gaps.dependent_action,
    profile_gaps.reason,
    profile_gaps.needed_when
order by all
