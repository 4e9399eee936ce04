/*
description = "The statements of resource-based policies that speak of a principal, directly or with its account or everyone."
grain = ["principal_arn", "resource_arn", "statement_number", "named_as", "named"]
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

named_directly as (
    select
        subjects.principal_arn,
        subjects.account_id,
        entries.*,
    from subjects
    inner join resource_policy_entries as entries on subjects.principal_arn = entries.named
    where entries.named_as = 'principal'
),

named_by_session as (
    select
        subjects.principal_arn,
        subjects.account_id,
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
        subjects.principal_arn,
        subjects.account_id,
        entries.*,
    from subjects
    inner join resource_policy_entries as entries on subjects.account_id = entries.named
    where entries.named_as = 'account'
),

named_with_everyone as (
    select
        subjects.principal_arn,
        subjects.account_id,
        entries.*,
    from subjects
    cross join resource_policy_entries as entries
    where entries.named_as = 'everyone'
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
    *,
    account_id = owner_account_id as is_own,
from combined
