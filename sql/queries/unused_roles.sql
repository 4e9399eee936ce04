/*
description = "Roles with access that nobody has used for a while, measured from the day of their account's export."
grain = ["principal_arn"]

[parameters.days]
description = "Least number of days without use; roles never used are always shown"
kind = "days"
default = "90"
*/
with
granted as (
    select
        profile_cells.profile_id,
        count(*) as action_count,
    from profile_cells
    inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
    semi join evaluated_actions on profile_cells.action = evaluated_actions.action
    where is_granted(cell_verdicts.verdict)
    group by profile_cells.profile_id
)

select
    principals.principal_arn,
    principals.account_id,
    principals.created_at,
    principals.last_used_at,
    accounts.data_as_of,
    date_diff('day', principals.last_used_at::timestamptz, accounts.data_as_of::timestamptz) as unused_days,
    granted.action_count,
from principals
inner join principal_profiles as profiles on principals.principal_arn = profiles.principal_arn
-- Of profiles and not of access_matrix: large lakes have many principals of one profile.
inner join granted on profiles.profile_id = granted.profile_id
inner join accounts on principals.account_id = accounts.account_id
where
    principals.principal_type = 'role'
    and (
        principals.last_used_at is null
        or date_diff('day', principals.last_used_at::timestamptz, accounts.data_as_of::timestamptz) >= $days::integer
    )
order by principals.last_used_at nulls first, principals.principal_arn
