/*
id = "pass-role-on-every-role"
title = "iam:PassRole on every role"
severity = "high"
category = "grants"
rationale = """
The principal may pass any role of the account to a service, administrators' roles among them if they trust it: a training job
or a notebook with such a role does whatever the role may. Which services is a matter of another control."""
remedy = "Name the execution roles in Resource: a path or a prefix for them, such as role/sagemaker/*."
uncorrected = "which of the account's roles are execution roles, no policy tells."
avoid = '''
{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/sagemaker/*",
 "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-6"]
iso-27001-2022 = ["A.8.2"]
soc2-2017 = ["CC6.3"]
pci-dss-4 = ["7.2.2"]

[sources.administrators]
query = "full_access_principals"
*/
with
open_grants as (
    select
        access.principal_arn,
        any_value(access.resource_pattern order by access.resource_pattern) as resource_pattern,
        min(access.granted_by)[1] as statement_id,
        bool_and(access.except_resources is not null) as has_exceptions,
    from access
    anti join administrators on access.principal_arn = administrators.principal_arn
    where
        access.action = 'iam:PassRole'
        and is_granted(access.action_verdict)
        -- A role whose name is longer than any name can be is matched by what matches every role.
        and (
            'arn:' || split_part(access.principal_arn, ':', 2) || ':iam::' || access.account_id || ':role/'
            || repeat(chr(1), 600)
        ) like like_of(access.resource_pattern) escape '\'
    group by access.principal_arn
)

select
    'principal' as subject_kind,
    principal_arn,
    'iam:PassRole' as action,
    statement_id,
    'It may pass every role: ' || resource_pattern
    || case when has_exceptions then ', but for some that are taken out' else '' end as message,
from open_grants
