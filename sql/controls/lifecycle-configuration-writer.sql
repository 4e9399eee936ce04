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

[sources.administrators]
query = "full_access_principals"
*/
with
writers as (
    select
        access_matrix.principal_arn,
        list(access_matrix.action order by access_matrix.action) as actions,
    from access_matrix
    anti join administrators on access_matrix.principal_arn = administrators.principal_arn
    where
        access_matrix.action in (
            'sagemaker:CreateNotebookInstanceLifecycleConfig',
            'sagemaker:UpdateNotebookInstanceLifecycleConfig',
            'sagemaker:CreateStudioLifecycleConfig'
        )
        and access_matrix.verdict in ('allowed', 'conditional')
    group by access_matrix.principal_arn
)

select
    'principal' as subject_kind,
    principal_arn,
    'It may call ' || array_to_string(actions, ', ') as message,
    denied_actions(actions) as corrected_statement,
from writers
