/*
description = "What each of the statements $statement_ids says, its conditions as written, with the patterns that match $action."
grain = ["statement_id"]
*/
with
asked as (
    select distinct unnest($statement_ids) as statement_id
),

pattern_lists as (
    select
        actions.statement_id,
        list(actions.action_pattern order by actions.action_pattern) as patterns,
        list(actions.action_pattern order by actions.action_pattern) filter (
            where lower($action) glob glob_of(actions.action_pattern)
        ) as matching,
    from actions
    inner join asked on actions.statement_id = asked.statement_id
    group by actions.statement_id
),

resource_lists as (
    select
        resources.statement_id,
        list(resources.resource_pattern order by resources.resource_pattern) as patterns,
    from resources
    inner join asked on resources.statement_id = asked.statement_id
    group by resources.statement_id
),

principal_lists as (
    select
        statement_principals.statement_id,
        list(
            {
                'kind': statement_principals.principal_kind,
                'value': statement_principals.principal_value
            }
            order by statement_principals.principal_kind, statement_principals.principal_value
        ) as principals,
    from statement_principals
    inner join asked on statement_principals.statement_id = asked.statement_id
    group by statement_principals.statement_id
),

condition_lists as (
    select
        conditions.statement_id,
        list(
            {
                'operator': conditions.operator,
                'set_qualifier': conditions.set_qualifier,
                'if_exists': conditions.if_exists,
                'key': lower(conditions.condition_key),
                'written_key': conditions.condition_key,
                'values': conditions.condition_values
            }
            order by
                conditions.operator,
                conditions.set_qualifier_key,
                conditions.if_exists,
                conditions.condition_key,
                conditions.condition_values
        ) as conditions,
    from conditions
    inner join asked on conditions.statement_id = asked.statement_id
    group by conditions.statement_id
)

select
    statements.statement_id,
    statements.action_element,
    coalesce(pattern_lists.patterns, []) as action_patterns,
    coalesce(pattern_lists.matching, []) as matching_patterns,
    statements.principal_element,
    statements.effect = 'Allow' as is_allow,
    coalesce(principal_lists.principals, []) as principals,
    content_of(
        statements.effect,
        policies.language_version,
        statements.resource_element,
        resource_lists.patterns,
        condition_lists.conditions
    ) as content,
from asked
inner join statements on asked.statement_id = statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
left join pattern_lists on statements.statement_id = pattern_lists.statement_id
left join resource_lists on statements.statement_id = resource_lists.statement_id
left join principal_lists on statements.statement_id = principal_lists.statement_id
left join condition_lists on statements.statement_id = condition_lists.statement_id
order by statements.statement_id
