/*
description = "What a statement says apart from its actions, as JSON: effect, resources and conditions."
grain = ["statement_id"]
*/
with
resource_lists as (
    select
        statement_id,
        list(resource_pattern order by resource_pattern) as patterns,
    from resources
    group by statement_id
),

condition_lists as (
    select
        statement_id,
        list(
            {
                'operator': operator,
                'set_qualifier': set_qualifier,
                'if_exists': if_exists,
                'key': lower(condition_key),
                'values': list_sort(condition_values)
            }
            order by operator, set_qualifier_key, if_exists, lower(condition_key), list_sort(condition_values)
        ) as conditions,
    from conditions
    group by statement_id
)

select
    statements.statement_id,
    statements.policy_id,
    content_of(
        statements.effect,
        policies.language_version,
        statements.resource_element,
        resource_lists.patterns,
        condition_lists.conditions
    ) as content,
from statements
inner join action_sets on statements.statement_id = action_sets.statement_id
inner join policies on statements.policy_id = policies.policy_id
left join resource_lists on statements.statement_id = resource_lists.statement_id
left join condition_lists on statements.statement_id = condition_lists.statement_id
