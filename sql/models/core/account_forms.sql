/*
description = "What stands for an account's own id: {ownaccount}, so that accounts with the same policies share their answers, or the id itself where a pattern cuts through its digits."
grain = ["account_id"]
*/
with
texts as (
    select distinct
        account_policies.account_id,
        statement_contents.content,
    from account_policies
    inner join statement_contents on account_policies.policy_id = statement_contents.policy_id
    where
        contains(statement_contents.content, '{ownaccount}')
        or regexp_matches(statement_contents.content, '[0-9][*?]|[*?][0-9]')
),

pieces as (
    select
        account_id,
        contains(content, '{ownaccount}') as is_taken,
        regexp_extract_all(content, '([0-9]{1,11})[*?]', 1) as before_wildcards,
        regexp_extract_all(content, '[*?]([0-9]{1,11})', 1) as after_wildcards,
    from texts
),

own_id_needed as (
    select distinct account_id
    from pieces
    where
        is_taken
        or len(list_filter(before_wildcards, lambda digits: starts_with(account_id, digits))) > 0
        or len(list_filter(after_wildcards, lambda digits: ends_with(account_id, digits))) > 0
        or len(
            list_filter(
                list_intersect(before_wildcards, after_wildcards),
                lambda digits: contains(account_id, digits)
            )
        ) > 0
),

known as (
    select account_id from accounts
    union
    select account_id from account_policies
)

select
    known.account_id,
    case
        when known.account_id = '' then '*'
        when own_id_needed.account_id is not null then known.account_id
        else '{ownaccount}'
    end as own_account,
from known
left join own_id_needed on known.account_id = own_id_needed.account_id
