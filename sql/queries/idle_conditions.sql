/*
description = "Conditions that do nothing: always true, or true without the key (ForAllValues without Null)."
grain = ["statement_id", "operator", "set_qualifier_key", "if_exists", "condition_key", "reason"]
*/
with
always_present as (
    select lower(condition_key) as condition_key
    from reference_condition_keys
    where
        starts_with(presence, 'always')
        or starts_with(presence, 'signed requests')
),

guarded as (
    select
        statement_id,
        lower(condition_key) as condition_key,
    from conditions
    where
        operator = 'Null'
        and list_contains(condition_values, 'false')
),

judged as (
    select
        conditions.statement_id,
        conditions.operator,
        conditions.set_qualifier_key,
        conditions.if_exists,
        conditions.condition_key,
        conditions.condition_values,
        (
            operator in ('StringLike', 'ArnLike', 'ArnEquals')
            and list_contains(conditions.condition_values, '*')
        )
        or (
            operator = 'IpAddress'
            and list_contains(conditions.condition_values, '0.0.0.0/0')
            and list_contains(conditions.condition_values, '::/0')
        ) as is_true_with_key,
        always_present.condition_key is not null or guarded.condition_key is not null as is_key_there,
    from conditions
    left join always_present on lower(conditions.condition_key) = always_present.condition_key
    left join guarded
        on
            conditions.statement_id = guarded.statement_id
            and lower(conditions.condition_key) = guarded.condition_key
),

idle as (
    select
        *,
        'always true' as reason,
    from judged
    where
        is_true_with_key
        and (is_key_there or if_exists or set_qualifier_key = 'ForAllValues')
    union all
    -- Of no values every value is right: AWS pairs ForAllValues with Null.
    select
        *,
        'true without the key' as reason,
    from judged
    where
        set_qualifier_key = 'ForAllValues'
        and not is_true_with_key
        and not is_key_there
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
order by idle.statement_id, idle.condition_key, idle.operator, idle.set_qualifier_key, idle.if_exists
