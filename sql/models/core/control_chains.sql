/*
description = "What the SCPs and RCPs of an account say: the parts of each level after a slash, the root first."
grain = ["account_id", "attachment_kind"]
*/
with
levels as (
    select
        account_controls.account_id,
        account_controls.attachment_kind,
        account_controls.level,
        array_to_string(
            list_sort(list_distinct(flatten(list(coalesce(policy_forms.parts, []))))), ','
        ) as parts,
    from account_controls
    left join policy_forms
        on
            account_controls.account_id = policy_forms.account_id
            and account_controls.policy_id = policy_forms.policy_id
    group by account_controls.account_id, account_controls.attachment_kind, account_controls.level
)

select
    account_id,
    attachment_kind,
    '/' || string_agg(parts, '/' order by level) as parts,
from levels
group by account_id, attachment_kind
