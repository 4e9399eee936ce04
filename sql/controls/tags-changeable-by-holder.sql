/*
id = "tags-changeable-by-holder"
title = "Who is limited by tags may change them"
severity = "high"
category = "guide"
rationale = """
Access depends on the tags of resources, and the same principal may add or delete tags without a condition on tags: it can
give any resource the tag that opens it, or take away the one that protects it. A Deny of sagemaker:CreateTags does not help:
there is no such action. What a Deny, a boundary or an SCP takes away is no finding.
It counts which tag it is about: where access depends on the tag team, a condition on the tag cost keeps nobody from changing team,
and one that asks for the value of team in the request lets its holder give that value to any resource. Tags that only come with a
creation (sagemaker:TaggingAction) change no resource that is there. Conditions find a tag in any case of letters: a Deny of
aws:TagKeys by StringEquals and team leaves Team."""
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

[sources.tag_requests]
query = "tag_requests"
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
        and is_granted(action_verdict)
),

keys as (
    select
        condition_id,
        lower(unnest(condition_keys)) as condition_key,
    from residual_conditions
),

by_tags as (
    select distinct
        condition_id,
        substr(condition_key, instr(condition_key, '/') + 1) as tag_key,
    from keys
    where contains(condition_key, 'resourcetag/')
),

limited as (
    select distinct
        access.principal_arn,
        access.action,
        access.resource_type,
        by_tags.tag_key,
    from access
    inner join by_tags on access.condition_id = by_tags.condition_id
    where is_granted(access.action_verdict)
),

-- Whose conditions keep them from the tag that access depends on: they ask the resource for it, or no request names it.
kept_from as (
    select
        condition_id,
        tag_key,
    from by_tags
    union
    select
        condition_id,
        tag_key,
    from tag_requests
    where not can_name
)

select
    'principal' as subject_kind,
    changing.principal_arn,
    changing.action,
    'The tags of resources limit ' || count(distinct limited.action) || ' of its actions, and it may call '
    || changing.action as message,
    denied_actions([changing.action]) as corrected_statement,
from changing
inner join limited
    on
        changing.principal_arn = limited.principal_arn
        and changing.resource_type = limited.resource_type
anti join kept_from
    on
        changing.condition_id = kept_from.condition_id
        and limited.tag_key = kept_from.tag_key
group by changing.principal_arn, changing.action
