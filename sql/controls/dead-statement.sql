/*
id = "dead-statement"
title = "All that a statement allows is denied or blocked elsewhere"
severity = "low"
category = "hygiene"
rationale = """
Whoever has the statement, nothing of it is left: an explicit Deny, a boundary or an SCP takes every action of it away. It misleads
whoever reads the policy, and comes alive when the other one changes."""
remedy = "Take the statement out, or correct what stands against it if the access is wanted."
avoid = '''
[{"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*"},
 {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"}]'''
prefer = '''
{"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"}'''

[frameworks]
nist-800-53-r5 = ["AC-6"]
*/
with
held as (
    select distinct
        principal_statements.principal_arn,
        principal_statements.statement_id,
    from principal_statements
    inner join statements on principal_statements.statement_id = statements.statement_id
    where
        principal_statements.layer = 'identity'
        and statements.effect = 'Allow'
),

lost as (
    select
        principal_arn,
        action,
        decided_by[1] as layer,
    from access_matrix
    where verdict in ('denied', 'blocked')
),

lost_counts as (
    select
        held.principal_arn,
        held.statement_id,
        count(*) as action_count,
        list(distinct lost.layer) as layers,
    from held
    inner join lost on held.principal_arn = lost.principal_arn
    inner join statement_actions
        on
            held.statement_id = statement_actions.statement_id
            and lost.action = statement_actions.action
    group by held.principal_arn, held.statement_id
),

action_counts as (
    select
        statement_id,
        count(*) as action_count,
    from statement_actions
    group by statement_id
),

judged as (
    select
        held.statement_id,
        any_value(action_counts.action_count) as action_count,
        count(*) as holder_count,
        count(*) filter (where lost_counts.action_count = action_counts.action_count) as holders_without,
        list_distinct(flatten(list(lost_counts.layers))) as layers,
    from held
    inner join action_counts on held.statement_id = action_counts.statement_id
    left join lost_counts
        on
            held.principal_arn = lost_counts.principal_arn
            and held.statement_id = lost_counts.statement_id
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
