/*
id = "job-without-network-isolation"
title = "Jobs may run without network isolation"
severity = "low"
category = "grants"
rationale = """
Without network isolation the code of a container reaches whatever its network does, and so does what it was taught to bring along.
The principal may start jobs or create models without it: no condition keeps it from that."""
remedy = """
Add "Bool": {"sagemaker:NetworkIsolation": "true"} to the grants, or a Deny for "false".
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*",
 "Condition": {"Bool": {"sagemaker:NetworkIsolation": "true"}}}'''

[frameworks]
aws-fsbp = ["SageMaker.5"]
nist-800-53-r5 = ["AC-4", "SC-7"]
iso-27001-2022 = ["A.8.22"]

[sources.calls]
query = "calls_with_value"
without = "full_access_principals"
key = "sagemaker:NetworkIsolation"
value = "false"
*/
select
    'principal' as subject_kind,
    principal_arn,
    any_value(account_id) as account_id,
    told_calls('do without network isolation', list(action)) as message,
    denied_calls(
        list(action), '{"BoolIfExists": {"sagemaker:NetworkIsolation": "false"}}'
    ) as corrected_statement,
from calls
group by principal_arn
