/*
id = "execution-role-with-full-access"
title = "An execution role has the rights of an administrator"
severity = "critical"
category = "grants"
rationale = """
Every job, notebook and endpoint that runs with the role may do everything, whoever wrote its code, and so may everyone who can
pass the role or open such a notebook."""
remedy = """
Give each execution role what its jobs read and write: some buckets, some keys, some log groups, and few SageMaker actions."""
uncorrected = "what its jobs need, no policy tells."
avoid = "AdministratorAccess on a role that trusts sagemaker.amazonaws.com."
prefer = '''
[{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::churn-data/*"},
 {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
  "Resource": "arn:aws:logs:*:*:log-group:/aws/sagemaker/*"}]'''

[frameworks]
nist-800-53-r5 = ["AC-6"]
iso-27001-2022 = ["A.8.2"]
soc2-2017 = ["CC6.3"]
pci-dss-4 = ["7.2.2"]

[sources.service_trusts]
query = "service_roles"

[sources.administrators]
query = "full_access_principals"
*/
select
    'role' as subject_kind,
    service_trusts.principal_arn,
    service_trusts.account_id,
    'SageMaker may assume it, and it may call '
    || (administrators.allowed_actions + administrators.conditional_actions) || ' of '
    || administrators.known_actions || ' known actions on every resource' as message,
from service_trusts
inner join administrators on service_trusts.principal_arn = administrators.principal_arn
