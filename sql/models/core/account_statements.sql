/*
description = "The statements that count in an account, with the number of what they say there: equal texts have equal numbers, whatever their actions, in every build and account group."
grain = ["account_id", "statement_id"]
*/
with
contents as (
    select
        account_policies.account_id,
        statement_contents.policy_id,
        statement_contents.statement_id,
        action_sets.action_set_id,
        case
            when account_policies.account_id = '' then statement_contents.content
            else replace(statement_contents.content, account_policies.account_id, account_forms.own_account)
        end as content,
    from account_policies
    inner join statement_contents on account_policies.policy_id = statement_contents.policy_id
    inner join action_sets on statement_contents.statement_id = action_sets.statement_id
    inner join account_forms on account_policies.account_id = account_forms.account_id
)

select
    account_id,
    policy_id,
    statement_id,
    number_of(content) as statement_number,
    action_set_id,
    content,
from contents
