/*
description = "Allow statements of identity policies on *, without a condition, for all actions of an evaluated service or for all but some, with the places where they grant."
grain = ["statement_id", "subject"]
*/
with
services as (
    select distinct service
    from evaluated_actions
),

everything as (
    select statement_id
    from resources
    where regexp_full_match(resource_pattern, '\*+')
),

on_everything as (
    select
        statements.statement_id,
        statements.policy_id,
        statements.sid,
        statements.action_element,
    from statements
    semi join everything on statements.statement_id = everything.statement_id
    where
        statements.effect = 'Allow'
        and statements.condition_count = 0
        and statements.resource_element = 'Resource'
),

whole_services as (
    select
        on_everything.statement_id,
        actions.action_pattern as subject,
    from on_everything
    inner join actions on on_everything.statement_id = actions.statement_id
    left join services on actions.service = services.service
    where
        on_everything.action_element = 'Action'
        and (
            regexp_full_match(actions.action_pattern, '(\*+:)?\*+')
            or (services.service is not null and regexp_full_match(actions.action_pattern, '[a-zA-Z0-9-]+:\*+'))
        )
),

all_but_some as (
    select
        on_everything.statement_id,
        'all but ' || string_agg(actions.action_pattern, ', ' order by actions.action_pattern) as subject,
    from on_everything
    inner join actions on on_everything.statement_id = actions.statement_id
    semi join statement_actions on on_everything.statement_id = statement_actions.statement_id
    where on_everything.action_element = 'NotAction'
    group by on_everything.statement_id
),

subjects as (
    select * from whole_services
    union all
    select * from all_but_some
),

-- The same document may hang as an SCP or a boundary, where it grants nothing. Loose documents come last.
holders as (
    select
        policy_id,
        min_by(policy_name, [starts_with(target_arn, 'policy/')::varchar, policy_name]) as policy_name,
        min_by(target_arn, [starts_with(target_arn, 'policy/')::varchar, target_arn]) as first_place,
        count(distinct target_arn) as place_count,
    from attachments
    where attachment_kind in ('inline', 'managed')
    group by policy_id
)

select
    subjects.statement_id,
    on_everything.sid,
    subjects.subject,
    holders.policy_name,
    holders.first_place,
    holders.place_count,
from subjects
inner join on_everything on subjects.statement_id = on_everything.statement_id
inner join holders on on_everything.policy_id = holders.policy_id
order by subjects.statement_id, subjects.subject
