/*
description = "Conditions that do nothing: every request meets them, or every request without the key (ForAllValues without Null)."
grain = ["statement_id", "operator", "set_qualifier_key", "if_exists", "condition_key", "condition_values", "reason"]
needs = ["judged_conditions"]
*/
with
idle as (
    select
        statement_id,
        operator,
        set_qualifier_key,
        if_exists,
        condition_key,
        condition_values,
        case when is_certain then 'always true' else 'true without the key' end as reason,
    from judged_conditions
    where
        is_certain
        -- Of no values every value is right: AWS pairs ForAllValues with Null.
        or (set_qualifier = 'ForAllValues' and is_certain_without_key)
)

select
    idle.statement_id,
    idle.operator,
    idle.set_qualifier_key,
    idle.if_exists,
    idle.condition_key,
    idle.condition_values,
    idle.reason,
    statements.effect,
    statements.sid,
    policy_places.targets,
    policy_places.sources,
from idle
inner join statements on idle.statement_id = statements.statement_id
left join policy_places on statements.policy_id = policy_places.policy_id
order by
    idle.statement_id,
    idle.condition_key,
    idle.operator,
    idle.set_qualifier_key,
    idle.if_exists,
    idle.condition_values
