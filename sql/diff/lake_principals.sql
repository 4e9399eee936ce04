/*
description = "The principals of accounts with what an account export tells of them."
grain = ["principal_arn"]
*/
with
boundaries as (
    select
        target_arn,
        min(policy_arn) as policy_arn,
    from attachments
    where attachment_kind = 'boundary'
    group by target_arn
),

trusts as (
    select
        attachments.target_arn,
        min(policies.document) as document,
    from attachments
    inner join policies on attachments.policy_id = policies.policy_id
    where attachments.attachment_kind = 'trust'
    group by attachments.target_arn
)

select
    principals.principal_arn,
    principals.account_id,
    principals.principal_type,
    principals.principal_name,
    principals.path,
    principals.principal_id,
    principals.tags,
    principals.missing,
    boundaries.policy_arn as boundary_arn,
    trusts.document as trust,
from principals
semi join asked_accounts on principals.account_id = asked_accounts.account_id
left join boundaries on principals.principal_arn = boundaries.target_arn
left join trusts on principals.principal_arn = trusts.target_arn
order by principals.principal_arn
