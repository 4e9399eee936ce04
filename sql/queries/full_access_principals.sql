/*
description = "Principals who can do everything: a share of all known actions on every resource."
grain = ["principal_arn"]

[parameters.percent]
description = "Least share of the known actions, from 0 to 100"
default = "95"
*/
with
known as (
    select count(*) as action_count
    from evaluated_actions
    where is_known
),

open_actions as (
    select
        access.principal_arn,
        access.principal_type,
        access.account_id,
        access.action,
        max(access.verdict = 'allowed') as is_unconditional,
    from access
    inner join evaluated_actions on access.action = evaluated_actions.action
    where
        evaluated_actions.is_known
        and access.resource_pattern = '*'
        and access.except_resources is null
    group by all
)

select
    open_actions.principal_arn,
    open_actions.principal_type,
    open_actions.account_id,
    count(*) filter (where open_actions.is_unconditional) as allowed_actions,
    count(*) filter (where not open_actions.is_unconditional) as conditional_actions,
    any_value(known.action_count) as known_actions,
    round(100.0 * count(*) / any_value(known.action_count), 1) as percent,
from open_actions
cross join known
group by open_actions.principal_arn, open_actions.principal_type, open_actions.account_id
having percent >= $percent::double
order by percent desc, open_actions.principal_arn asc
