/*
description = "What a principal's identity policies say, as one set of parts each."
grain = ["principal_arn"]
*/
with
granted as (
    select distinct
        principals.principal_arn,
        coalesce(principals.account_id, '') as account_id,
        principal_policies.policy_id,
    from principal_policies
    inner join principals on principal_policies.principal_arn = principals.principal_arn
    where principal_policies.attachment_kind in ('inline', 'managed')
),

-- Most principals share their documents with others: parts are put together once for each set of documents.
document_sets as (
    select
        principal_arn,
        account_id,
        list(policy_id order by policy_id) as policy_ids,
    from granted
    group by principal_arn, account_id
),

distinct_documents as (
    select distinct
        account_id,
        policy_ids,
    from document_sets
),

members as (
    select
        account_id,
        policy_ids,
        unnest(policy_ids) as policy_id,
    from distinct_documents
),

merged as (
    select
        members.account_id,
        members.policy_ids,
        list_sort(list_distinct(flatten(list(policy_forms.parts)))) as parts,
    from members
    inner join policy_forms
        on members.account_id = policy_forms.account_id and members.policy_id = policy_forms.policy_id
    group by members.account_id, members.policy_ids
)

select
    document_sets.principal_arn,
    array_to_string(merged.parts, ',') as parts,
from document_sets
inner join merged
    on document_sets.account_id = merged.account_id and document_sets.policy_ids = merged.policy_ids
