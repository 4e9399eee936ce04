/*
id = "notebook-with-root-access"
title = "Notebook instances may have root access"
severity = "medium"
category = "grants"
rationale = """
Who has root on a notebook instance can change what protects it: agents, lifecycle scripts, network settings. The principal may
create or update one with root access: no condition keeps it from that."""
remedy = """
Add "StringEquals": {"sagemaker:RootAccess": "Disabled"} to the grants, or a Deny for "Enabled".
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateNotebookInstance", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateNotebookInstance", "Resource": "*",
 "Condition": {"StringEquals": {"sagemaker:RootAccess": "Disabled"}}}'''

[frameworks]
aws-fsbp = ["SageMaker.3"]
nist-800-53-r5 = ["AC-6", "CM-7"]

[sources.calls]
query = "calls_with_value"
without = "full_access_principals"
key = "sagemaker:RootAccess"
value = "Enabled"
*/
select
    'principal' as subject_kind,
    principal_arn,
    any_value(account_id) as account_id,
    told_calls('give root access', list(action)) as message,
    denied_calls(
        list(action), '{"StringNotEquals": {"sagemaker:RootAccess": "Disabled"}}'
    ) as corrected_statement,
from calls
group by principal_arn
