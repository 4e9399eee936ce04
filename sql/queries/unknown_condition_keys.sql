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

-- An identity provider's own keys begin with its address.
of_providers as (
    select distinct
        statement_id,
        lower(regexp_extract(principal_value, ':oidc-provider/(.+)$', 1)) || ':' as key_start,
    from statement_principals
    where
        principal_kind = 'Federated'
        and contains(principal_value, ':oidc-provider/')
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
        (not conditions.is_known_key or former.condition_key is not null)
        and not exists (
            from of_providers
            where
                of_providers.statement_id = conditions.statement_id
                and starts_with(lower(conditions.condition_key), of_providers.key_start)
        )
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
