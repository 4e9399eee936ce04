/*
description = "Which documents count for the principals of an account, in any layer. Loose documents have no account: theirs is an empty text."
grain = ["account_id", "policy_id"]
*/
with
principal_accounts as (
    select distinct coalesce(account_id, '') as account_id
    from principals
),

identity as (
    select
        coalesce(principals.account_id, '') as account_id,
        principal_policies.policy_id,
    from principal_policies
    inner join principals on principal_policies.principal_arn = principals.principal_arn
),

controls as (
    select
        account_controls.account_id,
        account_controls.policy_id,
    from account_controls
    semi join principal_accounts on account_controls.account_id = principal_accounts.account_id
    where account_controls.policy_id != ''
),

resource_based as (
    select
        principal_accounts.account_id,
        entries.policy_id,
    from principal_accounts
    inner join resource_policy_entries as entries
        on
            entries.named_as in ('everyone', 'not_principal')
            or principal_accounts.account_id = entries.named
            or principal_accounts.account_id = split_part(entries.named, ':', 5)
    where principal_accounts.account_id != ''
),

-- The RCPs of whoever owns a resource limit all who come to it.
owners_controls as (
    select
        environment_entries.account_id,
        account_controls.policy_id,
    from environment_entries
    inner join account_controls on environment_entries.owner_account_id = account_controls.account_id
    where account_controls.attachment_kind = 'rcp' and account_controls.policy_id != ''
)

select * from identity
union
select * from controls
union
select * from resource_based
union
select * from owners_controls
