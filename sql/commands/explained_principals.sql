/*
description = "What is known of $principal whenever it calls."
grain = ["principal_arn"]
*/
with
-- As the model tag_session_roles: sessions of these roles may carry tags of their own. NotAction lets through what none
-- of its patterns matches.
trusting as (
    select
        statements.statement_id,
        statements.action_element = 'Action' as is_action,
        bool_or('sts:tagsession' glob glob_of(actions.action_pattern)) as is_named,
    from attachments
    inner join statements on attachments.policy_id = statements.policy_id
    inner join actions on statements.statement_id = actions.statement_id
    where
        attachments.attachment_kind = 'trust'
        and attachments.target_arn = $principal
        and statements.effect = 'Allow'
    group by all
),

sessions as (
    select coalesce(bool_or(is_named = is_action), false) as has_session_tags
    from trusting
)

select
    principals.principal_arn,
    principals.principal_type,
    coalesce(principals.account_id, '') as account_id,
    principals.principal_name,
    principals.principal_id,
    principals.tags,
    accounts.organization_id,
    accounts.ou_path,
    sessions.has_session_tags,
    principals.boundary_policy_id is not null as has_boundary,
from principals
left join accounts on principals.account_id = accounts.account_id
cross join sessions
where principals.principal_arn = $principal
