/*
description = "Action names that the service reference does not know: misspelt, retired or newer than the reference."
grain = ["action_pattern", "policy_id"]

[parameters.service]
description = "Service prefix, or *"
kind = "service"
default = "*"
*/
with
unknown as (
    select distinct
        actions.action_pattern,
        statements.policy_id,
        statements.effect,
    from actions
    inner join statements on actions.statement_id = statements.statement_id
    where
        actions.matched_action_count = 0
        and ($service = '*' or actions.service = lower($service))
)

select
    unknown.action_pattern,
    unknown.policy_id,
    list(distinct unknown.effect order by unknown.effect) as effects,
    any_value(policy_places.policies) as policies,
    any_value(policy_places.targets) as targets,
    any_value(policy_places.sources) as sources,
from unknown
left join policy_places on unknown.policy_id = policy_places.policy_id
group by unknown.action_pattern, unknown.policy_id
order by unknown.action_pattern, unknown.policy_id
