/*
id = "volume-without-own-key"
title = "Volumes of jobs may be without a key of one's own"
severity = "low"
category = "grants"
rationale = """
Without a key of one's own in AWS KMS nobody can take the data of a volume out of reach, nor see who decrypted it. The principal
may make such calls without a volume key: no condition keeps it from that."""
remedy = """
Add "Null": {"sagemaker:VolumeKmsKeyArn": "false"} to the grants, or name the keys with ArnEquals.
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*",
 "Condition": {"ArnEquals": {"sagemaker:VolumeKmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/0123"}}}'''

[frameworks]
nist-800-53-r5 = ["SC-28"]
iso-27001-2022 = ["A.8.24"]
soc2-2017 = ["CC6.1"]

[sources.calls]
query = "calls_with_value"
without = "full_access_principals"
key = "sagemaker:VolumeKmsKeyArn"
value = ""
*/
select
    'principal' as subject_kind,
    principal_arn,
    any_value(account_id) as account_id,
    told_calls('do without a volume key', list(action)) as message,
    denied_calls(list(action), '{"Null": {"sagemaker:VolumeKmsKeyArn": "true"}}') as corrected_statement,
from calls
group by principal_arn
