/*
description = "The statements that count for a principal, with the layer and the number of what they say; SCPs, RCPs and resource policies of its account included."
grain = ["principal_arn", "statement_id", "layer"]
*/
with
documents as (
    select
        principal_arn,
        account_id,
        policy_id,
        layer,
    from principal_documents
    union
    select
        principal_profiles.principal_arn,
        account_documents.account_id,
        account_documents.policy_id,
        account_documents.layer,
    from principal_profiles
    inner join account_documents on principal_profiles.account_id = account_documents.account_id
)

select
    documents.principal_arn,
    account_statements.statement_id,
    documents.layer,
    account_statements.statement_number,
    account_statements.action_set_id,
from documents
inner join account_statements
    on
        coalesce(documents.account_id, '') = account_statements.account_id
        and documents.policy_id = account_statements.policy_id
