/*
description = "Conditions that do nothing, for every request meets them, or every request without the key (ForAllValues without Null); and those that no request meets any more, for their dates lie in the past."
grain = ["statement_id", "operator", "set_qualifier_key", "if_exists", "condition_key", "condition_values", "reason"]
needs = ["judged_conditions"]

[parameters.today]
description = "Moment before which dates lie in the past; exports is the newest date that the exports hold"
kind = "moment"
default = "exports"
*/
with
present as (
    select coalesce(try_cast(nullif($today, 'exports') as timestamptz), max(data_as_of::timestamptz)) as today
    from accounts
),

idle as (
    select
        statement_id,
        operator,
        set_qualifier_key,
        if_exists,
        condition_key,
        condition_values,
        case
            when is_certain then 'always true'
            when ends_at is not null then 'in the past'
            else 'true without the key'
        end as reason,
    from judged_conditions
    cross join present
    where
        is_certain
        -- No call is made at a time that is over: an Allow has expired, a Deny denies no more.
        or to_timestamp(ends_at) <= present.today
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
