/*
id = "job-without-vpc"
title = "Jobs and notebooks may run outside of a VPC"
severity = "low"
category = "grants"
rationale = """
Outside of a VPC of one's own neither security groups nor endpoint policies nor flow logs apply. The principal may make such
calls without subnets: no condition keeps it from that."""
remedy = """
Add "Null": {"sagemaker:VpcSubnets": "false"} to the grants, or name the subnets; ForAllValues alone is true of none.
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*",
 "Condition": {"ForAllValues:StringEquals": {"sagemaker:VpcSubnets": ["subnet-0123"]},
               "Null": {"sagemaker:VpcSubnets": "false"}}}'''

[frameworks]
aws-fsbp = ["SageMaker.2"]
nist-800-53-r5 = ["AC-4", "SC-7"]
iso-27001-2022 = ["A.8.22"]

[sources.calls]
query = "calls_with_value"
without = "full_access_principals"
key = "sagemaker:VpcSubnets"
value = ""
*/
select
    'principal' as subject_kind,
    principal_arn,
    any_value(account_id) as account_id,
    told_calls('do without subnets', list(action)) as message,
    denied_calls(list(action), '{"Null": {"sagemaker:VpcSubnets": "true"}}') as corrected_statement,
from calls
group by principal_arn
