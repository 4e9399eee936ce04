/*
id = "lifecycle-configuration-writer"
title = "Lifecycle configurations may be written"
severity = "medium"
category = "grants"
rationale = """
A lifecycle configuration is a script that runs as root, or as the user of the app, whenever a notebook instance or a Studio app
that has it starts, with that one's execution role. Who writes one runs code with other people's rights."""
remedy = """
Let an administrator's role alone write lifecycle configurations, and name those that others may use in conditions on them.
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:*LifecycleConfig", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateNotebookInstance", "Resource": "*", "Condition": {"ForAllValues:ArnEquals":
  {"sagemaker:NotebookInstanceLifecycleConfigArns":
   "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance-lifecycle-config/approved"},
 "Null": {"sagemaker:NotebookInstanceLifecycleConfigArns": "false"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-6", "CM-5"]
iso-27001-2022 = ["A.8.2"]

[sources.creators]
query = "action_callers"
without = "full_access_principals"
action = "sagemaker:Create*LifecycleConfig"

[sources.updaters]
query = "action_callers"
without = "full_access_principals"
action = "sagemaker:Update*LifecycleConfig"
*/
with
writers as (
    select * from creators
    union all
    select * from updaters
)

select
    'principal' as subject_kind,
    principal_arn,
    told_calls('write lifecycle configurations', list(action)) as message,
    denied_actions(list(action)) as corrected_statement,
from writers
group by principal_arn
