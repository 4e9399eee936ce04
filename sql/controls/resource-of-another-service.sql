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
-- A pattern whose service is not written out may be of any.
fitting as (
    select distinct
        named_actions.statement_id,
        named_actions.action_pattern,
    from named_actions
    inner join resources on named_actions.statement_id = resources.statement_id
    where
        resources.service is null
        or regexp_matches(resources.service, '[*?$]')
        or regexp_matches(resources.resource_pattern, '^[^:]*[*]')
        or list_contains(named_actions.resource_services, lower(resources.service))
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
    where named_actions.takes_resources
    group by named_actions.statement_id
)

select
    'statement' as subject_kind,
    useless.statement_id,
    statements.effect || ' of ' || first_of(useless.names, 3)
    || ' on resources of other services alone' as message,
    json_object('drop_actions', useless.names, 'is_without_effect', true)::varchar as correction,
from useless
inner join statements on useless.statement_id = statements.statement_id
