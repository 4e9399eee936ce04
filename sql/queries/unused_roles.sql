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
        principal_arn,
        count(*) as action_count,
    from access_matrix
    where verdict in ('allowed', 'conditional')
    group by principal_arn
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
inner join granted on principals.principal_arn = granted.principal_arn
inner join accounts on principals.account_id = accounts.account_id
where
    principals.principal_type = 'role'
    and (
        principals.last_used_at is null
        or date_diff('day', principals.last_used_at::timestamptz, accounts.data_as_of::timestamptz) >= $days::integer
    )
order by principals.last_used_at nulls first, principals.principal_arn
