/*
id = "source-network-undone"
title = "Another grant undoes a limit to a VPC or VPC endpoint"
severity = "high"
category = "guide"
rationale = """
A statement allows actions only from a VPC or through a VPC endpoint, and another one allows the same principal the same
actions on the same resources from anywhere. Allow statements add up: the limit limits nothing."""
remedy = """
Take the actions out of the other grant, or add the limit as a Deny with StringNotEquals for everything that does not come
from the VPC or the endpoint."""
uncorrected = "which of the two grants is meant, neither tells; a finding has the command that adds the limit as a Deny, where it is the only one and asks for the network alone."
avoid = '''
[{"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": "*",
  "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0123"}}},
 {"Effect": "Allow", "Action": "sagemaker:Invoke*", "Resource": "*"}]'''
prefer = '''
[{"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"},
 {"Effect": "Deny", "Action": "sagemaker:InvokeEndpoint", "Resource": "*",
  "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-0123"}}}]'''

[frameworks]
nist-800-53-r5 = ["AC-3", "AC-4"]
soc2-2017 = ["CC6.6"]
iso-27001-2022 = ["A.8.22"]
*/
with
limits as (
    select distinct
        statements.statement_id,
        conditions.condition_key,
    from statements
    inner join conditions on statements.statement_id = conditions.statement_id
    where
        statements.effect = 'Allow'
        and lower(conditions.condition_key) in ('aws:sourcevpc', 'aws:sourcevpce')
),

-- Statements that ask for the network.
asking as (
    select distinct statement_id
    from conditions
    where lower(condition_key) in ('aws:sourcevpc', 'aws:sourcevpce')
),

asked as materialized (
    select
        principal_statements.principal_arn,
        principal_statements.statement_id,
        principal_statements.layer,
        principal_statements.reason_number,
    from principal_statements
    semi join asking on principal_statements.statement_id = asking.statement_id
),

holders as (
    select distinct
        asked.principal_arn,
        limits.statement_id,
        limits.condition_key,
        statement_actions.action,
        resources.resource_pattern,
    from limits
    inner join asked on limits.statement_id = asked.statement_id
    inner join statement_actions on limits.statement_id = statement_actions.statement_id
    inner join resources on limits.statement_id = resources.statement_id
    where asked.layer = 'identity'
),

keeping as (
    select condition_id
    from residual_conditions
    where
        len(
            list_filter(
                condition_keys,
                lambda key: lower(key) in ('aws:sourcevpc', 'aws:sourcevpce')
            )
        ) > 0
),

-- Principals that something other than an Allow of their own asks for the network.
guarded as (
    select distinct asked.principal_arn
    from asked
    anti join limits on asked.statement_id = limits.statement_id and asked.layer = 'identity'
),

asked_numbers as (
    select
        principal_arn,
        list(distinct reason_number) as reason_numbers,
    from asked
    group by principal_arn
),

-- Grants of one scope have one condition, in which each is a way of its own: here one that does not ask for the network.
-- By their numbers, for access looks up the statements of each row.
ways as (
    select
        principal_profiles.principal_arn,
        profile_access.action,
        own_text(profile_access.resource_pattern, principal_profiles.account_id) as resource_pattern,
        own_text(profile_access.except_resources, principal_profiles.account_id) as except_resources,
    from principal_profiles
    inner join profile_access on principal_profiles.profile_id = profile_access.profile_id
    inner join asked_numbers on principal_profiles.principal_arn = asked_numbers.principal_arn
    semi join keeping on profile_access.condition_id = keeping.condition_id
    anti join guarded on principal_profiles.principal_arn = guarded.principal_arn
    semi join holders
        on
            principal_profiles.principal_arn = holders.principal_arn
            and profile_access.action = holders.action
    where
        is_granted(profile_access.action_verdict)
        and not list_has_all(asked_numbers.reason_numbers, profile_access.granted_by_numbers)
),

scopes as (
    select
        access.principal_arn,
        access.action,
        access.resource_pattern,
        access.except_resources,
    from access
    semi join holders
        on
            access.principal_arn = holders.principal_arn
            and access.action = holders.action
    anti join keeping on access.condition_id = keeping.condition_id
    where is_granted(access.action_verdict)
    union all
    select
        ways.principal_arn,
        ways.action,
        ways.resource_pattern,
        ways.except_resources,
    from ways
),

undone as (
    select
        holders.principal_arn,
        holders.statement_id,
        holders.condition_key,
        list(distinct holders.action order by holders.action) as actions,
    from holders
    inner join scopes
        on
            holders.principal_arn = scopes.principal_arn
            and holders.action = scopes.action
    where is_among(
        holders.resource_pattern, like_of(scopes.resource_pattern), excepted_likes(scopes.except_resources)
    )
    group by holders.principal_arn, holders.statement_id, holders.condition_key
),

-- A limit that asks for the network alone, and the only one of its holder: two of them as Denies would refuse every call.
only_limits as (
    select
        principal_arn,
        any_value(statement_id) as statement_id,
    from asked
    group by principal_arn
    having count(*) = 1
),

patterns as (
    select
        actions.statement_id,
        list(distinct actions.action_pattern order by actions.action_pattern) as actions,
        list(distinct resources.resource_pattern order by resources.resource_pattern) as resources,
    from actions
    inner join resources on actions.statement_id = resources.statement_id
    semi join limits on actions.statement_id = limits.statement_id
    group by actions.statement_id
),

denied as (
    select
        statements.statement_id,
        shell_word(
            json_object(
                'Version', policies.language_version,
                'Statement', [json_object(
                    'Effect', 'Deny', 'Action', patterns.actions, 'Resource', patterns.resources,
                    'Condition', json_object(
                        replace(conditions.operator, 'String', 'StringNot'),
                        json_object(conditions.condition_key, conditions.condition_values),
                        'BoolIfExists',
                        json_object('aws:ViaAWSService', 'false')
                    )
                )]
            )::varchar
        ) as document_word,
    from statements
    inner join policies on statements.policy_id = policies.policy_id
    inner join conditions on statements.statement_id = conditions.statement_id
    inner join patterns on statements.statement_id = patterns.statement_id
    where
        statements.condition_count = 1
        and statements.action_element = 'Action'
        and statements.resource_element = 'Resource'
        and conditions.operator in ('StringEquals', 'StringLike')
        and conditions.set_qualifier is null
        and not conditions.if_exists
),

added as (
    select
        only_limits.principal_arn,
        only_limits.statement_id,
        put_policy(
            principals.principal_type,
            shell_word(principals.principal_name),
            unused_name('network-limit', inline_policy_names.policy_names),
            denied.document_word
        ) as command,
    from only_limits
    inner join denied on only_limits.statement_id = denied.statement_id
    inner join principals on only_limits.principal_arn = principals.principal_arn
    left join inline_policy_names on only_limits.principal_arn = inline_policy_names.principal_arn
    where principals.principal_type in ('user', 'role')
)

select
    'principal' as subject_kind,
    undone.principal_arn,
    undone.statement_id,
    undone.condition_key as aspect,
    'It is limited by ' || undone.condition_key || ', and another grant allows from anywhere ' || len(undone.actions)
    || case len(undone.actions) when 1 then ' action: ' else ' of the actions, such as ' end
    || array_to_string(undone.actions[:3], ', ') as message,
    'If the limit is meant, add it as a Deny: it refuses what comes from elsewhere, but for calls that AWS services '
    || 'make for the principal. Else take it out.' || iam_commands([added.command]) as remedy,
from undone
left join added on undone.principal_arn = added.principal_arn and undone.statement_id = added.statement_id
