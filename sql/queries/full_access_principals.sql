/*
description = "Principals who can do everything: a share of all known actions on every resource, of each type that the action needs."
grain = ["principal_arn"]

[parameters.percent]
description = "Least share of the known actions, from 0 to 100"
kind = "percent"
default = "95"
*/
with
known as (
    select count(*) as action_count
    from evaluated_actions
    where is_known
),

needed as (
    select
        action,
        resource_type,
    from reference_action_resource_types
    where
        is_required
        and not is_required_mark_doubtful
),

needed_counts as (
    select
        action,
        count(*) as type_count,
    from needed
    group by action
),

open_actions as (
    select
        access.principal_arn,
        access.principal_type,
        access.account_id,
        access.action,
        any_value(access.action_verdict) as verdict,
        count(needed.resource_type) as type_count,
        count(needed.resource_type) filter (where access.verdict = 'allowed') as allowed_type_count,
        bool_or(access.verdict = 'allowed') as is_allowed_somewhere,
    from access
    inner join evaluated_actions on access.action = evaluated_actions.action
    left join needed
        on
            access.action = needed.action
            and access.resource_type = needed.resource_type
    where
        evaluated_actions.is_known
        and access.resource_pattern = '*'
        and access.except_resources is null
        and access.action_verdict in ('allowed', 'conditional')
    group by all
),

judged as (
    select
        open_actions.*,
        open_actions.verdict = 'allowed'
        and open_actions.is_allowed_somewhere
        and open_actions.allowed_type_count = coalesce(needed_counts.type_count, 0) as is_unconditional,
    from open_actions
    left join needed_counts on open_actions.action = needed_counts.action
    where open_actions.type_count = coalesce(needed_counts.type_count, 0)
)

select
    judged.principal_arn,
    judged.principal_type,
    judged.account_id,
    count(*) filter (where judged.is_unconditional) as allowed_actions,
    count(*) filter (where not judged.is_unconditional) as conditional_actions,
    any_value(known.action_count) as known_actions,
    round(100.0 * count(*) / any_value(known.action_count), 1) as percent,
from judged
cross join known
group by judged.principal_arn, judged.principal_type, judged.account_id
having percent >= $percent::double
order by percent desc, judged.principal_arn asc
