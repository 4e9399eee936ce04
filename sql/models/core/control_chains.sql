/*
description = "What the SCPs and RCPs of an account say to the principals of another, or its own: the parts of each level after a slash, the root first."
grain = ["account_id", "owner_account_id", "attachment_kind"]
*/
with
subjects as (
    select distinct
        account_id,
        account_id as owner_account_id,
        attachment_kind,
    from account_controls
    union
    select distinct
        account_id,
        owner_account_id,
        'rcp' as attachment_kind,
    from environment_entries
    where owner_account_id is not null
),

levels as (
    select
        subjects.account_id,
        subjects.owner_account_id,
        subjects.attachment_kind,
        account_controls.level,
        array_to_string(
            list_sort(list_distinct(flatten(list(coalesce(policy_forms.parts, []))))), ','
        ) as parts,
    from subjects
    inner join account_controls
        on
            subjects.owner_account_id = account_controls.account_id
            and subjects.attachment_kind = account_controls.attachment_kind
    left join policy_forms
        on
            subjects.account_id = policy_forms.account_id
            and account_controls.policy_id = policy_forms.policy_id
    group by subjects.account_id, subjects.owner_account_id, subjects.attachment_kind, account_controls.level
)

select
    account_id,
    owner_account_id,
    attachment_kind,
    '/' || string_agg(parts, '/' order by level) as parts,
from levels
group by account_id, owner_account_id, attachment_kind
