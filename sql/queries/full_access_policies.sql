/*
description = "The policies that alone allow a principal nearly everything on every resource, whatever conditions, denies and other layers leave of it."
grain = ["principal_arn", "attachment_kind", "policy_id", "via_arn", "policy_name", "policy_arn_key"]

[parameters.percent]
description = "Least share of the known actions, from 0 to 100"
kind = "percent"
default = "95"
*/
with
known as (
    select action
    from evaluated_actions
    where is_known
),

wide_statements as (
    select distinct
        statements.policy_id,
        statements.statement_id,
    from statements
    inner join resources on statements.statement_id = resources.statement_id
    where
        statements.effect = 'Allow'
        and statements.resource_element = 'Resource'
        and is_every_resource(resources.resource_pattern)
),

wide_policies as (
    select
        wide_statements.policy_id,
        count(distinct known.action) as allowed_actions,
    from wide_statements
    inner join statement_actions on wide_statements.statement_id = statement_actions.statement_id
    inner join known on statement_actions.action = known.action
    group by wide_statements.policy_id
),

counts as (
    select count(*) as known_actions
    from known
)

select
    principal_policies.principal_arn,
    principal_policies.attachment_kind,
    principal_policies.policy_id,
    principal_policies.via_arn,
    principal_policies.policy_name,
    principal_policies.policy_arn,
    principal_policies.policy_arn_key,
    wide_policies.allowed_actions,
    counts.known_actions,
    round(100.0 * wide_policies.allowed_actions / counts.known_actions, 1) as percent,
from wide_policies
inner join principal_policies on wide_policies.policy_id = principal_policies.policy_id
cross join counts
where
    principal_policies.attachment_kind in ('inline', 'managed')
    and percent >= $percent::double
order by percent desc, principal_policies.principal_arn asc, principal_policies.policy_id asc
