/*
id = "unknown-action"
title = "An action does not exist"
severity = "medium"
category = "hygiene"
rationale = """
The service reference knows no action of this name: it is misspelt, retired, or newer than the reference. An Allow gives
nothing, and a Deny protects nothing."""
remedy = """
Use the name of the action that the API authorizes. Tags are set with sagemaker:AddTags and taken away with
sagemaker:DeleteTags; sagemaker:CreateTags never existed."""
avoid = '''
{"Effect": "Deny", "Action": ["sagemaker:CreateTags", "sagemaker:DeleteTags"], "Resource": "*"}'''
prefer = '''
{"Effect": "Deny", "Action": ["sagemaker:AddTags", "sagemaker:DeleteTags"], "Resource": "*"}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]

[sources.unknown]
query = "unknown_actions"
*/
select
    'statement' as subject_kind,
    statements.statement_id,
    actions.action_pattern as action,
    statements.effect || ' of ' || actions.action_pattern || ', which is no action: it '
    || case statements.effect when 'Allow' then 'grants nothing' else 'protects nothing' end as message,
from actions
inner join statements on actions.statement_id = statements.statement_id
semi join unknown
    on
        actions.action_pattern = unknown.action_pattern
        and statements.policy_id = unknown.policy_id
where actions.matched_action_count = 0
