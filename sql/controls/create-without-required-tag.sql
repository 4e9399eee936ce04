/*
id = "create-without-required-tag"
title = "Resources may be created without the tag that access depends on"
severity = "medium"
category = "guide"
rationale = """
Access depends on tags, and the same principal may create resources without them: no condition on the tags of the request keeps
it from that. What is created so belongs to no team, and whoever is limited by tags either cannot reach it or all can.
It counts which tag is asked for: that another one is required does not help, nor a condition that holds without the tag, such as
one with IfExists or a negated operator. Of several tags that access depends on, one is enough."""
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

[sources.tag_requests]
query = "tag_requests"
*/
with
keys as (
    select
        condition_id,
        unnest(condition_keys) as condition_key,
    from residual_conditions
),

of_tags as (
    select distinct
        condition_id,
        substr(condition_key, instr(condition_key, '/') + 1) as tag_name,
        lower(tag_name) as tag_key,
        contains(lower(condition_key), 'resourcetag/') as is_of_resource,
    from keys
    where contains(lower(condition_key), 'resourcetag/') or contains(lower(condition_key), 'requesttag/')
),

granting_cells as (
    select cell_id
    from cell_verdicts
    where is_granted(verdict)
),

cell_tags as (
    select distinct
        cell_access.cell_id,
        of_tags.tag_key,
        of_tags.tag_name,
        of_tags.is_of_resource,
    from cell_access
    semi join granting_cells on cell_access.cell_id = granting_cells.cell_id
    inner join of_tags on cell_access.condition_id = of_tags.condition_id
),

-- By profile: it says nothing of one principal that does not hold for all of its profile.
profile_tags as (
    select
        profile_cells.profile_id,
        cell_tags.tag_key,
        cell_tags.is_of_resource,
        min(cell_tags.tag_name) as tag_name,
    from profile_cells
    inner join cell_tags on profile_cells.cell_id = cell_tags.cell_id
    semi join evaluated_actions on profile_cells.action = evaluated_actions.action
    group by profile_cells.profile_id, cell_tags.tag_key, cell_tags.is_of_resource
),

-- The tags that access depends on: of resources, else those that other calls ask for.
limiting as (
    select
        profile_id,
        tag_key,
        tag_name,
    from profile_tags
    qualify is_of_resource = bool_or(is_of_resource) over (partition by profile_id)
),

-- Only calls that can carry tags can be asked for them.
creating as (
    select action
    from reference_actions
    where
        regexp_matches(action, ':Create')
        and len(list_filter(condition_keys, lambda key: starts_with(lower(key), 'aws:requesttag/'))) > 0
),

asking as (
    select
        cell_access.cell_id,
        cell_access.resource_type,
        tag_requests.tag_key,
        count(*) as scopes,
    from cell_access
    inner join tag_requests on cell_access.condition_id = tag_requests.condition_id
    where not tag_requests.can_lack
    group by cell_access.cell_id, cell_access.resource_type, tag_requests.tag_key
),

scopes_of_types as (
    select
        cell_id,
        resource_type,
        count(*) as scopes,
    from cell_access
    where cell_id in (select cell_id from asking)
    group by cell_id, resource_type
),

-- A call that needs the tag for one of its resource types needs it: where every scope of that type asks for it.
requiring as (
    select distinct
        asking.cell_id,
        asking.tag_key,
    from asking
    inner join scopes_of_types
        on
            asking.cell_id = scopes_of_types.cell_id
            and asking.resource_type = scopes_of_types.resource_type
            and asking.scopes = scopes_of_types.scopes
),

-- The profiles whose creation is kept to the tag, action by action.
required as (
    select distinct
        profile_cells.profile_id,
        profile_cells.action,
    from profile_cells
    inner join requiring on profile_cells.cell_id = requiring.cell_id
    inner join limiting
        on
            profile_cells.profile_id = limiting.profile_id
            and requiring.tag_key = limiting.tag_key
),

untagged as (
    select
        profile_cells.profile_id,
        profile_cells.action,
        profile_cells.cell_id,
    from profile_cells
    semi join creating on profile_cells.action = creating.action
    semi join evaluated_actions on profile_cells.action = evaluated_actions.action
    semi join limiting on profile_cells.profile_id = limiting.profile_id
    semi join granting_cells on profile_cells.cell_id = granting_cells.cell_id
    anti join required
        on
            profile_cells.profile_id = required.profile_id
            and profile_cells.action = required.action
),

tags_of_profiles as (
    select
        profile_id,
        list(tag_name order by tag_key) as tag_names,
    from limiting
    group by profile_id
),

told as (
    select
        untagged.profile_id,
        'It may create without the tag ' || array_to_string(any_value(tags_of_profiles.tag_names)[:3], ' or ') || ': '
        || count(*) || case count(*) when 1 then ' action, ' else ' actions, such as ' end
        || array_to_string(list(untagged.action order by untagged.action)[:3], ', ') as message,
    from untagged
    inner join tags_of_profiles on untagged.profile_id = tags_of_profiles.profile_id
    group by untagged.profile_id
),

-- What can be corrected by one condition in one statement: where one tag alone limits the profile.
limiting_tags as (
    select
        profile_id,
        tag_names[1] as tag_name,
    from tags_of_profiles
    where len(tag_names) = 1
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
        limiting_tags.tag_name,
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
            json_object('Null', json_object('aws:RequestTag/' || any_value(correctable.tag_name), 'false'))
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
