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
uncorrected = "which actions and resources the work needs, no policy tells."
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

[sources.unconditional]
query = "unconditional_statements"
*/
with
-- A star, or an ARN of stars: of every service, or of one.
wide as (
    select
        statement_id,
        nullif(regexp_extract(lower(resource_pattern), '^arn:(\*+|aws[a-z-]*):([a-z0-9-]+):', 2), '') as only_service,
    from resources
    where
        is_every_resource(resource_pattern)
        or regexp_full_match(
            lower(resource_pattern),
            'arn:(\*+|aws[a-z-]*):[a-z0-9-]+:(\*+|\*+:\*+|\**:(\*+|[0-9]{12})?:\*+)'
        )
),

whole_services as (
    select distinct
        unconditional.statement_id,
        unconditional.condition_count,
        actions.action_pattern,
    from unconditional
    inner join wide on unconditional.statement_id = wide.statement_id
    inner join actions on unconditional.statement_id = actions.statement_id
    where
        unconditional.effect = 'Allow'
        and unconditional.action_element = 'Action'
        and unconditional.resource_element = 'Resource'
        and (wide.only_service is null or wide.only_service = actions.service)
        -- A few question marks leave no action out: none has so short a name.
        and regexp_full_match(actions.action_pattern, '(\*+|[a-zA-Z0-9-]+):?\?{0,3}\*+\?{0,3}|\*+')
),

-- By pattern, of which there are few, and not by statement.
known as (
    select
        patterns.action_pattern,
        evaluated_actions.action,
    from (select distinct action_pattern from whole_services) as patterns
    inner join evaluated_actions
        on
            regexp_full_match(patterns.action_pattern, '\*+')
            or lower(evaluated_actions.action) glob glob_of(patterns.action_pattern)
    where evaluated_actions.is_known
),

known_counts as (
    select
        action_pattern,
        count(*) as action_count,
    from known
    group by action_pattern
),

-- Step by step as tables, and by blocks of actions: what statement_grants says of each action is a thousand times as
-- much. A cell that a statement grants, whatever the request is, counts for the known actions of the case's block.
known_in_blocks as materialized (
    select
        known.action_pattern,
        block_actions.block_id,
        block_actions.form_id,
        count(*) as action_count,
    from block_actions
    inner join known on block_actions.action = known.action
    group by known.action_pattern, block_actions.block_id, block_actions.form_id
),

held as materialized (
    select
        granting_statements.profile_id,
        granting_statements.statement_id,
        granting_statements.reason_number,
        whole_services.action_pattern,
    from granting_statements
    inner join whole_services on granting_statements.statement_id = whole_services.statement_id
),

granting_cells as materialized (
    select
        cell_grants.cell_id,
        cell_grants.reason_number,
    from cell_grants
    semi join held on cell_grants.reason_number = held.reason_number
    where cell_grants.verdict = 'allowed'
),

granting_cases as materialized (
    select
        case_cells.case_id,
        case_cells.form_id,
        granting_cells.reason_number,
    from case_cells
    inner join granting_cells on case_cells.cell_id = granting_cells.cell_id
),

of_profiles as materialized (
    select
        profile_cases.profile_id,
        profile_cases.block_id,
        granting_cases.form_id,
        granting_cases.reason_number,
    from profile_cases
    inner join granting_cases on profile_cases.case_id = granting_cases.case_id
),

left_over as (
    select
        held.statement_id,
        held.action_pattern,
        held.profile_id,
        sum(known_in_blocks.action_count) as action_count,
    from of_profiles
    inner join held
        on
            of_profiles.profile_id = held.profile_id
            and of_profiles.reason_number = held.reason_number
    inner join known_in_blocks
        on
            of_profiles.block_id = known_in_blocks.block_id
            and of_profiles.form_id = known_in_blocks.form_id
            and held.action_pattern = known_in_blocks.action_pattern
    group by held.statement_id, held.action_pattern, held.profile_id
),

granting as (
    select distinct
        left_over.statement_id,
        left_over.action_pattern,
    from left_over
    inner join known_counts on left_over.action_pattern = known_counts.action_pattern
    where 100 * left_over.action_count >= $percent * known_counts.action_count
)

select
    'statement' as subject_kind,
    whole_services.statement_id,
    whole_services.action_pattern as action,
    whole_services.action_pattern || ' is allowed on every resource, without a condition'
    || case when whole_services.condition_count > 0 then ' that does anything' else '' end as message,
from whole_services
inner join granting
    on
        whole_services.statement_id = granting.statement_id
        and whole_services.action_pattern = granting.action_pattern
