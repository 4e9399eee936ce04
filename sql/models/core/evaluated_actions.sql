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

-- An action newer than the reference, retired or misspelt: kept under its most common form, never dropped.
unknown as (
    select
        min(action_pattern) as action,
        service,
        null::varchar as access_level,
        false as is_known,
    from actions
    where
        matched_action_count = 0
        and not is_wildcard
        and service in (select service from evaluated_services)
        and not ends_with(action_pattern, ':')
    group by lower(action_pattern), service
)

select * from known
union all
select * from unknown
