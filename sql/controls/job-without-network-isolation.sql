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
key = "sagemaker:NetworkIsolation"
value = "false"

[sources.administrators]
query = "full_access_principals"
*/
select
    'principal' as subject_kind,
    calls.principal_arn,
    any_value(calls.account_id) as account_id,
    told_calls('do without network isolation', list(calls.action)) as message,
    denied_calls(
        list(calls.action), '{"BoolIfExists": {"sagemaker:NetworkIsolation": "false"}}'
    ) as corrected_statement,
from calls
anti join administrators on calls.principal_arn = administrators.principal_arn
group by calls.principal_arn
