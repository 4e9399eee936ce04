/*
id = "presigned-url-for-others"
title = "Presigned URLs for other people's notebooks and profiles"
severity = "high"
category = "grants"
rationale = """
A presigned URL opens a notebook instance, or Studio as a user profile, with all that its execution role may do. Without a
condition on tags or a resource that names the caller, the principal may open everybody's."""
remedy = """
Limit the calls to resources of the caller: a resource such as user-profile/d-0123/${aws:username}, or a condition that compares a tag of
the resource with the caller. The corrected statement of a user's finding is the grant, or a Deny to add, with the tag owner: write
the key by which your resources are tagged. For a role there is none: which tag or name is its holder's, no policy tells."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreatePresigned*Url", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreatePresignedNotebookInstanceUrl", "Resource": "*",
 "Condition": {"StringEquals": {"aws:ResourceTag/owner": "${aws:username}"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3", "AC-6"]
soc2-2017 = ["CC6.1"]
iso-27001-2022 = ["A.8.3"]

[sources.administrators]
query = "full_access_principals"
*/
with
by_tags as (
    select condition_id
    from residual_conditions
    where
        len(
            list_filter(
                condition_keys,
                lambda key: contains(lower(key), 'resourcetag/') or lower(key) = 'sagemaker:owneruserprofilearn'
            )
        ) > 0
),

opened as (
    select
        access.principal_arn,
        access.action,
        any_value(access.principal_type) as principal_type,
        any_value(access.resource_type) as resource_type,
        min(access.resource_pattern) as resource_pattern,
        list(distinct access.granted_by) as granted_by,
    from access
    anti join by_tags on access.condition_id = by_tags.condition_id
    anti join administrators on access.principal_arn = administrators.principal_arn
    where
        access.action in ('sagemaker:CreatePresignedNotebookInstanceUrl', 'sagemaker:CreatePresignedDomainUrl')
        and is_granted(access.action_verdict)
        and access.resource_type in ('notebook-instance', 'user-profile')
        and contains(access.resource_pattern, '*')
        and not regexp_matches(access.resource_pattern, open_variable())
        -- A name before the last wildcard that is the principal's own leaves only its own.
        and not regexp_matches(
            access.resource_pattern,
            '/' || regexp_escape(split_part(access.principal_arn, '/', -1)) || '([^a-zA-Z0-9]|$)'
        )
    group by access.principal_arn, access.action
)

select
    'principal' as subject_kind,
    principal_arn,
    action,
    'It may open every ' || replace(resource_type, '-', ' ')
    || case resource_pattern when '*' then '' else ' of ' || resource_pattern end || ', not only its own' as message,
    -- A user is called in tags by name; who the holder of a role is, no statement tells.
    case
        when
            principal_type = 'user'
            and action = 'sagemaker:CreatePresignedNotebookInstanceUrl'
            and len(flatten(granted_by)) = 1
            then json_object(
                'statement',
                granted_by[1][1],
                'only_actions',
                ['sagemaker:CreatePresignedNotebookInstanceUrl'],
                'add_condition',
                json_object('StringEquals', json_object('aws:ResourceTag/owner', '${aws:username}'))
            )::varchar
    end as correction,
    -- Of several grants, and where the calls are not all that a grant is for, one Deny does it.
    case
        when principal_type = 'user'
            then denied_calls([action], '{"StringNotEquals": {"aws:ResourceTag/owner": "${aws:username}"}}')
    end as corrected_statement,
from opened
