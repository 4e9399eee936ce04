/*
description = "Environment entries with the number of what they say to the account; own account ids stand in the account's form."
grain = ["account_id", "principal_arn", "resource_arn", "statement_id", "named_as", "named"]
*/
with
contents as (
    select
        entries.account_id,
        entries.principal_arn,
        entries.resource_arn,
        entries.owner_account_id,
        entries.statement_id,
        entries.policy_id,
        entries.named_as,
        entries.named,
        action_sets.action_set_id,
        to_json({
            'resource_arn': replace(entries.resource_arn, entries.account_id, account_forms.own_account),
            'named_as': entries.named_as,
            'session':
                case
                    when entries.named_as = 'session'
                        then replace(entries.named, entries.account_id, account_forms.own_account)
                end,
            'statement_id': case when entries.named_as = 'not_principal' then entries.statement_id end,
            'owner_account_id':
                replace(
                    coalesce(entries.owner_account_id, entries.account_id),
                    entries.account_id,
                    account_forms.own_account
                ),
            'owner_number': number_of(coalesce(entries.owner_account_id, '')),
            'owner_organization_id': owners.organization_id,
            'owner_ou_path': owners.ou_path,
            'rcps': control_chains.parts,
            'statement_number': account_statements.statement_number
        })::varchar as entry,
    from environment_entries as entries
    inner join account_forms on entries.account_id = account_forms.account_id
    inner join action_sets on entries.statement_id = action_sets.statement_id
    inner join account_statements
        on entries.account_id = account_statements.account_id and entries.statement_id = account_statements.statement_id
    left join accounts as owners on entries.owner_account_id = owners.account_id
    left join control_chains
        on
            entries.account_id = control_chains.account_id
            and entries.owner_account_id = control_chains.owner_account_id
            and control_chains.attachment_kind = 'rcp'
)

select
    *,
    number_of(entry) as entry_number,
from contents
