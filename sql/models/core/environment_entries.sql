/*
description = "Statements of resource-based policies that speak of the principals of an account: of all of them, or of one that the statement names."
grain = ["account_id", "principal_arn", "resource_arn", "statement_id", "named_as", "named"]
*/
with
subjects as (
    select
        principal_arn,
        account_id,
        principal_name,
        principal_type,
    from principals
    where principal_type in ('user', 'role')
),

subject_accounts as (
    select distinct account_id
    from subjects
),

named_directly as (
    select
        subjects.account_id,
        subjects.principal_arn,
        entries.*,
    from subjects
    inner join resource_policy_entries as entries on subjects.principal_arn = entries.named
    where entries.named_as = 'principal'
),

named_by_session as (
    select
        subjects.account_id,
        subjects.principal_arn,
        entries.*,
    from subjects
    inner join resource_policy_entries as entries
        on
            subjects.account_id = split_part(entries.named, ':', 5)
            and subjects.principal_name = split_part(entries.named, '/', 2)
    where entries.named_as = 'session' and subjects.principal_type = 'role'
),

named_with_account as (
    select
        subject_accounts.account_id,
        '' as principal_arn,
        entries.*,
    from subject_accounts
    inner join resource_policy_entries as entries on subject_accounts.account_id = entries.named
    where entries.named_as = 'account'
),

named_with_everyone as (
    select
        subject_accounts.account_id,
        '' as principal_arn,
        entries.*,
    from subject_accounts
    cross join resource_policy_entries as entries
    where entries.named_as in ('everyone', 'not_principal')
),

combined as (
    select * from named_directly
    union all
    select * from named_by_session
    union all
    select * from named_with_account
    union all
    select * from named_with_everyone
)

select
    account_id,
    principal_arn,
    resource_arn,
    owner_account_id,
    policy_id,
    statement_id,
    named_as,
    named,
from combined
