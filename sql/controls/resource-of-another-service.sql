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
named_actions as (
    select distinct
        actions.statement_id,
        reference_actions.action,
        reference_actions.service,
        reference_actions.takes_resources,
    from actions
    inner join statements on actions.statement_id = statements.statement_id
    inner join reference_actions on lower(actions.action_pattern) = lower(reference_actions.action)
    where
        not actions.is_wildcard
        and statements.action_element = 'Action'
        and statements.resource_element = 'Resource'
),

taken as (
    select distinct
        reference_action_resource_types.action,
        split_part(reference_resource_types.arn_format, ':', 3) as service,
    from reference_action_resource_types
    inner join reference_resource_types
        on
            split_part(reference_action_resource_types.action, ':', 1) = reference_resource_types.service
            and reference_action_resource_types.resource_type = reference_resource_types.resource_type
),

-- A pattern whose service is not written out may be of any.
fitting as (
    select distinct
        named_actions.statement_id,
        named_actions.action,
    from named_actions
    inner join resources on named_actions.statement_id = resources.statement_id
    left join taken on named_actions.action = taken.action
    where
        resources.service is null
        or regexp_matches(resources.service, '[*?$]')
        or regexp_matches(resources.resource_pattern, '^[^:]*[*]')
        or lower(resources.service) = taken.service
),

useless as (
    select
        named_actions.statement_id,
        list(named_actions.action order by named_actions.action) as names,
    from named_actions
    anti join fitting
        on
            named_actions.statement_id = fitting.statement_id
            and named_actions.action = fitting.action
    where named_actions.takes_resources
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
