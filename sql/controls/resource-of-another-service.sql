/*
id = "resource-of-another-service"
title = "Resources are of other services than the action"
severity = "medium"
category = "hygiene"
rationale = """
All ARNs of the statement are of services whose resources the action never takes: it can match no request. With an Allow it grants
nothing and with a Deny it protects nothing."""
remedy = "Name resources of the types that the action takes, in a statement of its own."
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "arn:aws:s3:::models/*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "arn:aws:sagemaker:*:*:model/*"}'''

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
    having bool_or(takes_resources)
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

taken as (
    select distinct
        matched.action_pattern,
        split_part(reference_resource_types.arn_format, ':', 3) as service,
    from matched
    inner join reference_action_resource_types on matched.action = reference_action_resource_types.action
    inner join reference_resource_types
        on
            split_part(reference_action_resource_types.action, ':', 1) = reference_resource_types.service
            and reference_action_resource_types.resource_type = reference_resource_types.resource_type
),

-- A pattern whose service is not written out may be of any.
fitting as (
    select distinct
        named_actions.statement_id,
        named_actions.action_pattern,
    from named_actions
    inner join resources on named_actions.statement_id = resources.statement_id
    left join taken on named_actions.action_pattern = taken.action_pattern
    where
        resources.service is null
        or regexp_matches(resources.service, '[*?$]')
        or regexp_matches(resources.resource_pattern, '^[^:]*[*]')
        or lower(resources.service) = taken.service
),

useless as (
    select
        named_actions.statement_id,
        list(named_actions.name order by named_actions.name) as names,
    from named_actions
    anti join fitting
        on
            named_actions.statement_id = fitting.statement_id
            and named_actions.action_pattern = fitting.action_pattern
    group by named_actions.statement_id
)

select
    'statement' as subject_kind,
    useless.statement_id,
    statements.effect || ' of ' || array_to_string(useless.names[:3], ', ')
    || case when len(useless.names) > 3 then ' and ' || (len(useless.names) - 3) || ' more' else '' end
    || ' on resources of other services alone' as message,
    json_object('drop_actions', useless.names, 'is_without_effect', true)::varchar as correction,
from useless
inner join statements on useless.statement_id = statements.statement_id
