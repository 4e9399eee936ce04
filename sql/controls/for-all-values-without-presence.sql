/*
id = "for-all-values-without-presence"
title = "ForAllValues without a check that the key is there"
severity = "high"
category = "guide"
rationale = """
ForAllValues is true of no values at all. A request that does not carry the key meets the condition: an Allow that lists the
permitted tag keys is open to requests without tags. A Deny of such requests in the same policy, Null with the value true for the
key, is as good as Null in the statement itself."""
remedy = """
Beside ForAllValues put a Null condition with the value false for the same key, so that the key must be there. In a Deny use
ForAnyValue, or say with Null what is to happen without the key."""
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["project"]}}}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["project"]}, "Null": {"aws:TagKeys": "false"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]

[sources.idle]
query = "idle_conditions"
*/
with
-- Denies of every request without the key.
presence as (
    select
        statements.statement_id,
        statements.policy_id,
        lower(conditions.condition_key) as condition_key,
    from statements
    inner join conditions on statements.statement_id = conditions.statement_id
    where
        statements.effect = 'Deny'
        and statements.action_element = 'Action'
        and statements.resource_element = 'Resource'
        and statements.condition_count = 1
        and conditions.operator = 'Null'
        and list_transform(conditions.condition_values, lambda value: lower(value)) = ['true']
),

-- Who asks for a tag in the request asks for its key with it.
tagged as (
    select distinct statement_id
    from conditions
    where
        starts_with(lower(condition_key), 'aws:requesttag/')
        and (
            asks_for_values(operator, set_qualifier, if_exists, condition_values)
            or (operator = 'Null' and list_transform(condition_values, lambda one: lower(one)) = ['false'])
        )
),

beside as (
    select distinct
        idle.statement_id,
        idle.condition_key,
        statements.action_element,
        statements.resource_element,
        presence.statement_id as deny_id,
    from idle
    inner join statements on idle.statement_id = statements.statement_id
    inner join presence
        on statements.policy_id = presence.policy_id and lower(idle.condition_key) = presence.condition_key
    where idle.effect = 'Allow'
),

-- What of each statement its Deny does not speak of. A pattern covers another where it matches it as a text; with ? it
-- may match a star, and then covers less.
uncovered as (
    select
        beside.statement_id,
        beside.deny_id,
    from beside
    inner join actions on beside.statement_id = actions.statement_id
    where not exists (
        select 1
        from actions as denied
        where
            denied.statement_id = beside.deny_id
            and not contains(denied.action_pattern, '?')
            and (
                regexp_full_match(denied.action_pattern, '\*+')
                or (
                    beside.action_element = 'Action'
                    and lower(actions.action_pattern) glob glob_of(denied.action_pattern)
                )
            )
    )
    union all
    select
        beside.statement_id,
        beside.deny_id,
    from beside
    inner join resources on beside.statement_id = resources.statement_id
    where not exists (
        select 1
        from resources as denied
        where
            denied.statement_id = beside.deny_id
            and (
                regexp_full_match(denied.resource_pattern, '\*+')
                or (beside.resource_element = 'Resource' and resources.resource_pattern = denied.resource_pattern)
            )
    )
),

guarded as (
    select
        beside.statement_id,
        beside.condition_key,
    from beside
    anti join uncovered on beside.statement_id = uncovered.statement_id and beside.deny_id = uncovered.deny_id
)

select
    'statement' as subject_kind,
    idle.statement_id,
    idle.set_qualifier_key || idle.operator || ' ' || idle.condition_key as aspect,
    idle.effect || ' under ' || coalesce(nullif(idle.set_qualifier_key, '') || ':', '') || idle.operator
    || case when idle.if_exists then 'IfExists' else '' end || ' ' || idle.condition_key
    || ', which requests without the key meet' as message,
    -- In a Deny nobody knows what is meant to happen without the key.
    case
        when idle.effect = 'Allow'
            then json_merge_patch(
                statement_of(policies.document, statements.statement_index)::json,
                json_object('Condition', json_object('Null', json_object(idle.condition_key, 'false')))
            )::varchar
    end as corrected_statement,
from idle
inner join statements on idle.statement_id = statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
anti join guarded on idle.statement_id = guarded.statement_id and idle.condition_key = guarded.condition_key
left join tagged on idle.statement_id = tagged.statement_id and lower(idle.condition_key) = 'aws:tagkeys'
where
    idle.reason = 'true without the key'
    and tagged.statement_id is null
