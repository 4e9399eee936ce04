/*
description = "What the granted actions of each profile in an account depend on and lack, with the numbers of these actions as text."
grain = ["account_id", "profile_id", "dependent_action", "reason", "needed_when"]
*/
with
numbered as (
    select
        action,
        row_number() over (order by action) - 1 as number,
    from evaluated_actions
)

select
    profile_gaps.account_id,
    profile_gaps.profile_id,
    profile_gaps.dependent_action,
    profile_gaps.reason,
    profile_gaps.needed_when,
    string_agg(numbered.number, ',' order by numbered.number) as action_numbers,
from profile_gaps
inner join numbered on profile_gaps.action = numbered.action
group by
    profile_gaps.account_id,
    profile_gaps.profile_id,
    profile_gaps.dependent_action,
    profile_gaps.reason,
    profile_gaps.needed_when
order by all
