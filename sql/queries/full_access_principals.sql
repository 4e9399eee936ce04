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

-- By profile and not of access: large lakes have many principals of one profile.
answers as (
    select distinct
        profile_cells.action,
        profile_cells.cell_id,
    from profile_cells
    inner join evaluated_actions on profile_cells.action = evaluated_actions.action
    where evaluated_actions.is_known
),

opened as (
    select
        answers.action,
        answers.cell_id,
        any_value(cell_verdicts.verdict) as verdict,
        count(needed.resource_type) as type_count,
        count(needed.resource_type) filter (where cell_access.verdict = 'allowed') as allowed_type_count,
        bool_or(cell_access.verdict = 'allowed') as is_allowed_somewhere,
    from answers
    inner join cell_access on answers.cell_id = cell_access.cell_id
    inner join cell_verdicts on answers.cell_id = cell_verdicts.cell_id
    left join needed
        on
            answers.action = needed.action
            and cell_access.resource_type = needed.resource_type
    where
        cell_access.resource_pattern = '*'
        and cell_access.except_resources is null
        and cell_verdicts.verdict in ('allowed', 'conditional')
    group by answers.action, answers.cell_id
),

judged as (
    select
        opened.action,
        opened.cell_id,
        opened.verdict = 'allowed'
        and opened.is_allowed_somewhere
        and opened.allowed_type_count = coalesce(needed_counts.type_count, 0) as is_unconditional,
    from opened
    left join needed_counts on opened.action = needed_counts.action
    where opened.type_count = coalesce(needed_counts.type_count, 0)
),

counted as (
    select
        profile_cells.profile_id,
        count(*) filter (where judged.is_unconditional) as allowed_actions,
        count(*) filter (where not judged.is_unconditional) as conditional_actions,
    from profile_cells
    inner join judged on profile_cells.action = judged.action and profile_cells.cell_id = judged.cell_id
    group by profile_cells.profile_id
)

select
    profiles.principal_arn,
    profiles.principal_type,
    profiles.account_id,
    counted.allowed_actions,
    counted.conditional_actions,
    known.action_count as known_actions,
    round(100.0 * (counted.allowed_actions + counted.conditional_actions) / known.action_count, 1) as percent,
from counted
inner join principal_profiles as profiles on counted.profile_id = profiles.profile_id
cross join known
where percent >= $percent::double
order by percent desc, profiles.principal_arn asc
