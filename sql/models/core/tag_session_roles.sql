/*
description = "Roles whose trust policy lets the caller pass session tags, which override the role's own."
grain = ["principal_arn"]
*/
select distinct attachments.target_arn as principal_arn
from attachments
inner join statements on attachments.policy_id = statements.policy_id
inner join actions on statements.statement_id = actions.statement_id
where
    attachments.attachment_kind = 'trust'
    and statements.effect = 'Allow'
    and statements.action_element = 'Action'
    and 'sts:tagsession' glob glob_of(actions.action_pattern)
