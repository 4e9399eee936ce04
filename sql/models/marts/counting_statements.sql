/*
description = "The statements that count, by layer: for one principal, or, where principal_arn is empty, for every principal of an account. Of a resource policy they are those that speak of the principal or of its account."
grain = ["principal_arn", "account_id", "statement_id", "layer"]
*/
select
    documents.principal_arn,
    documents.account_id,
    account_statements.statement_id,
    documents.layer,
    account_statements.statement_number,
    account_statements.action_set_id,
from counting_documents as documents
inner join account_statements
    on
        documents.account_id = account_statements.account_id
        and documents.policy_id = account_statements.policy_id
where documents.layer != 'resource'
union
-- Equal statements of one document may speak of others.
select
    environment_entries.principal_arn,
    environment_entries.account_id,
    account_statements.statement_id,
    'resource' as layer,
    account_statements.statement_number,
    account_statements.action_set_id,
from environment_entries
inner join account_statements
    on
        environment_entries.account_id = account_statements.account_id
        and environment_entries.statement_id = account_statements.statement_id
