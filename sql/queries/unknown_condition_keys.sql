/*
description = "Condition keys that the service reference does not know, and former spellings that no action uses any more."
grain = ["condition_key", "policy_id"]
*/
with
former as (
    select
        lower(condition_key) as condition_key,
        max(current_spelling) as current_spelling,
    from reference_condition_keys
    where is_former_spelling
    group by lower(condition_key)
),

doubtful as (
    select distinct
        conditions.condition_key,
        statements.policy_id,
        conditions.is_known_key,
        former.current_spelling,
    from conditions
    inner join statements on conditions.statement_id = statements.statement_id
    left join former on lower(conditions.condition_key) = former.condition_key
    where
        not conditions.is_known_key
        or former.condition_key is not null
)

select
    doubtful.condition_key,
    doubtful.policy_id,
    doubtful.is_known_key,
    doubtful.current_spelling,
    policy_places.targets,
    policy_places.sources,
from doubtful
left join policy_places on doubtful.policy_id = policy_places.policy_id
order by doubtful.condition_key, doubtful.policy_id
