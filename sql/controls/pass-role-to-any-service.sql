/*
id = "pass-role-to-any-service"
title = "Roles may be passed to any service"
severity = "medium"
category = "guide"
rationale = """
iam:PassRole without a condition on iam:PassedToService lets the principal hand the role to every service that the role
trusts, not only to SageMaker: to a function, an instance or a container that runs its own code with it."""
remedy = """
Add "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"} to the statement, and name the roles."""
avoid = '''
{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/sagemaker-*"}'''
prefer = '''
{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/sagemaker-*",
 "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-6"]
iso-27001-2022 = ["A.8.2"]
soc2-2017 = ["CC6.3"]

[sources.passers]
query = "role_passers"
without = "full_access_principals"
*/
with
open_grants as (
    select
        principal_arn,
        min(granted_by)[1] as statement_id,
        list(distinct resource_pattern order by resource_pattern) as patterns,
    from passers
    where is_open_to_any_service
    group by principal_arn
)

select
    'principal' as subject_kind,
    principal_arn,
    'iam:PassRole' as action,
    statement_id,
    'It may pass ' || array_to_string(patterns[:3], ', ') || ' to any service' as message,
    json_object(
        'only_actions', ['iam:PassRole'],
        'add_condition', json_object('StringEquals', json_object('iam:PassedToService', 'sagemaker.amazonaws.com'))
    )::varchar as correction,
from open_grants
