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

granting_cells as (
    select
        cell_access.cell_id,
        bool_or(of_tags.condition_id is not null) as is_by_tags,
        bool_or(of_request_tags.condition_id is not null) as is_by_request_tags,
    from cell_access
    inner join cell_verdicts on cell_access.cell_id = cell_verdicts.cell_id
    left join of_tags on cell_access.condition_id = of_tags.condition_id
    left join of_request_tags on cell_access.condition_id = of_request_tags.condition_id
    where cell_verdicts.verdict in ('allowed', 'conditional')
    group by cell_access.cell_id
),

-- By profile: it says nothing of one principal that does not hold for all of its profile.
limited as (
    select distinct profile_cells.profile_id
    from profile_cells
    inner join granting_cells on profile_cells.cell_id = granting_cells.cell_id
    semi join evaluated_actions on profile_cells.action = evaluated_actions.action
    where granting_cells.is_by_tags
),

-- Only calls that can carry tags can be asked for them.
creating as (
    select action
    from reference_actions
    where
        regexp_matches(action, ':Create')
        and len(list_filter(condition_keys, lambda key: starts_with(lower(key), 'aws:requesttag/'))) > 0
),

-- An action that a condition on request tags limits for one of its resource types is limited.
untagged as (
    select
        profile_cells.profile_id,
        profile_cells.action,
        profile_cells.cell_id,
    from profile_cells
    inner join granting_cells on profile_cells.cell_id = granting_cells.cell_id
    semi join creating on profile_cells.action = creating.action
    semi join evaluated_actions on profile_cells.action = evaluated_actions.action
    semi join limited on profile_cells.profile_id = limited.profile_id
    where not granting_cells.is_by_request_tags
),

told as (
    select
        profile_id,
        'It may create without a tag in the request: ' || count(*)
        || case count(*) when 1 then ' action, ' else ' actions, such as ' end
        || array_to_string(list(action order by action)[:3], ', ') as message,
    from untagged
    group by profile_id
),

-- What can be corrected by one condition in one statement: where one tag alone limits the profile.
limiting_tags as (
    select
        profile_cells.profile_id,
        any_value(split_part(keys.condition_key, '/', 2)) as tag_key,
    from profile_cells
    semi join granting_cells on profile_cells.cell_id = granting_cells.cell_id
    semi join limited on profile_cells.profile_id = limited.profile_id
    semi join evaluated_actions on profile_cells.action = evaluated_actions.action
    inner join cell_access on profile_cells.cell_id = cell_access.cell_id
    inner join keys on cell_access.condition_id = keys.condition_id
    where contains(keys.condition_key, 'resourcetag/') or contains(keys.condition_key, 'requesttag/')
    group by profile_cells.profile_id
    having count(distinct split_part(keys.condition_key, '/', 2)) = 1
),

of_one_statement as (
    select
        untagged.profile_id,
        min(untagged.action) as first_action,
        list(distinct untagged.action order by untagged.action) as actions,
        any_value(cell_access.granted_by_numbers)[1] as reason_number,
    from untagged
    inner join cell_access on untagged.cell_id = cell_access.cell_id
    group by untagged.profile_id
    having
        count(distinct cell_access.granted_by_numbers) = 1
        and len(any_value(cell_access.granted_by_numbers)) = 1
),

correctable as (
    select
        principal_profiles.principal_arn,
        of_one_statement.first_action,
        of_one_statement.actions,
        of_one_statement.reason_number,
        limiting_tags.tag_key,
    from of_one_statement
    inner join limiting_tags on of_one_statement.profile_id = limiting_tags.profile_id
    inner join principal_profiles on of_one_statement.profile_id = principal_profiles.profile_id
),

corrections as (
    select
        correctable.principal_arn,
        json_object(
            'statement',
            any_value(principal_statements.statement_id),
            'only_actions',
            any_value(correctable.actions),
            'add_condition',
            json_object('Null', json_object('aws:RequestTag/' || any_value(correctable.tag_key), 'false'))
        )::varchar as correction,
    from correctable
    inner join principal_statements
        on
            correctable.principal_arn = principal_statements.principal_arn
            and correctable.reason_number = principal_statements.reason_number
    inner join action_set_members
        on
            principal_statements.action_set_id = action_set_members.action_set_id
            and correctable.first_action = action_set_members.action
    where principal_statements.layer in ('identity', 'resource')
    group by correctable.principal_arn
    having count(distinct principal_statements.statement_id) = 1
)

select
    'principal' as subject_kind,
    principal_profiles.principal_arn,
    told.message,
    corrections.correction,
from told
inner join principal_profiles on told.profile_id = principal_profiles.profile_id
left join corrections on principal_profiles.principal_arn = corrections.principal_arn
