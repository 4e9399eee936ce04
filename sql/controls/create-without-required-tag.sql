/*
id = "create-without-required-tag"
title = "Resources may be created without the tag that access depends on"
severity = "medium"
category = "guide"
rationale = """
Access depends on tags, and the same principal may create resources without one: no condition on a request tag stands in its
way. What is created so belongs to no team, and whoever is limited by tags either cannot reach it or all can."""
remedy = """
Add a condition on aws:RequestTag for the key that access depends on to every statement that lets create, or a Deny with
"Null": {"aws:RequestTag/project": "true"} for all create actions that take tags."""
avoid = '''
[{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*"},
 {"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*",
  "Condition": {"StringEquals": {"aws:ResourceTag/project": "a"}}}]'''
prefer = '''
[{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
  "Condition": {"StringEquals": {"aws:RequestTag/project": "a"}}},
 {"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*",
  "Condition": {"StringEquals": {"aws:ResourceTag/project": "a"}}}]'''

[frameworks]
nist-800-53-r5 = ["AC-16", "CM-8"]
iso-27001-2022 = ["A.5.9"]
*/
with
keys as (
    select
        condition_id,
        lower(unnest(condition_keys)) as condition_key,
    from residual_conditions
),

of_tags as (
    select distinct condition_id
    from keys
    where contains(condition_key, 'resourcetag/') or contains(condition_key, 'requesttag/')
),

of_request_tags as (
    select distinct condition_id
    from keys
    where contains(condition_key, 'requesttag/') or condition_key = 'aws:tagkeys'
),

limited as (
    select distinct access.principal_arn
    from access
    semi join of_tags on access.condition_id = of_tags.condition_id
    where access.action_verdict in ('allowed', 'conditional')
),

-- The tag that limits a principal, where it is one alone.
limiting_tags as (
    select
        access.principal_arn,
        any_value(split_part(keys.condition_key, '/', 2)) as tag_key,
    from access
    inner join keys on access.condition_id = keys.condition_id
    semi join limited on access.principal_arn = limited.principal_arn
    where
        access.action_verdict in ('allowed', 'conditional')
        and (contains(keys.condition_key, 'resourcetag/') or contains(keys.condition_key, 'requesttag/'))
    group by access.principal_arn
    having count(distinct split_part(keys.condition_key, '/', 2)) = 1
),

-- Only calls that can carry tags can be asked for them.
creating as (
    select action
    from reference_actions
    where
        regexp_matches(action, ':Create')
        and len(list_filter(condition_keys, lambda key: starts_with(lower(key), 'aws:requesttag/'))) > 0
),

open_rows as (
    select distinct
        access.principal_arn,
        access.action,
        access.granted_by,
    from access
    semi join limited on access.principal_arn = limited.principal_arn
    semi join creating on access.action = creating.action
    anti join of_request_tags on access.condition_id = of_request_tags.condition_id
    where access.action_verdict in ('allowed', 'conditional')
),

-- An action that a condition on request tags limits for one of its resource types is limited.
tagged as (
    select distinct
        access.principal_arn,
        access.action,
    from access
    semi join of_request_tags on access.condition_id = of_request_tags.condition_id
),

untagged as (
    select open_rows.*
    from open_rows
    anti join tagged
        on
            open_rows.principal_arn = tagged.principal_arn
            and open_rows.action = tagged.action
)

select
    'principal' as subject_kind,
    untagged.principal_arn,
    'It may create without a tag in the request: ' || count(distinct untagged.action)
    || case count(distinct untagged.action) when 1 then ' action, ' else ' actions, such as ' end
    || array_to_string(list(distinct untagged.action order by untagged.action)[:3], ', ') as message,
    case
        when
            count(distinct untagged.granted_by) = 1
            and len(min(untagged.granted_by)) = 1
            and min(limiting_tags.tag_key) is not null
            then json_object(
                'statement',
                min(untagged.granted_by)[1],
                'only_actions',
                list(distinct untagged.action order by untagged.action),
                'add_condition',
                json_object('Null', json_object('aws:RequestTag/' || min(limiting_tags.tag_key), 'false'))
            )::varchar
    end as correction,
from untagged
left join limiting_tags on untagged.principal_arn = limiting_tags.principal_arn
group by untagged.principal_arn
