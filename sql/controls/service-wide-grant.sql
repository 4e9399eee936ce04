/*
id = "service-wide-grant"
title = "A whole service, or everything, is allowed on every resource"
severity = "high"
category = "grants"
rationale = """
The statement allows all actions of a service on every resource, whatever the request says. What it grants grows with each
action that AWS adds. Statements whose access a boundary, an SCP or a Deny takes away altogether are not found."""
remedy = "Name the actions and the resources that the work needs, or limit the holders by a boundary or an SCP."
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob"],
 "Resource": "arn:aws:sagemaker:*:*:training-job/churn-*"}'''

[frameworks]
aws-fsbp = ["IAM.1", "IAM.21"]
cis-aws-3 = ["1.16"]
nist-800-53-r5 = ["AC-6"]
pci-dss-4 = ["7.2.2"]
soc2-2017 = ["CC6.3"]
*/
with
-- A star, or an ARN of stars: of every service, or of one.
wide as (
    select
        statement_id,
        nullif(regexp_extract(lower(resource_pattern), '^arn:(\*+|aws[a-z-]*):([a-z0-9-]+):', 2), '') as only_service,
    from resources
    where
        regexp_full_match(lower(resource_pattern), '\*+|arn:(\*+|aws[a-z-]*):\*+(:\*+)*|arn:\*+')
        or regexp_full_match(
            lower(resource_pattern),
            'arn:(\*+|aws[a-z-]*):[a-z0-9-]+:(\*+|\*+:\*+|\**:(\*+|[0-9]{12})?:\*+)'
        )
),

whole_services as (
    select distinct
        statements.statement_id,
        actions.action_pattern,
    from statements
    inner join wide on statements.statement_id = wide.statement_id
    inner join actions on statements.statement_id = actions.statement_id
    where
        statements.effect = 'Allow'
        and statements.condition_count = 0
        and statements.action_element = 'Action'
        and statements.resource_element = 'Resource'
        and (wide.only_service is null or wide.only_service = actions.service)
        -- A few question marks leave no action out: none has so short a name.
        and regexp_full_match(actions.action_pattern, '(\*+|[a-zA-Z0-9-]+):?\?{0,3}\*+\?{0,3}|\*+')
),

granting as (
    select distinct statement_grants.statement_id
    from statement_grants
    semi join whole_services on statement_grants.statement_id = whole_services.statement_id
    where statement_grants.verdict = 'allowed'
)

select
    'statement' as subject_kind,
    whole_services.statement_id,
    whole_services.action_pattern as action,
    whole_services.action_pattern || ' is allowed on every resource, without a condition' as message,
from whole_services
inner join granting on whole_services.statement_id = granting.statement_id
