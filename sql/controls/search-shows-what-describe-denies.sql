/*
id = "search-shows-what-describe-denies"
title = "Describe is denied and Search is allowed"
severity = "medium"
category = "guide"
rationale = """
Search returns the same records as the Describe calls, for every resource of a type, and knows no tags of resources: what a
Deny of Describe hides, by tag or altogether, Search shows."""
remedy = """
Deny sagemaker:Search as well, or limit it with sagemaker:SearchVisibilityCondition.
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
[{"Effect": "Allow", "Action": ["sagemaker:Search", "sagemaker:Describe*"], "Resource": "*"},
 {"Effect": "Deny", "Action": "sagemaker:DescribeTrainingJob", "Resource": "*",
  "Condition": {"StringEquals": {"aws:ResourceTag/project": "b"}}}]'''
prefer = '''
[{"Effect": "Allow", "Action": "sagemaker:Describe*", "Resource": "*"},
 {"Effect": "Deny", "Action": ["sagemaker:DescribeTrainingJob"], "Resource": "*",
  "Condition": {"StringEquals": {"aws:ResourceTag/project": "b"}}},
 {"Effect": "Deny", "Action": "sagemaker:Search", "Resource": "*"}]'''

[frameworks]
nist-800-53-r5 = ["AC-3"]
iso-27001-2022 = ["A.8.3"]

[parameters.actions]
description = "Describe calls of what Search finds"
default = [
    "sagemaker:DescribeTrainingJob", "sagemaker:DescribeProcessingJob", "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeModelPackage", "sagemaker:DescribeModelPackageGroup", "sagemaker:DescribeModelCard",
    "sagemaker:DescribePipeline", "sagemaker:DescribePipelineExecution", "sagemaker:DescribeFeatureGroup",
    "sagemaker:DescribeProject", "sagemaker:DescribeExperiment", "sagemaker:DescribeTrial",
    "sagemaker:DescribeTrialComponent", "sagemaker:DescribeTransformJob", "sagemaker:DescribeHyperParameterTuningJob",
]
*/
with
searchers as (
    select distinct access.principal_arn
    from access
    left join residual_conditions on access.condition_id = residual_conditions.condition_id
    where
        access.action = 'sagemaker:Search'
        and is_granted(access.action_verdict)
        and len(
            list_filter(
                coalesce(residual_conditions.condition_keys, []),
                lambda key: starts_with(lower(key), 'sagemaker:searchvisibilitycondition')
            )
        ) = 0
),

by_tags as (
    select condition_id
    from residual_conditions
    where len(list_filter(condition_keys, lambda key: contains(lower(key), 'resourcetag/'))) > 0
),

denials as (
    select
        statements.statement_id,
        statement_actions.action,
    from statements
    inner join statement_actions on statements.statement_id = statement_actions.statement_id
    where
        statements.effect = 'Deny'
        and list_contains($actions, statement_actions.action)
),

-- A Deny takes all of it, or what has some tag.
hidden as (
    select
        access_matrix.principal_arn,
        access_matrix.action,
    from access_matrix
    where
        access_matrix.verdict = 'denied'
        and list_contains($actions, access_matrix.action)
    union
    select
        access.principal_arn,
        access.action,
    from access
    semi join by_tags on access.condition_id = by_tags.condition_id
    inner join denials
        on
            access.action = denials.action
            and list_contains(access.limited_by, denials.statement_id)
    where list_contains($actions, access.action)
)

select
    'principal' as subject_kind,
    hidden.principal_arn,
    'sagemaker:Search shows what a Deny hides of '
    || case when count(distinct hidden.action) > 3 then count(distinct hidden.action) || ' actions, such as '
    else '' end
    || array_to_string(list(distinct hidden.action order by hidden.action)[:3], ', ') as message,
    denied_actions(['sagemaker:Search']) as corrected_statement,
from hidden
semi join searchers on hidden.principal_arn = searchers.principal_arn
group by hidden.principal_arn
