/*
description = "Whom the trust policies of roles name in an Allow: a row for each role, statement and named one."
grain = ["role_arn", "statement_id", "principal_kind", "principal_value"]
*/
select
    principals.principal_arn as role_arn,
    principals.account_id,
    statements.statement_id,
    statement_principals.principal_kind,
    statement_principals.principal_value,
    statements.condition_count > 0 as has_condition,
from attachments
inner join principals on attachments.target_arn = principals.principal_arn
inner join statements on attachments.policy_id = statements.policy_id
inner join statement_principals on statements.statement_id = statement_principals.statement_id
where
    attachments.attachment_kind = 'trust'
    and statements.effect = 'Allow'
    and statements.principal_element = 'Principal'
