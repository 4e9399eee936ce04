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
    where not named_actions.takes_resources
    group by named_actions.statement_id
)

select
    'statement' as subject_kind,
    useless.statement_id,
    statements.effect || ' of ' || first_of(useless.names, 3)
    || case len(useless.names) when 1 then ', which takes' else ', which take' end
    || ' no resource: only "*" matches' as message,
    case statements.effect
        when 'Deny' then json_object('only_actions', useless.names, 'set_resource', '*')::varchar
        else json_object('drop_actions', useless.names)::varchar
    end as correction,
from useless
inner join statements on useless.statement_id = statements.statement_id
