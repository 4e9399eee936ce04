/*
id = "pass-role-to-any-service"
title = "Roles may be passed to any service, or to all but some"
severity = "medium"
category = "guide"
rationale = """
iam:PassRole without a condition on iam:PassedToService lets the principal hand the role to every service that the role
trusts, not only to SageMaker: to a function, an instance or a container that runs its own code with it. So does a condition that
only leaves services out (StringNotEquals, or a Deny of some): all others are open, those of next year among them."""
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

# A service that no policy names: who may pass a role to it may pass it to all that no condition leaves out.
[sources.passers]
query = "role_passers"
service = "any-other-service.amazonaws.com"
without = "full_access_principals"
*/
with
open_grants as (
    select
        principal_arn,
        min(granted_by)[1] as statement_id,
        list(distinct resource_pattern order by resource_pattern) as patterns,
        is_open_to_any_service,
        min(condition) as condition,
    from passers
    -- Where some scope is open to any service, it is the one to tell.
    group by principal_arn, is_open_to_any_service
    qualify row_number() over (partition by principal_arn order by is_open_to_any_service desc) = 1
)

select
    'principal' as subject_kind,
    principal_arn,
    'iam:PassRole' as action,
    statement_id,
    'It may pass ' || first_of(patterns, 3)
    || case
        when is_open_to_any_service then ' to any service'
        else ' to services that no condition names: ' || condition
    end as message,
    case
        -- Which services are meant, a condition that leaves some out does not tell.
        when is_open_to_any_service
            then json_object(
                'only_actions', ['iam:PassRole'],
                'add_condition',
                json_object('StringEquals', json_object('iam:PassedToService', 'sagemaker.amazonaws.com'))
            )::varchar
    end as correction,
from open_grants
