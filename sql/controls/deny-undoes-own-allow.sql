/*
id = "deny-undoes-own-allow"
title = "A Deny makes an Allow of the same policy useless"
severity = "medium"
category = "guide"
rationale = """
The policy allows actions under a condition and denies them as well, and nothing of the Allow is left: whoever wrote it meant
an exception and got none. An explicit Deny always ends it; no Allow, however exact, takes anything out of it."""
remedy = """
Write the condition of the Allow in negated form into the Deny, so that the Deny applies to everything else, or take the
actions out of the Deny."""
uncorrected = "a Deny that applies to less grants more, so whether that is meant is for people to say."
avoid = '''
[{"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*",
  "Condition": {"StringEquals": {"aws:ResourceTag/project": "a"}}},
 {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"}]'''
prefer = '''
[{"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*"},
 {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*",
  "Condition": {"StringNotEquals": {"aws:ResourceTag/project": "a"}}}]'''

[frameworks]
nist-800-53-r5 = ["AC-3"]
*/
with
denied as (
    select
        principal_arn,
        action,
        unnest(decided_by[2:]) as statement_id,
    from access_matrix
    where
        verdict = 'denied'
        and decided_by[1] = 'identity'
),

deciding as (
    select distinct
        denied.principal_arn,
        denied.action,
        denied.statement_id,
        statements.policy_id,
    from denied
    inner join statements on denied.statement_id = statements.statement_id
    where statements.effect = 'Deny'
),

conditional_allows as (
    select
        statements.statement_id,
        statements.policy_id,
        statements.sid,
        statements.statement_index,
        statement_actions.action,
    from statements
    inner join statement_actions on statements.statement_id = statement_actions.statement_id
    where
        statements.effect = 'Allow'
        and statements.condition_count > 0
),

undone as (
    select
        deciding.statement_id,
        conditional_allows.statement_id as allow_id,
        coalesce(conditional_allows.sid, 'number ' || (conditional_allows.statement_index + 1)) as allow_name,
        list(distinct deciding.action order by deciding.action) as actions,
    from deciding
    inner join conditional_allows
        on
            deciding.policy_id = conditional_allows.policy_id
            and deciding.action = conditional_allows.action
    group by all
)

select
    'statement' as subject_kind,
    statement_id,
    allow_name as aspect,
    'The Deny leaves nothing of the conditional Allow ' || allow_name || ' for ' || len(actions)
    || case len(actions) when 1 then ' action: ' else ' actions, such as ' end
    || array_to_string(actions[:3], ', ') as message,
from undone
