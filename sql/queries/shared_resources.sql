/*
description = "Resources whose own policy speaks of other accounts, everyone or AWS services."
grain = ["resource_arn", "statement_id", "principal_kind", "principal_value"]
*/
with
policies_of_resources as (
    select
        target_arn as resource_arn,
        account_id,
        attachment_kind,
        policy_id,
        source,
    from attachments
    where attachment_kind in ('resource', 'endpoint')
)

select
    policies_of_resources.resource_arn,
    policies_of_resources.account_id,
    policies_of_resources.attachment_kind,
    statements.statement_id,
    statements.effect,
    statements.principal_element,
    statement_principals.principal_kind,
    statement_principals.principal_value,
    statements.condition_count,
    policies_of_resources.source,
from policies_of_resources
inner join statements on policies_of_resources.policy_id = statements.policy_id
inner join statement_principals on statements.statement_id = statement_principals.statement_id
where
    policies_of_resources.account_id is null
    or named_account(statement_principals.principal_value) != policies_of_resources.account_id
order by
    policies_of_resources.resource_arn,
    statements.statement_id,
    statement_principals.principal_kind,
    statement_principals.principal_value
