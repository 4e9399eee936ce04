/*
id = "notebook-with-direct-internet"
title = "Notebook instances may have direct internet access"
severity = "high"
category = "grants"
rationale = """
A notebook instance with direct internet access reaches the internet past the VPC, its firewalls and its logs: data leaves, and
code comes in. The principal may create one: no condition keeps it from that."""
remedy = """
Add "StringEquals": {"sagemaker:DirectInternetAccess": "Disabled"} to the grants, or a Deny for "Enabled".
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateNotebookInstance", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateNotebookInstance", "Resource": "*",
 "Condition": {"StringEquals": {"sagemaker:DirectInternetAccess": "Disabled"}}}'''

[frameworks]
aws-fsbp = ["SageMaker.1"]
nist-800-53-r5 = ["AC-4", "SC-7"]
iso-27001-2022 = ["A.8.22"]

[sources.calls]
query = "calls_with_value"
without = "full_access_principals"
key = "sagemaker:DirectInternetAccess"
value = "Enabled"
*/
select
    'principal' as subject_kind,
    principal_arn,
    any_value(account_id) as account_id,
    told_calls('give direct internet access', list(action)) as message,
    denied_calls(
        list(action), '{"StringNotEquals": {"sagemaker:DirectInternetAccess": "Disabled"}}'
    ) as corrected_statement,
from calls
group by principal_arn
