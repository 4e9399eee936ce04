/*
description = "The actions to answer for: the chosen services', iam:PassRole, and what policies name beyond the reference."
grain = ["action"]
*/
with
known as (
    select
        action,
        service,
        access_level,
        true as is_known,
    from reference_actions
    where
        service in (select service from evaluated_services)
        or action = 'iam:PassRole'
),

spellings as (
    select
        service || substr(action_pattern, length(service) + 1) as action,
        service,
        uses,
    from unknown_actions
    where service in (select service from evaluated_services) and not ends_with(action_pattern, ':')
),

-- An action newer than the reference, retired or misspelt: kept under its most common form, never dropped.
unknown as (
    select
        first(action order by uses desc, action) as action,
        service,
        null::varchar as access_level,
        false as is_known,
    from spellings
    group by lower(action), service
)

select * from known
union all
select * from unknown
