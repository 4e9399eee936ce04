/*
id = "service-trust-without-source"
title = "A service may assume the role for any account"
severity = "medium"
category = "grants"
rationale = """
The trust policy lets SageMaker assume the role and does not say for whom. Where a service can be made to use the role of one
account for the work of another (the confused deputy), aws:SourceAccount and aws:SourceArn are what stops it."""
remedy = """
Add "StringEquals": {"aws:SourceAccount": "..."} or "ArnLike": {"aws:SourceArn": "..."} to the statement of the trust
policy."""
avoid = '''
{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}'''
prefer = '''
{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole",
 "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]
iso-27001-2022 = ["A.5.15"]

[parameters.service]
description = "Service principal"
default = "sagemaker.amazonaws.com"

[sources.service_trusts]
query = "service_roles"
service = "$service"
*/
with
trusting as (
    select
        principal_arn,
        account_id,
        unnest(statement_ids) as statement_id,
    from service_trusts
    where not is_service_linked
),

sourced as (
    select distinct statement_id
    from conditions
    where
        lower(condition_key) in ('aws:sourceaccount', 'aws:sourcearn', 'aws:sourceorgid', 'aws:sourceorgpaths')
        and asks_for_values(operator, set_qualifier, if_exists, condition_values)
),

-- Trust policies that deny whatever comes from elsewhere, to every service or to this one.
guarded as (
    select distinct statements.policy_id
    from conditions
    inner join statements on conditions.statement_id = statements.statement_id
    inner join statement_principals on statements.statement_id = statement_principals.statement_id
    where
        statements.effect = 'Deny'
        and statements.principal_element = 'Principal'
        and lower(statement_principals.principal_value) in ('*', lower($service))
        and lower(conditions.condition_key) in (
            'aws:sourceaccount', 'aws:sourcearn', 'aws:sourceorgid', 'aws:sourceorgpaths'
        )
        and contains(conditions.operator, 'Not')
        -- Beside it nothing but that a service calls, which is always so here.
        and conditions.set_qualifier is null
        and statements.condition_count = 1 + (
            select count(*)
            from conditions as others
            where
                others.statement_id = statements.statement_id
                and lower(others.condition_key) = 'aws:principalisawsservice'
                and others.condition_values = ['true']
        )
),

-- Where the statement is about this service alone, the condition is all that it lacks.
alone as (
    select statement_id
    from statement_principals
    group by statement_id
    having count(*) = 1
)

select
    'role' as subject_kind,
    trusting.principal_arn,
    trusting.account_id,
    trusting.principal_arn as attached_to,
    trusting.statement_id,
    $service || ' may assume it for any account: no condition on aws:SourceAccount or aws:SourceArn' as message,
    'Add a condition on aws:SourceAccount with the value ' || trusting.account_id || ' to the trust policy.' as remedy,
    case
        when alone.statement_id is not null
            then json_merge_patch(
                statement_of(policies.document, statements.statement_index)::json,
                json_object(
                    'Condition',
                    json_object('StringEquals', json_object('aws:SourceAccount', trusting.account_id))
                )
            )::varchar
    end as corrected_statement,
from trusting
anti join sourced on trusting.statement_id = sourced.statement_id
inner join statements on trusting.statement_id = statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
anti join guarded on statements.policy_id = guarded.policy_id
left join alone on trusting.statement_id = alone.statement_id
