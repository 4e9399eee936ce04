/*
description = "The statements of a permissions boundary that match an action."
grain = ["policy_id", "action"]
*/
with
boundaries as (
    select distinct boundary_policy_id as policy_id
    from principals
    where boundary_policy_id is not null
)

select
    boundaries.policy_id,
    policy_actions.action,
    string_agg(policy_actions.statement_number::varchar, ',' order by policy_actions.statement_number) as statement_numbers,
from boundaries
inner join policy_actions on boundaries.policy_id = policy_actions.policy_id
group by boundaries.policy_id, policy_actions.action
