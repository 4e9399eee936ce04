/*
id = "condition-key-never-present"
title = "A condition on a key that none of the calls carries"
severity = "medium"
category = "hygiene"
rationale = """
No call that the statement is about ever carries the key. An Allow that asks for a value of it never applies; a Deny never
fires, or always does where its operator is a negated one. Keys of resource tags have a control of their own."""
remedy = """
Take the key that these calls do carry (the service authorization reference lists them by action), or the actions that
carry this one."""
uncorrected = "which key was meant, the statement does not tell, and without the condition it would grant more."
avoid = '''
{"Effect": "Deny", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"StringEquals": {"sagemaker:RootAccess": "Enabled"}}}'''
prefer = '''
{"Effect": "Deny", "Action": "sagemaker:CreateNotebookInstance", "Resource": "*",
 "Condition": {"StringEquals": {"sagemaker:RootAccess": "Enabled"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]

[sources.unavailable]
query = "unavailable_condition_keys"
*/
select
    'statement' as subject_kind,
    statement_id,
    condition_key as aspect,
    effect || ' with ' || condition_key || ', which none of its ' || actions_without_key
    || case actions_without_key when 1 then ' action' else ' actions' end || ' carries, such as '
    || actions[1] as message,
from unavailable
where
    actions_with_key = 0
    and not contains(lower(condition_key), 'resourcetag/')
