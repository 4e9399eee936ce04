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
    from counting_documents
    where principal_arn != ''
    union
    select
        principal_profiles.principal_arn,
        of_account.account_id,
        of_account.policy_id,
        of_account.layer,
    from principal_profiles
    inner join counting_documents as of_account on principal_profiles.account_id = of_account.account_id
    where of_account.principal_arn = ''
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
        documents.account_id = account_statements.account_id
        and documents.policy_id = account_statements.policy_id
