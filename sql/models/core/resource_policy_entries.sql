/*
description = "Whom a statement of a resource-based policy speaks of: everyone, an account, a principal, or a session of a role."
grain = ["resource_arn", "statement_id", "named_as", "named"]
*/
with
resource_statements as (
    select distinct
        attachments.target_arn as resource_arn,
        attachments.account_id as owner_account_id,
        statement_contents.policy_id,
        statement_contents.statement_id,
    from attachments
    inner join statement_contents on attachments.policy_id = statement_contents.policy_id
    where attachments.attachment_kind in ('resource', 'trust')
),

entries as (
    select
        resource_statements.*,
        statement_principals.principal_value,
        statements.principal_element = 'NotPrincipal' as is_not_principal,
        regexp_full_match(statement_principals.principal_value, '\d{12}|arn:[^:]*:iam::\d{12}:root') as is_account,
        regexp_full_match(
            statement_principals.principal_value,
            'arn:[^:]*:sts::\d{12}:assumed-role/[^/]+/.+'
        ) as is_session,
    from resource_statements
    inner join statements on resource_statements.statement_id = statements.statement_id
    inner join statement_principals on resource_statements.statement_id = statement_principals.statement_id
    -- AWS does not support NotPrincipal with Allow: it speaks of nobody.
    where
        case
            when statements.principal_element = 'NotPrincipal' then statements.effect = 'Deny'
            else statement_principals.principal_kind in ('AWS', '*')
        end
        -- In the policy of a KMS key a statement without Resource has no effect.
        and not (
            statements.resource_element is null
            and regexp_matches(resource_statements.resource_arn, '^arn:[^:]*:kms:')
        )
)

select distinct
    resource_arn,
    owner_account_id,
    policy_id,
    statement_id,
    case
        when is_not_principal then 'not_principal'
        when principal_value = '*' then 'everyone'
        when is_account then 'account'
        when is_session then 'session'
        else 'principal'
    end as named_as,
    case
        when is_not_principal then '*'
        when is_account then regexp_extract(principal_value, '\d{12}')
        else principal_value
    end as named,
from entries
