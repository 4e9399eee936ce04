/*
description = "The conditions as written, with whether another condition of the statement asks that the key be there."
grain = ["statement_id", "operator", "set_qualifier_key", "if_exists", "condition_key", "condition_values"]
*/
with
asked_for as (
    select distinct
        statement_id,
        lower(condition_key) as condition_key,
    from conditions
    where
        operator = 'Null'
        and set_qualifier is null
        and list_distinct(list_transform(condition_values, lambda value: lower(value))) = ['false']
)

select
    conditions.statement_id,
    conditions.operator,
    conditions.set_qualifier,
    conditions.set_qualifier_key,
    conditions.if_exists,
    conditions.condition_key,
    conditions.condition_values,
    policies.language_version = '2012-10-17' as has_variables,
    asked_for.condition_key is not null and conditions.operator != 'Null' as is_key_asked_for,
from conditions
inner join statements on conditions.statement_id = statements.statement_id
inner join policies on statements.policy_id = policies.policy_id
left join asked_for
    on
        conditions.statement_id = asked_for.statement_id
        and lower(conditions.condition_key) = asked_for.condition_key
order by all
