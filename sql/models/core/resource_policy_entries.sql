/*
description = "Who a resource-based policy's statement speaks of: everyone, an account, or a principal (of a session, by the role's name)."
grain = ["resource_arn", "statement_number", "named_as", "named"]
*/
with
resource_statements as (
    select distinct
        attachments.target_arn as resource_arn,
        attachments.account_id as owner_account_id,
        statement_numbers.statement_id,
        statement_numbers.statement_number,
    from attachments
    inner join statement_numbers on attachments.policy_id = statement_numbers.policy_id
    where attachments.attachment_kind in ('resource', 'trust')
),

entries as (
    select
        resource_statements.resource_arn,
        resource_statements.owner_account_id,
        resource_statements.statement_number,
        statements.principal_element,
        statement_principals.principal_kind,
        statement_principals.principal_value,
    from resource_statements
    inner join statements on resource_statements.statement_id = statements.statement_id
    inner join statement_principals on resource_statements.statement_id = statement_principals.statement_id
)

select distinct
    resource_arn,
    owner_account_id,
    statement_number,
    case
        -- NotPrincipal speaks of everyone; whom it leaves out is told by the principal's own facts.
        when principal_element = 'NotPrincipal' or principal_value = '*' then 'everyone'
        when regexp_full_match(principal_value, '\d{12}|arn:[^:]*:iam::\d{12}:root') then 'account'
        when regexp_full_match(principal_value, 'arn:[^:]*:sts::\d{12}:assumed-role/[^/]+/.+') then 'session'
        else 'principal'
    end as named_as,
    case
        when principal_element = 'NotPrincipal' or principal_value = '*' then '*'
        when regexp_full_match(principal_value, '\d{12}|arn:[^:]*:iam::\d{12}:root')
            then regexp_extract(principal_value, '\d{12}')
        else principal_value
    end as named,
from entries
where principal_element = 'NotPrincipal' or principal_kind in ('AWS', '*')
