/*
description = "Allow statements of identity policies with a wildcard for all actions of an evaluated service, on *, without a condition."
grain = ["statement_id", "subject"]
*/
with
held as (
    select distinct policy_id
    from principal_policies
    where attachment_kind != 'boundary'
),

services as (
    select distinct service
    from evaluated_actions
),

everything as (
    select distinct statement_id
    from resources
    where regexp_full_match(resource_pattern, '\*+')
)

select
    statements.statement_id,
    statements.sid,
    actions.action_pattern as subject,
from statements
inner join held on statements.policy_id = held.policy_id
inner join actions on statements.statement_id = actions.statement_id
inner join everything on statements.statement_id = everything.statement_id
left join services on actions.service = services.service
where
    statements.effect = 'Allow'
    and statements.condition_count = 0
    and statements.action_element = 'Action'
    and statements.resource_element = 'Resource'
    and regexp_full_match(actions.action_pattern, '([a-zA-Z0-9-]+:)?\*+')
    and (actions.service is null or services.service is not null)
order by statements.statement_id, subject
