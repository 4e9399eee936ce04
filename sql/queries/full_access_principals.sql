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

-- By case and not of access: large lakes have many principals and profiles with the same cases.
cases as (
    select distinct
        case_id,
        block_id,
    from profile_cases
),

case_answers as (
    select
        cases.case_id,
        cases.block_id,
        block_actions.action,
        case_cells.cell_id,
    from cases
    inner join block_actions on cases.block_id = block_actions.block_id
    inner join evaluated_actions on block_actions.action = evaluated_actions.action
    inner join case_cells
        on
            cases.case_id = case_cells.case_id
            and block_actions.form_id = case_cells.form_id
    where evaluated_actions.is_known
),

open_cells as (
    select distinct cell_access.cell_id
    from cell_access
    inner join cell_verdicts on cell_access.cell_id = cell_verdicts.cell_id
    where
        cell_access.resource_pattern = '*'
        and cell_access.except_resources is null
        and is_granted(cell_verdicts.verdict)
),

answers as (
    select distinct
        case_answers.action,
        case_answers.cell_id,
    from case_answers
    semi join open_cells on case_answers.cell_id = open_cells.cell_id
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

counted_cases as (
    select
        case_answers.case_id,
        case_answers.block_id,
        count(*) filter (where judged.is_unconditional) as allowed_actions,
        count(*) filter (where not judged.is_unconditional) as conditional_actions,
    from case_answers
    inner join judged on case_answers.action = judged.action and case_answers.cell_id = judged.cell_id
    group by case_answers.case_id, case_answers.block_id
),

counted as (
    select
        profile_cases.profile_id,
        sum(counted_cases.allowed_actions)::bigint as allowed_actions,
        sum(counted_cases.conditional_actions)::bigint as conditional_actions,
    from profile_cases
    inner join counted_cases
        on
            profile_cases.case_id = counted_cases.case_id
            and profile_cases.block_id = counted_cases.block_id
    group by profile_cases.profile_id
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
