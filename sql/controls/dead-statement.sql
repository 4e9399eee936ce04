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
-- Of loose documents there is nothing else that could take something away but what they say themselves.
allowing as (
    select distinct
        principal_statements.principal_arn,
        principal_statements.statement_id,
        statement_actions.action,
    from principal_statements
    inner join statements on principal_statements.statement_id = statements.statement_id
    inner join statement_actions on statements.statement_id = statement_actions.statement_id
    where
        principal_statements.layer = 'identity'
        and statements.effect = 'Allow'
),

judged as (
    select
        allowing.statement_id,
        count(distinct allowing.principal_arn) as holder_count,
        count(distinct allowing.action) as action_count,
        bool_and(coalesce(access_matrix.verdict, 'none') in ('denied', 'blocked')) as is_dead,
        list(distinct access_matrix.decided_by[1]) as layers,
    from allowing
    left join access_matrix
        on
            allowing.principal_arn = access_matrix.principal_arn
            and allowing.action = access_matrix.action
    group by allowing.statement_id
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
where judged.is_dead
