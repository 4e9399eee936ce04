/*
description = "The statements that count, by layer: for one principal, or, where principal_arn is empty, for every principal of an account. Of a resource policy they are those that speak of the principal or of its account. Answers name them by reason_number."
grain = ["principal_arn", "account_id", "statement_id", "layer", "reason_number"]
*/
select
    documents.principal_arn,
    documents.account_id,
    account_statements.statement_id,
    documents.layer,
    null as resource_arn,
    account_statements.action_set_id,
    reason_number(
        documents.layer, account_statements.statement_number, nullif(documents.owner_account_id, '')
    ) as reason_number,
from counting_documents as documents
inner join account_statements
    on
        documents.account_id = account_statements.account_id
        and documents.policy_id = account_statements.policy_id
where documents.layer != 'resource'
union all
-- Equal statements of one document may speak of others; one may name a principal in several ways.
select distinct
    environment_entries.principal_arn,
    environment_entries.account_id,
    account_statements.statement_id,
    'resource' as layer,
    environment_entries.resource_arn,
    account_statements.action_set_id,
    reason_number('resource', environment_entries.entry_number, null) as reason_number,
from environment_entries
inner join account_statements
    on
        environment_entries.account_id = account_statements.account_id
        and environment_entries.statement_id = account_statements.statement_id
