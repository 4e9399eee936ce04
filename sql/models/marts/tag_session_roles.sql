/*
description = "Roles whose trust policy lets the caller pass session tags, which override the role's own."
grain = ["principal_arn"]
*/
with
trusting as (
    select
        attachments.target_arn,
        statements.statement_id,
        statements.action_element,
    from attachments
    inner join statements on attachments.policy_id = statements.policy_id
    where attachments.attachment_kind = 'trust' and statements.effect = 'Allow'
),

-- NotAction lets through what none of its patterns matches.
decided as (
    select
        trusting.target_arn,
        trusting.action_element = 'Action' as is_action,
        bool_or('sts:tagsession' glob glob_of(actions.action_pattern)) as is_named,
    from trusting
    inner join actions on trusting.statement_id = actions.statement_id
    group by trusting.target_arn, trusting.statement_id, trusting.action_element
)

select distinct target_arn as principal_arn
from decided
where is_named = is_action
