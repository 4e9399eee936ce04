/*
id = "service-wide-grant"
title = "A whole service, or everything, is allowed on every resource"
severity = "high"
category = "grants"
rationale = """
The statement allows all actions of a service on every resource, whatever the request says: without a condition, or with
conditions that every request meets. What it grants grows with each action that AWS adds. Statements of which a boundary, an
SCP or a Deny leaves every holder less than half of the known actions are not found, nor those that these make conditional."""
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

[parameters.percent]
description = "Least share of the known actions of the pattern that some holder is left with, from 0 to 100"
default = 50

[sources.idle]
query = "idle_conditions"
*/
with
idle_counts as (
    select
        statement_id,
        count(*) as idle_count,
    from idle
    where reason = 'always true'
    group by statement_id
),

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
    left join idle_counts on statements.statement_id = idle_counts.statement_id
    where
        statements.effect = 'Allow'
        and statements.condition_count = coalesce(idle_counts.idle_count, 0)
        and statements.action_element = 'Action'
        and statements.resource_element = 'Resource'
        and (wide.only_service is null or wide.only_service = actions.service)
        -- A few question marks leave no action out: none has so short a name.
        and regexp_full_match(actions.action_pattern, '(\*+|[a-zA-Z0-9-]+):?\?{0,3}\*+\?{0,3}|\*+')
),

known as (
    select
        whole_services.statement_id,
        whole_services.action_pattern,
        evaluated_actions.action,
    from whole_services
    inner join evaluated_actions
        on
            regexp_full_match(whole_services.action_pattern, '\*+')
            or lower(evaluated_actions.action) glob glob_of(whole_services.action_pattern)
    where evaluated_actions.is_known
),

left_over as (
    select
        known.statement_id,
        known.action_pattern,
        statement_grants.principal_arn,
        count(*) as action_count,
    from known
    inner join statement_grants
        on
            known.statement_id = statement_grants.statement_id
            and known.action = statement_grants.action
    where statement_grants.verdict = 'allowed'
    group by known.statement_id, known.action_pattern, statement_grants.principal_arn
),

known_counts as (
    select
        statement_id,
        action_pattern,
        count(*) as action_count,
    from known
    group by statement_id, action_pattern
),

granting as (
    select distinct
        left_over.statement_id,
        left_over.action_pattern,
    from left_over
    inner join known_counts
        on
            left_over.statement_id = known_counts.statement_id
            and left_over.action_pattern = known_counts.action_pattern
    where 100 * left_over.action_count >= $percent * known_counts.action_count
)

select
    'statement' as subject_kind,
    whole_services.statement_id,
    whole_services.action_pattern as action,
    whole_services.action_pattern || ' is allowed on every resource, without a condition'
    || case when statements.condition_count > 0 then ' that does anything' else '' end as message,
from whole_services
inner join granting
    on
        whole_services.statement_id = granting.statement_id
        and whole_services.action_pattern = granting.action_pattern
inner join statements on whole_services.statement_id = statements.statement_id
