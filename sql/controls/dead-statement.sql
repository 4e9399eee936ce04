/*
id = "dead-statement"
title = "All that a statement allows is denied or blocked elsewhere"
severity = "low"
category = "hygiene"
rationale = """
Whoever has the statement, nothing of it is left: an explicit Deny, a boundary or an SCP takes every action of it away. It misleads
whoever reads the policy, and comes alive when the other one changes."""
remedy = "Take the statement out, or correct what stands against it if the access is wanted."
uncorrected = "nothing is left of it; what stands against it is in other policies, and may be meant."
avoid = '''
[{"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*"},
 {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"}]'''
prefer = '''
{"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"}'''

[frameworks]
nist-800-53-r5 = ["AC-6"]
*/
with
-- Principals of one profile lose the same actions, and statements of one set of actions the same part of them: what is
-- left is counted once for each such pair.
held as (
    select
        principal_profiles.profile_id,
        principal_statements.action_set_id,
        principal_statements.statement_id,
        count(distinct principal_statements.principal_arn) as holder_count,
    from principal_statements
    inner join statements on principal_statements.statement_id = statements.statement_id
    inner join principal_profiles on principal_statements.principal_arn = principal_profiles.principal_arn
    where
        principal_statements.layer = 'identity'
        and statements.effect = 'Allow'
    group by
        principal_profiles.profile_id,
        principal_statements.action_set_id,
        principal_statements.statement_id
),

held_sets as (
    select distinct
        profile_id,
        action_set_id,
    from held
),

set_actions as (
    select
        action_set_members.action_set_id,
        action_set_members.action,
    from action_set_members
    inner join evaluated_actions on action_set_members.action = evaluated_actions.action
),

action_counts as (
    select
        action_set_id,
        count(*) as action_count,
    from set_actions
    group by action_set_id
),

-- Held as a table: joined with what is held at once it takes fifty times as long.
lost as materialized (
    select
        profile_cells.profile_id,
        profile_cells.action,
        cell_verdicts.layer,
    from profile_cells
    inner join cell_verdicts on profile_cells.cell_id = cell_verdicts.cell_id
    where cell_verdicts.verdict in ('denied', 'blocked')
),

lost_counts as (
    select
        held_sets.profile_id,
        held_sets.action_set_id,
        count(*) as action_count,
        list(distinct lost.layer) as layers,
    from held_sets
    inner join set_actions on held_sets.action_set_id = set_actions.action_set_id
    inner join lost
        on
            held_sets.profile_id = lost.profile_id
            and set_actions.action = lost.action
    group by held_sets.profile_id, held_sets.action_set_id
),

judged as (
    select
        held.statement_id,
        any_value(action_counts.action_count) as action_count,
        sum(held.holder_count)::bigint as holder_count,
        sum(held.holder_count) filter (
            where lost_counts.action_count = action_counts.action_count
        )::bigint as holders_without,
        list_distinct(flatten(list(lost_counts.layers))) as layers,
    from held
    inner join action_counts on held.action_set_id = action_counts.action_set_id
    left join lost_counts
        on
            held.profile_id = lost_counts.profile_id
            and held.action_set_id = lost_counts.action_set_id
    group by held.statement_id
),

-- Actions that this lake does not answer for may be alive.
unanswered as (
    select distinct actions.statement_id
    from actions
    inner join statements on actions.statement_id = statements.statement_id
    left join evaluated_actions on actions.service = evaluated_actions.service
    where
        statements.action_element = 'NotAction'
        or evaluated_actions.service is null
        or (
            actions.service = 'iam'
            and lower(actions.action_pattern) != 'iam:passrole'
        )
)

select
    'statement' as subject_kind,
    judged.statement_id,
    'None of its ' || judged.action_count || case judged.action_count when 1 then ' action' else ' actions' end
    || ' is left to any of its ' || judged.holder_count
    || case judged.holder_count when 1 then ' holder' else ' holders' end || ': taken away by '
    || array_to_string(list_sort(judged.layers), ', ') as message,
from judged
anti join unanswered on judged.statement_id = unanswered.statement_id
where judged.holder_count = judged.holders_without
