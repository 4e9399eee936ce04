/*
id = "resource-named-where-none-is-taken"
title = "A resource is named for an action that takes none"
severity = "medium"
category = "hygiene"
rationale = """
The action has no resource types: its requests name no resource, and only Resource "*" matches them. With ARNs an Allow grants
nothing and a Deny protects nothing. The action is named in the statement; wildcards may well match such actions too."""
remedy = """
Put these actions into a statement of their own with Resource "*"."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:ListModels", "Resource": "arn:aws:sagemaker:*:*:model/*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:ListModels", "Resource": "*"}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]
*/
with
-- By pattern, of which there are few; what a wildcard matches counts together.
matched as (
    select
        patterns.action_pattern,
        patterns.is_wildcard,
        reference_actions.action,
        reference_actions.takes_resources,
    from (select distinct action_pattern, is_wildcard, service from actions) as patterns
    inner join reference_actions
        on
            patterns.service = reference_actions.service
            and lower(reference_actions.action) glob glob_of(patterns.action_pattern)
),

takers as (
    select
        action_pattern,
        case when bool_or(is_wildcard) then action_pattern else any_value(action) end as name,
    from matched
    group by action_pattern
    having not bool_or(takes_resources)
),

named_actions as (
    select distinct
        actions.statement_id,
        takers.action_pattern,
        takers.name,
    from actions
    inner join statements on actions.statement_id = statements.statement_id
    inner join takers on actions.action_pattern = takers.action_pattern
    where
        statements.action_element = 'Action'
        and statements.resource_element = 'Resource'
),

matching_all as (
    select distinct statement_id
    from resources
    where regexp_full_match(resource_pattern, '\*+')
),

useless as (
    select
        named_actions.statement_id,
        list(named_actions.name order by named_actions.name) as names,
    from named_actions
    anti join matching_all on named_actions.statement_id = matching_all.statement_id
    group by named_actions.statement_id
)

select
    'statement' as subject_kind,
    useless.statement_id,
    statements.effect || ' of ' || array_to_string(useless.names[:3], ', ')
    || case when len(useless.names) > 3 then ' and ' || (len(useless.names) - 3) || ' more' else '' end
    || ', which take no resource: only "*" matches' as message,
    case statements.effect
        when 'Deny' then json_object('only_actions', useless.names, 'set_resource', '*')::varchar
        else json_object('drop_actions', useless.names)::varchar
    end as correction,
from useless
inner join statements on useless.statement_id = statements.statement_id
