/*
id = "tags-changeable-by-holder"
title = "Who is limited by tags may change them"
severity = "high"
category = "guide"
rationale = """
Access depends on the tags of resources, and the same principal may add or delete tags without a condition on tags: it can
give any resource the tag that opens it, or take away the one that protects it. A Deny of sagemaker:CreateTags does not help:
there is no such action. What a Deny, a boundary or an SCP takes away is no finding."""
remedy = """
Deny sagemaker:AddTags and sagemaker:DeleteTags to those whose access depends on tags, or allow them only for tags that open
nothing: with aws:TagKeys and ForAllValues beside a Null condition.
The corrected statement of a finding is a Deny to add to the policies of the principal: it holds whatever grants the calls."""
avoid = '''
[{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*",
  "Condition": {"StringEquals": {"aws:ResourceTag/project": "a"}}},
 {"Effect": "Allow", "Action": "sagemaker:AddTags", "Resource": "*"}]'''
prefer = '''
[{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*",
  "Condition": {"StringEquals": {"aws:ResourceTag/project": "a"}}},
 {"Effect": "Deny", "Action": ["sagemaker:AddTags", "sagemaker:DeleteTags"], "Resource": "*"}]'''

[frameworks]
nist-800-53-r5 = ["AC-3", "AC-16"]
soc2-2017 = ["CC6.1"]
iso-27001-2022 = ["A.8.3"]
*/
with
changing as (
    select
        principal_arn,
        action,
        resource_type,
        condition_id,
    from access
    where
        action in ('sagemaker:AddTags', 'sagemaker:DeleteTags')
        and action_verdict in ('allowed', 'conditional')
),

by_tags as (
    select condition_id
    from residual_conditions
    where len(list_filter(condition_keys, lambda key: contains(lower(key), 'resourcetag/'))) > 0
),

about_tags as (
    select condition_id
    from residual_conditions
    where
        len(
            list_filter(
                condition_keys,
                lambda key: contains(lower(key), 'requesttag/') or lower(key) = 'aws:tagkeys'
            )
        ) > 0
),

limited as (
    select distinct
        access.principal_arn,
        access.action,
        access.resource_type,
    from access
    semi join by_tags on access.condition_id = by_tags.condition_id
    where access.action_verdict in ('allowed', 'conditional')
),

changers as (
    select distinct
        changing.principal_arn,
        changing.action,
        changing.resource_type,
    from changing
    anti join by_tags on changing.condition_id = by_tags.condition_id
    anti join about_tags on changing.condition_id = about_tags.condition_id
)

select
    'principal' as subject_kind,
    changers.principal_arn,
    changers.action,
    'The tags of resources limit ' || count(distinct limited.action) || ' of its actions, and it may '
    || changers.action as message,
    denied_actions([changers.action]) as corrected_statement,
from changers
inner join limited
    on
        changers.principal_arn = limited.principal_arn
        and changers.resource_type = limited.resource_type
group by changers.principal_arn, changers.action
